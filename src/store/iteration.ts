/** Steps through a range, a batch of decoded entries at a time; holds no pin in between. */
import { keyBytesOf, wordsOf } from '../log/block.ts'
import { KeyBuffer } from '../tree/key.ts'
import { recordHeader, recordKeyAt } from '../tree/record.ts'
import { Scan } from '../tree/scan.ts'
import type { Staged } from './codec.ts'
import type { Engine } from './engine.ts'
import { type CheckedRange, isEmptyRange } from './range.ts'
import type { RecordReader } from './reader.ts'

/** Entries of the first batch; later ones take whole leaves. Whoever takes only the first few pays for few. */
const FIRST_BATCH = 32
const BATCH = 4096

export class Iteration {
  /** The batch: `count` keys and values, in order, not yet finished by their codecs. */
  count = 0
  readonly keys: Staged[] = []
  readonly values: Staged[] = []
  private readonly engine: Engine
  private readonly reader: RecordReader
  private readonly check: () => void
  private readonly scan: Scan
  /** The far end of the range. */
  private readonly bound: KeyBuffer | null = null
  private readonly boundInclusive: boolean = false
  private remaining: number
  private batch = FIRST_BATCH
  /** Keeps the loads of `touch` from being optimised away. */
  touched = 0
  private readonly headers: number[] = []
  private readonly rawKeys: Uint8Array[] = []

  /** @param check throws if the store was closed meanwhile */
  constructor(engine: Engine, reader: RecordReader, range: CheckedRange, check: () => void) {
    this.engine = engine
    this.reader = reader
    this.check = check
    const near = range.reverse ? range.high : range.low
    const far = range.reverse ? range.low : range.high
    this.scan = new Scan(engine.tree, range.reverse, near === null)
    if (near !== null) {
      this.scan.from.copyFrom(near.bytes, 0, near.bytes.length)
      this.scan.inclusive = near.inclusive
    }
    if (far !== null) {
      this.bound = new KeyBuffer()
      this.bound.copyFrom(far.bytes, 0, far.bytes.length)
      this.boundInclusive = far.inclusive
    }
    this.remaining = isEmptyRange(range) ? 0 : range.limit
  }

  /** Takes the next batch. @returns false at the end */
  fill(withKeys: boolean, withValues: boolean): boolean {
    return this.next(withKeys, withValues, false)
  }

  /** Takes the next batch of encoded keys only; see `rawKey`. */
  fillRaw(): boolean {
    return this.next(false, false, true)
  }

  /** Puts the i-th encoded key of a raw batch into a buffer. */
  rawKey(i: number, into: KeyBuffer): void {
    into.copyFrom(this.rawKeys[i], 0, this.rawKeys[i].length)
  }

  private next(withKeys: boolean, withValues: boolean, raw: boolean): boolean {
    const { scan, engine, reader } = this
    this.check()
    this.count = 0
    while (this.count === 0) {
      if (scan.done || this.remaining <= 0) return false
      engine.scheme.enter()
      try {
        scan.step(Math.min(this.remaining, this.batch))
        const count = this.withinBound(scan.count)
        this.touch(count)
        for (let i = 0; i < count; i++) {
          const record = scan.record(i)
          const header = this.headers[i]
          if (withKeys) this.keys[i] = reader.key(record, header)
          if (withValues) this.values[i] = reader.value(record, header)
          if (raw) this.rawKeys[i] = this.copyKey(record, header)
        }
        this.count = count
      } finally {
        engine.scheme.leave()
      }
      this.batch = BATCH
    }
    this.remaining -= this.count
    return true
  }

  /**
   * Loads the headers of the batch's records, then the last word of each, before any is decoded: so the processor fetches
   * their lines side by side instead of one after the other. The last word is immutable since the record was linked.
   */
  private touch(count: number): void {
    const { scan, headers } = this
    const { words } = this.engine.arena
    for (let i = 0; i < count; i++) headers[i] = recordHeader(words, scan.record(i))
    let sum = 0
    for (let i = 0; i < count; i++) sum ^= words[scan.record(i) + wordsOf(headers[i]) - 1]
    this.touched = sum
  }

  private copyKey(record: number, header: number): Uint8Array {
    const at = recordKeyAt(record)
    return this.engine.arena.bytes.slice(at, at + keyBytesOf(header))
  }

  /** How many of the step's records lie within the far bound; ends the scan if not all do. */
  private withinBound(count: number): number {
    const { bound, scan } = this
    if (bound === null || count === 0 || this.isWithin(scan.record(count - 1), bound)) return count
    scan.done = true
    let low = 0
    let high = count - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.isWithin(scan.record(middle), bound)) low = middle + 1
      else high = middle
    }
    return low
  }

  private isWithin(record: number, bound: KeyBuffer): boolean {
    const order = this.engine.tree.search.compareRecord(bound, record)
    if (order === 0) return this.boundInclusive
    return this.scan.reverse ? order < 0 : order > 0
  }
}
