/**
 * A transaction as its body holds it: reads at a snapshot with its own writes laid over, and a record of both.
 *
 * Nothing is written to the store before the body is over, so a body that throws leaves nothing. What was read is kept as
 * encoded keys and ranges, as far as they were really looked at: a range that was left early counts up to the last key
 * that was given. Under snapshot isolation reads are not kept, since nobody looks at them again.
 *
 * Thread safety: private to one thread. Death: the snapshot's slot, which the reaper frees.
 */
import { HeddleError } from '../memory/error.ts'
import type { Mark } from '../tree/snapshots.ts'
import type { KeyCodec, ValueCodec } from './codec.ts'
import type { Engine } from './engine.ts'
import { Iteration, type View } from './iteration.ts'
import { type Bound, type CheckedRange, type Range, checkRange } from './range.ts'
import { type RawBuffer, rawBuffer } from './raw-buffer.ts'
import type { RecordReader } from './reader.ts'
import { ReadsAt } from './reads-at.ts'

export type Isolation = 'serializable' | 'snapshot'

/** A key's new value, encoded, or null if it is deleted. */
export interface Change {
  readonly key: Uint8Array
  readonly value: RawBuffer | null
  readonly ascii: boolean
}

/** A part of the order that was looked at, and everything in it. */
export interface RangeRead {
  readonly low: Bound | null
  readonly high: Bound | null
}

/** A range while it is being read: how far it has been given away. */
interface OpenRead {
  readonly range: CheckedRange
  reached: Uint8Array | null
  whole: boolean
}

export class Transaction<K = string, V = string> {
  private readonly engine: Engine
  private readonly reader: RecordReader
  private readonly keyCodec: KeyCodec
  private readonly valueCodec: ValueCodec
  private readonly reads: ReadsAt
  private readonly view: View
  private readonly keepsReads: boolean
  private readonly changed = new Map<string, Change>()
  private readonly readKeys = new Map<string, Uint8Array>()
  private readonly opened: OpenRead[] = []
  /** The changes in key order; null when they have to be sorted anew. */
  private sorted: Change[] | null = null
  private over = false
  /** The bytes of `tree.key`, to be read as text. */
  private readonly keyText: RawBuffer
  private lastKey: string | undefined = undefined
  private lastName = ''

  /** Transactions are made by a store. @internal */
  constructor(
    engine: Engine,
    reader: RecordReader,
    keys: KeyCodec,
    values: ValueCodec,
    mark: Mark,
    isolation: Isolation,
    keyText: RawBuffer,
    checkStore: () => void,
  ) {
    this.engine = engine
    this.keyText = keyText
    this.reader = reader
    this.keyCodec = keys
    this.valueCodec = values
    this.reads = new ReadsAt(engine, reader, mark)
    this.keepsReads = isolation === 'serializable'
    this.view = {
      at: mark.ts,
      version: mark.version ?? 0,
      check: () => {
        checkStore()
        this.check()
      },
      confirm: () => this.reads.confirm(),
    }
  }

  private check(): void {
    if (this.over) {
      throw new HeddleError('HEDDLE_CLOSED', 'the transaction is over; use its argument only while its body runs')
    }
  }

  /** Encodes a key into `tree.key`. @returns the same bytes as text, by which changes and reads are found */
  private name(key: K): string {
    const { tree } = this.engine
    this.view.check()
    this.keyCodec.encode(key, tree.key)
    // Mostly it is the key that has just been read. Only a string says by itself what its bytes are.
    if (this.keyCodec.isCustom || typeof key !== 'string') return this.keyText.latin1Slice(0, tree.key.length)
    if (key !== this.lastKey) {
      this.lastName = this.keyText.latin1Slice(0, tree.key.length)
      this.lastKey = key
    }
    return this.lastName
  }

  /**
   * The value of a key: the one set here, or the one it had when the transaction began; undefined if it is absent.
   * @throws HeddleError HEDDLE_INVALID_KEY, HEDDLE_TOO_LARGE, HEDDLE_SNAPSHOT_EXPIRED, HEDDLE_CLOSED
   */
  get(key: K): V | undefined {
    const name = this.name(key)
    const own = this.changed.get(name)
    if (own !== undefined) return this.valueOf(own)
    this.noteRead(name)
    const staged = this.reads.value()
    return staged === undefined ? undefined : (this.valueCodec.finish(staged) as V)
  }

  /** Whether a key is there; see `get`. */
  has(key: K): boolean {
    const name = this.name(key)
    const own = this.changed.get(name)
    if (own !== undefined) return own.value !== null
    this.noteRead(name)
    return this.reads.has()
  }

  private noteRead(name: string): void {
    const { key } = this.engine.tree
    if (this.keepsReads && !this.readKeys.has(name)) this.readKeys.set(name, key.bytes.slice(0, key.length))
  }

  private valueOf({ value, ascii }: Change): V | undefined {
    if (value === null) return undefined
    return this.valueCodec.finish(this.valueCodec.read(value, 0, value.length, ascii, null)) as V
  }

  /**
   * Sets a key's value when the transaction is committed.
   * @throws HeddleError HEDDLE_INVALID_KEY, HEDDLE_INVALID_VALUE, HEDDLE_TOO_LARGE, HEDDLE_CLOSED
   */
  set(key: K, value: V): void {
    this.view.check()
    const { valueCodec } = this
    const staged = valueCodec.stage(value)
    const name = this.name(key)
    const size = valueCodec.size(staged)
    const bytes = Buffer.allocUnsafe(size) as unknown as RawBuffer
    if (valueCodec.write(staged, bytes, 0, size) < 0) throw valueCodec.refusal()
    this.change(name, bytes, valueCodec.isAscii(staged, size))
  }

  /** Deletes a key when the transaction is committed. @returns whether it is there until then, which counts as a read */
  delete(key: K): boolean {
    const there = this.has(key)
    if (there) this.change(this.name(key), null, false)
    return there
  }

  private change(name: string, value: RawBuffer | null, ascii: boolean): void {
    const { key } = this.engine.tree
    const bytes = this.readKeys.get(name) ?? key.bytes.slice(0, key.length)
    this.changed.set(name, { key: bytes, value, ascii })
    this.sorted = null
  }

  /**
   * Entries in key order, lazily: those of the beginning, with what was set and deleted here. What is changed while it is
   * being stepped through shows if it lies ahead.
   * @throws HeddleError HEDDLE_INVALID_RANGE, HEDDLE_INVALID_KEY; in a step also HEDDLE_SNAPSHOT_EXPIRED, HEDDLE_CLOSED
   */
  entries(range?: Range<K>): IterableIterator<[K, V]> {
    return this.steps(range, true, (key, value) => [key, value!])
  }

  /** Keys in order; see `entries`. */
  keys(range?: Range<K>): IterableIterator<K> {
    return this.steps(range, false, (key) => key)
  }

  /** Values in key order; see `entries`. */
  values(range?: Range<K>): IterableIterator<V> {
    return this.steps(range, true, (_key, value) => value!)
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()
  }

  private steps<T>(
    range: Range<K> | undefined,
    withValues: boolean,
    make: (key: K, value: V | undefined) => T,
  ): IterableIterator<T> {
    this.view.check()
    const checked = checkRange(range, this.keyCodec, this.keyCodec.hasPrefixes)
    return this.merged(checked, withValues, make)
  }

  /** Lays the changes over what the snapshot has. */
  private *merged<T>(
    range: CheckedRange,
    withValues: boolean,
    make: (key: K, value: V | undefined) => T,
  ): IterableIterator<T> {
    const read: OpenRead = { range, reached: null, whole: false }
    if (this.keepsReads) this.opened.push(read)
    const iteration = new Iteration(this.engine, this.reader, () => this.view.check())
    // Entries that were deleted here do not count for the limit.
    iteration.begin({ ...range, limit: range.limit === 0 ? 0 : Infinity }, this.view)
    let index = 0
    for (let given = 0; given < range.limit;) {
      this.view.check()
      if (index === iteration.count && iteration.fillMerged(withValues)) index = 0
      const theirs = index < iteration.count ? iteration.rawKeyOf(index) : null
      const own = this.nextChange(range, read.reached)
      const order = own === null ? 1 : theirs === null ? -1 : compare(own.key, theirs, range.reverse)
      if (own === null && theirs === null) break
      if (order >= 0) index++
      read.reached = order > 0 ? theirs : own!.key
      if (order <= 0 && own!.value === null) continue
      given++
      if (order > 0) {
        const value = withValues ? (this.valueCodec.finish(iteration.values[index - 1]) as V) : undefined
        yield make(this.keyCodec.finish(iteration.keys[index - 1]) as K, value)
      } else yield make(this.keyOf(own!), withValues ? this.valueOf(own!) : undefined)
      if (given === range.limit) return
    }
    // With a limit of 0 nothing has been looked at.
    read.whole = range.limit > 0
  }

  private keyOf({ key }: Change): K {
    return this.keyCodec.finish(this.keyCodec.read(rawBuffer(key.slice().buffer), 0, key.length)) as K
  }

  /** The first change of a range after a key that was reached, in the range's direction. */
  private nextChange(range: CheckedRange, reached: Uint8Array | null): Change | null {
    if (this.changed.size === 0) return null
    const changes = this.inOrder()
    const near = range.reverse ? range.high : range.low
    const from = reached === null ? near : { bytes: reached, inclusive: false }
    let low = 0
    let high = changes.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const at = range.reverse ? changes.length - 1 - middle : middle
      if (from !== null && isBefore(changes[at].key, from, range.reverse)) low = middle + 1
      else high = middle
    }
    if (low === changes.length) return null
    const found = changes[range.reverse ? changes.length - 1 - low : low]
    const far = range.reverse ? range.low : range.high
    return far !== null && isBefore(found.key, far, !range.reverse) ? null : found
  }

  /** What is to be changed, in key order. */
  inOrder(): readonly Change[] {
    this.sorted ??= [...this.changed.values()].sort((a, b) => Buffer.compare(a.key, b.key))
    return this.sorted
  }

  /** Keys that were read, encoded, with the outcome that the snapshot had for them. */
  keysRead(): readonly Uint8Array[] {
    return [...this.readKeys.values()]
  }

  /** Ranges that were read, as far as they were given away. */
  rangesRead(): readonly RangeRead[] {
    const reads: RangeRead[] = []
    for (const { range, reached, whole } of this.opened) {
      if (reached === null && !whole) continue
      const last = whole || reached === null ? null : { bytes: reached, inclusive: true }
      if (last === null) reads.push({ low: range.low, high: range.high })
      else if (range.reverse) reads.push({ low: last, high: range.high })
      else reads.push({ low: range.low, high: last })
    }
    return reads
  }

  /** Its body is over: nobody may use it any more. */
  end(): void {
    this.over = true
  }
}

/** Order in a direction. */
function compare(a: Uint8Array, b: Uint8Array, reverse: boolean): number {
  const order = Buffer.compare(a, b)
  return reverse ? -order : order
}

/** Whether a key lies before a bound, in a direction. */
function isBefore(key: Uint8Array, bound: Bound, reverse: boolean): boolean {
  const order = compare(key, bound.bytes, reverse)
  return order < 0 || (order === 0 && !bound.inclusive)
}
