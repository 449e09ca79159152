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
import type { RecordEncoder } from './record-encoder.ts'
import type { Change } from './transaction.ts'

export type BatchOperation<K, V> =
  { readonly type: 'set'; readonly key: K; readonly value: V } | { readonly type: 'delete'; readonly key: K }

/** Times that a batch is written anew because it found no room, although room had been made. */
const MOST_TRIES = 16
const NO_BYTES = new Uint8Array(0)
/** Operations whose numbers fit a sort key beside a head. */
const MOST_BY_HEAD = 2 ** 20

export class Batching<K, V> {
  private readonly engine: Engine
  private readonly keyCodec: KeyCodec
  private readonly valueCodec: ValueCodec
  private readonly encoder: RecordEncoder
  private readonly check: () => void
  /** The batch under way: encoded keys one after the other, where each ends, and what its operation is. */
  private keyBytes = new Uint8Array(1024)
  private readonly keyEnds: number[] = []
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
    const order = this.inOrder()
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
    const ends: number[] = []
    // A codec of the user's may run a batch of its own meanwhile, which must not write into this one's keys.
    let bytes = this.keyBytes
    this.keyBytes = NO_BYTES
    let end = 0
    for (const operation of operations) {
      staged.push(this.stageOne(operation))
      this.keyCodec.encode(operation.key, tree.key)
      const { length } = tree.key
      if (end + length > bytes.length) {
        const larger = new Uint8Array(2 * (end + length))
        larger.set(bytes.subarray(0, end))
        bytes = larger
      }
      for (let i = 0; i < length; i++) bytes[end + i] = tree.key.bytes[i]
      ends.push((end += length))
    }
    this.keyBytes = bytes
    this.staged = staged
    this.keyEnds.length = 0
    for (const each of ends) this.keyEnds.push(each)
  }

  private stageOne(operation: BatchOperation<K, V>): Staged | undefined {
    const type: unknown = typeof operation === 'object' && operation !== null ? operation.type : undefined
    if (type !== 'set' && type !== 'delete') {
      throw new HeddleError('HEDDLE_INVALID_OPTION', "an operation of a batch has the type 'set' or 'delete'")
    }
    return operation.type === 'set' ? this.valueCodec.stage(operation.value) : undefined
  }

  private keyStart(i: number): number {
    return i === 0 ? 0 : this.keyEnds[i - 1]
  }

  private compare(a: number, b: number): number {
    const { keyBytes, keyEnds } = this
    const aStart = this.keyStart(a)
    const bStart = this.keyStart(b)
    const aLength = keyEnds[a] - aStart
    const bLength = keyEnds[b] - bStart
    const common = Math.min(aLength, bLength)
    for (let i = 0; i < common; i++) {
      const difference = keyBytes[aStart + i] - keyBytes[bStart + i]
      if (difference !== 0) return difference
    }
    return aLength - bLength
  }

  /** Operations in the order of their keys, of equal keys the last one. */
  private inOrder(): number[] {
    const count = this.keyEnds.length
    const sorted: number[] = []
    if (count > MOST_BY_HEAD) this.addRun(allOf(count), sorted)
    else this.addByHeads(count, sorted)
    return sorted
  }

  /** Sorts by four bytes after the common beginning first, which is a sort of numbers. */
  private addByHeads(count: number, sorted: number[]): void {
    const prefix = this.commonPrefix(count)
    const heads = new Float64Array(count)
    for (let i = 0; i < count; i++) heads[i] = this.headOf(i, prefix) * MOST_BY_HEAD + i
    heads.sort()
    for (let from = 0; from < count;) {
      const head = Math.floor(heads[from] / MOST_BY_HEAD) * MOST_BY_HEAD
      let end = from + 1
      while (end < count && heads[end] < head + MOST_BY_HEAD) end++
      if (end - from === 1) sorted.push(heads[from] - head)
      else
        this.addRun(
          Array.from(heads.subarray(from, end), (each) => each - head),
          sorted,
        )
      from = end
    }
  }

  /** Adds operations whose keys have yet to be compared. */
  private addRun(run: number[], sorted: number[]): void {
    run.sort((a, b) => this.compare(a, b) || a - b)
    for (let i = 0; i < run.length; i++) {
      if (i + 1 === run.length || this.compare(run[i], run[i + 1]) !== 0) sorted.push(run[i])
    }
  }

  private commonPrefix(count: number): number {
    const { keyBytes, keyEnds } = this
    let prefix = count === 0 ? 0 : keyEnds[0]
    for (let i = 1; i < count && prefix > 0; i++) {
      const start = keyEnds[i - 1]
      const most = Math.min(prefix, keyEnds[i] - start)
      let same = 0
      while (same < most && keyBytes[same] === keyBytes[start + same]) same++
      prefix = same
    }
    return prefix
  }

  private headOf(i: number, prefix: number): number {
    const { keyBytes, keyEnds } = this
    const start = this.keyStart(i) + prefix
    let head = 0
    for (let at = start; at < start + 4; at++) head = head * 256 + (at < keyEnds[i] ? keyBytes[at] : 0)
    return head
  }

  private setKey(i: number): void {
    const start = this.keyStart(i)
    this.engine.tree.key.copyFrom(this.keyBytes, start, this.keyEnds[i] - start)
  }

  private runOne(i: number): void {
    const staged = this.staged[i]
    this.setKey(i)
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
      this.setKey(i)
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

function allOf(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}
