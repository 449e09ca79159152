/** Steps through a range, a batch of decoded entries at a time; holds no pin in between. */
import { KeyBuffer } from '../tree/key.ts'
import { Scan } from '../tree/scan.ts'
import type { Staged } from './codec.ts'
import type { Engine } from './engine.ts'
import { type End, MergedStep } from './merged-step.ts'
import { type CheckedRange, isEmptyRange } from './range.ts'
import { BATCH, type RecordReader } from './reader.ts'

/** Entries of the first batch if the range has no limit; later ones take whole leaves. */
const FIRST_BATCH = 32

/** What an iteration over a snapshot goes by. */
export interface View {
  /** Its value of the clock. */
  readonly at: number
  /** What it holds of what is below the tree, 0 for nothing. */
  readonly version: number
  /** Throws if it was closed. */
  check(): void
  /** Throws if what was read since the caller entered its critical region may be wrong, since it was ended. */
  confirm(): void
}

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
  private readonly bound = new KeyBuffer()
  private bounded = false
  private boundInclusive = false
  private remaining = 0
  private batch = FIRST_BATCH
  private view: View | null = null
  readonly rawKeys: Uint8Array[] = []
  /** Null if nothing lies below the tree. */
  private readonly merged: MergedStep | null

  /** @param check throws if the store was closed meanwhile */
  constructor(engine: Engine, reader: RecordReader, check: () => void) {
    this.engine = engine
    this.reader = reader
    this.check = check
    this.scan = new Scan(engine.tree, false, false)
    this.merged = engine.tables === null ? null : new MergedStep(this.scan, reader)
  }

  /** Starts at the near end of a range, of now or of a snapshot. An iteration is used again and again, since its buffers cost as much as a scan. */
  begin(range: CheckedRange, view: View | null): this {
    const { scan, bound } = this
    const near = range.reverse ? range.high : range.low
    const far = range.reverse ? range.low : range.high
    scan.begin(range.reverse, near === null)
    this.view = view
    if (view !== null) scan.at = view.at
    if (near !== null) {
      scan.from.copyFrom(near.bytes, 0, near.bytes.length)
      scan.inclusive = near.inclusive
    }
    this.bounded = far !== null
    if (far !== null) {
      bound.copyFrom(far.bytes, 0, far.bytes.length)
      this.boundInclusive = far.inclusive
    }
    this.remaining = isEmptyRange(range) ? 0 : range.limit
    this.batch = this.remaining <= BATCH ? this.remaining : FIRST_BATCH
    return this
  }

  /** Lets go of what was decoded. */
  end(): void {
    this.view = null
    this.count = 0
    this.keys.length = 0
    this.values.length = 0
    this.rawKeys.length = 0
    this.merged?.end()
  }

  /** Takes the next batch. @returns false at the end */
  fill(withKeys: boolean, withValues: boolean): boolean {
    return this.next(withKeys, withValues, false)
  }

  /** Takes the next batch, with the encoded keys beside the decoded ones. */
  fillMerged(withValues: boolean): boolean {
    return this.next(true, withValues, true)
  }

  /** Counts what there is up to the end of the range, and ends. O(n). */
  countAll(): number {
    let count = 0
    while (this.fillRaw()) count += this.count
    this.end()
    return count
  }

  /** The i-th encoded key of a batch. */
  rawKeyOf(i: number): Uint8Array {
    return this.rawKeys[i]
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
    const { view } = this
    this.check()
    view?.check()
    this.count = 0
    while (this.count === 0) {
      if (scan.done || this.remaining <= 0) return false
      if (this.merged !== null && this.asksTables()) {
        this.count = this.nextMerged(this.merged, withKeys, withValues)
        this.batch = BATCH
        continue
      }
      this.merged?.begin()
      engine.scheme.enter()
      try {
        scan.step(Math.min(this.remaining, this.batch))
        if (this.merged !== null && this.asksTables()) {
          // Something may have left the tree since it was asked for.
          this.merged.again()
          continue
        }
        const count = this.withinBound(scan.count)
        reader.take(scan, count, withValues)
        if (withKeys) reader.takeKeys(count, this.keys)
        if (withValues) reader.takeValues(count, this.values)
        if (raw) for (let i = 0; i < count; i++) this.rawKeys[i] = reader.takeRawKey(i)
        view?.confirm()
        this.count = count
      } finally {
        engine.scheme.leave()
      }
      this.batch = BATCH
    }
    this.remaining -= this.count
    return true
  }

  /** Whether what the tree does not have may be in the tables. After a step: whether it may have been then. */
  private asksTables(): boolean {
    const { view } = this
    return view === null ? this.engine.tree.context.residence.isPartial() : view.version !== 0
  }

  /** As a step of the tree alone, with what the tables have. @returns how many entries were found; perhaps none, though more follow */
  private nextMerged(merged: MergedStep, withKeys: boolean, withValues: boolean): number {
    const { scan, engine, view, bound } = this
    const most = Math.min(this.remaining, this.batch)
    merged.begin()
    engine.scheme.enter()
    try {
      scan.showsAbsent = true
      scan.step(most)
      const end: End = { key: bound, inclusive: this.bounded ? this.boundInclusive : null }
      merged.take(this.withinBound(scan.count), end, withValues)
      view?.confirm()
    } finally {
      engine.scheme.leave()
    }
    return merged.merge(engine.tables!, view?.version ?? 0, most, withKeys, withValues, this)
  }

  /** How many of the step's records lie within the far bound; ends the scan if not all do. */
  private withinBound(count: number): number {
    const { bound, scan } = this
    if (!this.bounded || count === 0 || this.isWithin(scan.record(count - 1), bound)) return count
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
