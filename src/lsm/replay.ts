/**
 * Makes the changes of a log's records in a tree again, one by one: what `readChanges` visits.
 *
 * Only before there are other threads, and within `Engine.replay`, so that the changes are not written to the journal once
 * more. Nobody sees part of a batch then. Death: the store is not open yet.
 */
import type { Tree } from '../tree/tree.ts'
import { PUT_ANY } from '../tree/tree.ts'
import type { ChangeVisitor } from './change-record.ts'

export class Replay implements ChangeVisitor {
  private readonly tree: Tree
  private readonly arenaBytes: Uint8Array
  private readonly inlineBytes: number

  constructor(tree: Tree) {
    const { arena } = tree.context
    this.tree = tree
    this.arenaBytes = arena.bytes
    this.inlineBytes = arena.layout.inlineBytes
  }

  /** See ChangeVisitor. @throws HeddleError HEDDLE_FULL */
  put(bytes: Uint8Array, keyAt: number, keyBytes: number, valueBytes: number, ascii: boolean): void {
    const { tree } = this
    const { writer, key } = tree
    const value = bytes.subarray(keyAt + keyBytes, keyAt + keyBytes + valueBytes)
    key.copyFrom(bytes, keyAt, keyBytes)
    if (valueBytes > this.inlineBytes) writer.writeLarge(key, value, valueBytes, ascii)
    else {
      this.arenaBytes.set(value, writer.begin(key, valueBytes))
      writer.finish(keyBytes, valueBytes, ascii)
    }
    let linked = false
    try {
      linked = tree.put(PUT_ANY, 0)
    } finally {
      if (!linked) writer.abandon()
    }
  }

  /** See ChangeVisitor. @throws HeddleError HEDDLE_FULL */
  remove(bytes: Uint8Array, keyAt: number, keyBytes: number): void {
    this.tree.key.copyFrom(bytes, keyAt, keyBytes)
    this.tree.remove(0, 0)
  }
}
