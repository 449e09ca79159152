/**
 * Batches: several changes that become visible at one moment, or not at all.
 *
 * Everything of the user's runs first (codecs, checks), so that what is refused has changed nothing. Then the records are
 * written in the order of their keys, and the tree installs them (tree/batches.ts). A batch that finds no room is given
 * up as a whole, room is made, and it is written once more.
 *
 * Thread safety: private to one store. Progress: lock-free. Death: wholly there or wholly not; see tree/batches.ts.
 */
import { HeddleError } from '../memory/error.ts'
import type { Reads } from '../tree/batch-writer.ts'
import { COMMITTED, LACKING } from '../tree/commits.ts'
import { PUT_ANY } from '../tree/tree.ts'
import type { KeyCodec, Staged, ValueCodec } from './codec.ts'
import type { Engine } from './engine.ts'
import { KeyList } from './key-list.ts'
import type { RecordEncoder } from './record-encoder.ts'
import type { Change } from './transaction.ts'

export type BatchOperation<K, V> =
  { readonly type: 'set'; readonly key: K; readonly value: V } | { readonly type: 'delete'; readonly key: K }

/** Times that a batch is written anew because it found no room, although room had been made. */
const MOST_TRIES = 16

export class Batching<K, V> {
  private readonly engine: Engine
  private readonly keyCodec: KeyCodec
  private readonly valueCodec: ValueCodec
  private readonly encoder: RecordEncoder
  private readonly check: () => void
  /** The batch under way: its keys, and what its operations are. */
  private keys = new KeyList()
  /** A list to be used again. */
  private spare: KeyList | null = this.keys
  private staged: (Staged | undefined)[] = []

  constructor(engine: Engine, keys: KeyCodec, values: ValueCodec, encoder: RecordEncoder, check: () => void) {
    this.engine = engine
    this.keyCodec = keys
    this.valueCodec = values
    this.encoder = encoder
    this.check = check
  }

  /** See Store. */
  run(operations: readonly BatchOperation<K, V>[]): void {
    this.stage(operations)
    this.check()
    const order = this.keys.inOrder()
    if (order.length === 0) return
    if (order.length === 1) this.runOne(order[0])
    else this.commit(() => this.write(order), null)
    this.staged.length = 0
  }

  /** Commits changes that are encoded and in order, if what was read holds. @returns whether it did */
  commitChanges(changes: readonly Change[], reads: Reads): boolean {
    return this.commit(() => this.writeChanges(changes), reads)
  }

  private commit(write: () => void, reads: Reads | null): boolean {
    const { tree } = this.engine
    const { batchWriter } = tree
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      let batch = 0
      batchWriter.begin()
      try {
        write()
        batch = batchWriter.describe(reads)
      } finally {
        if (batch === 0) batchWriter.discard()
      }
      const outcome = tree.commits.commit(batch)
      if (outcome !== LACKING) return outcome === COMMITTED
      if (tree.commits.makeRoom()) tries--
    }
    throw new HeddleError(
      'HEDDLE_FULL',
      'the arena has no room for the batch; make it smaller, delete entries, or open the store with more memory',
    )
  }

  private stage(operations: readonly BatchOperation<K, V>[]): void {
    const given: unknown = operations
    if (!Array.isArray(given)) {
      throw new HeddleError('HEDDLE_INVALID_OPTION', 'batch takes an array of { type, key, value } and { type, key }')
    }
    const { tree } = this.engine
    const staged: (Staged | undefined)[] = []
    // A codec of the user's may run a batch of its own meanwhile, which must not write into this one's keys.
    const keys = this.spare ?? new KeyList()
    this.spare = null
    keys.clear()
    for (const operation of operations) {
      staged.push(this.stageOne(operation))
      this.keyCodec.encode(operation.key, tree.key)
      keys.add(tree.key)
    }
    this.keys = keys
    this.spare = keys
    this.staged = staged
  }

  private stageOne(operation: BatchOperation<K, V>): Staged | undefined {
    const type: unknown = typeof operation === 'object' && operation !== null ? operation.type : undefined
    if (type !== 'set' && type !== 'delete') {
      throw new HeddleError('HEDDLE_INVALID_OPTION', "an operation of a batch has the type 'set' or 'delete'")
    }
    return operation.type === 'set' ? this.valueCodec.stage(operation.value) : undefined
  }

  private runOne(i: number): void {
    const staged = this.staged[i]
    this.keys.get(i, this.engine.tree.key)
    if (staged === undefined) {
      this.engine.remove()
      return
    }
    this.encoder.write(staged)
    this.encoder.link(PUT_ANY, 0)
  }

  private write(order: readonly number[]): void {
    const { tree } = this.engine
    for (const i of order) {
      const staged = this.staged[i]
      this.keys.get(i, this.engine.tree.key)
      if (staged === undefined) tree.batchWriter.addDeletion(tree.key)
      else {
        this.encoder.write(staged)
        tree.batchWriter.add()
      }
    }
  }

  private writeChanges(changes: readonly Change[]): void {
    const { tree } = this.engine
    for (const { key, value, ascii } of changes) {
      tree.key.copyFrom(key, 0, key.length)
      if (value === null) tree.batchWriter.addDeletion(tree.key)
      else {
        this.encoder.writeBytes(value, ascii)
        tree.batchWriter.add()
      }
    }
  }
}
