/**
 * A step of an iteration over a tree that does not have everything: what the tree says of a part of the order, laid over what
 * the tables have there.
 *
 * The tree's part is one leaf's, read first; then a version of the tables is acquired, and walked between the same two keys. A
 * key that the tree says anything of, be it that it is absent, is the tree's; of the others the tables tell what was true when the
 * leaf was read, or later (residence.ts, 1). A snapshot's iteration takes the version that it holds instead. Nothing is held
 * between two steps. A step that has found enough before the leaf's end goes on from the last key that it looked at.
 *
 * Thread safety: private to one store. Progress: as TableReads.
 */
import type { TableReads } from '../lsm/table-reads.ts'
import type { VisibleSource } from '../lsm/visible-source.ts'
import { KeyBuffer } from '../tree/key.ts'
import type { Scan } from '../tree/scan.ts'
import type { Staged } from './codec.ts'
import type { RecordReader } from './reader.ts'

/** One end of a part of the order. */
export interface End {
  readonly key: KeyBuffer
  /** Null for no end; else whether the key itself belongs to the part. */
  inclusive: boolean | null
}

/** What a step makes of what it finds. */
export interface MergedEntries {
  readonly keys: Staged[]
  readonly values: Staged[]
  readonly rawKeys: Uint8Array[]
}

const ABSENT = null

export class MergedStep {
  /** Where the part begins, in the direction of the scan. */
  readonly near: End = { key: new KeyBuffer(), inclusive: true }
  private readonly far: End = { key: new KeyBuffer(), inclusive: null }
  private readonly scan: Scan
  private readonly reader: RecordReader
  /** What the tree has in the part, in the scan's direction. */
  private readonly ownKeys: Uint8Array[] = []
  private readonly ownValues: (Staged | null)[] = []
  private own = 0
  private reached: Uint8Array | null = null

  constructor(scan: Scan, reader: RecordReader) {
    this.scan = scan
    this.reader = reader
  }

  /** Notes where the scan stands, before its step. */
  begin(): void {
    const { near, scan } = this
    near.key.copyFrom(scan.from.bytes, 0, scan.from.length)
    near.inclusive = scan.unbounded ? null : scan.inclusive
  }

  /** Puts the scan back to where it stood. */
  again(): void {
    const { near, scan } = this
    scan.goTo(near.key, near.inclusive)
  }

  /**
   * Takes what the scan's step has found. In its critical region.
   * @param count records of it that lie within the range
   * @param bound the far end of the range
   */
  take(count: number, bound: End, withValues: boolean): void {
    const { scan, reader } = this
    this.own = count
    reader.take(scan, count, false)
    for (let i = 0; i < count; i++) {
      this.ownKeys[i] = reader.takeRawKey(i)
      this.ownValues[i] = scan.isAbsent(i) ? ABSENT : withValues ? reader.takeValue(i) : 0
    }
    this.setFar(bound)
  }

  /** The part ends where the scan goes on, or where the range ends. */
  private setFar(bound: End): void {
    const { far, scan } = this
    far.inclusive = null
    if (!scan.done) {
      far.key.copyFrom(scan.from.bytes, 0, scan.from.length)
      // A forward scan that goes on at a key has not looked at it; one that goes on after it has. Backward likewise.
      far.inclusive = !scan.inclusive
    }
    if (bound.inclusive === null) return
    if (far.inclusive !== null) {
      const order = this.directed(bound.key.compare(far.key.bytes, 0, far.key.length))
      if (order > 0 || (order === 0 && bound.inclusive)) return
    }
    far.key.copyFrom(bound.key.bytes, 0, bound.key.length)
    far.inclusive = bound.inclusive
    scan.done = true
  }

  private directed(order: number): number {
    return this.scan.reverse ? -order : order
  }

  /**
   * Merges what was taken with the tables' part. Not in a critical region.
   * @param version see TableReads.begin
   * @param most entries wanted
   * @returns how many were found; the scan stands behind them
   */
  merge(
    tables: TableReads,
    version: number,
    most: number,
    withKeys: boolean,
    withValues: boolean,
    to: MergedEntries,
  ): number {
    let count = 0
    let next = 0
    const source = tables.begin(version)
    try {
      this.seek(source)
      this.reached = null
      while (count < most) {
        const inTables = source.valid && this.isWithin(source)
        if (next === this.own && !inTables) return count
        const order = next === this.own ? 1 : !inTables ? -1 : this.order(this.ownKeys[next], source)
        if (order <= 0) {
          const value = this.ownValues[next]
          this.reached = this.ownKeys[next]
          if (value !== ABSENT) this.give(to, count++, this.reached, value, withKeys)
          next++
          if (order === 0) this.advance(source)
        } else {
          const value = withValues ? this.reader.foreignValue(source.value, source.valueStart, source.valueEnd) : 0
          this.reached = source.key.slice(0, source.keyLength)
          this.give(to, count++, this.reached, value, withKeys)
          this.advance(source)
        }
      }
      if (next < this.own || (source.valid && this.isWithin(source))) this.stopShort()
      return count
    } finally {
      tables.end()
    }
  }

  /** There is more in the part: the scan goes on within it. */
  private stopShort(): void {
    const { scan, near, reached } = this
    near.key.copyFrom(reached!, 0, reached!.length)
    scan.goTo(near.key, false)
  }

  private give(to: MergedEntries, at: number, key: Uint8Array, value: Staged, withKeys: boolean): void {
    to.rawKeys[at] = key
    to.values[at] = value
    if (withKeys) to.keys[at] = this.reader.foreignKey(key)
  }

  private seek(source: VisibleSource): void {
    const { near, scan } = this
    const { bytes, length } = near.key
    if (scan.reverse) {
      if (near.inclusive === null) source.seekLast()
      else source.seekBack(bytes, 0, length, near.inclusive)
      return
    }
    source.seek(bytes, 0, length)
    if (near.inclusive === false && source.valid && near.key.compare(source.key, 0, source.keyLength) === 0)
      source.next()
  }

  private advance(source: VisibleSource): void {
    if (this.scan.reverse) source.previous()
    else source.next()
  }

  private isWithin(source: VisibleSource): boolean {
    const { far } = this
    if (far.inclusive === null) return true
    const order = this.directed(far.key.compare(source.key, 0, source.keyLength))
    return order > 0 || (order === 0 && far.inclusive)
  }

  private order(own: Uint8Array, source: VisibleSource): number {
    return this.directed(Buffer.compare(own, source.key.subarray(0, source.keyLength)))
  }

  end(): void {
    this.own = 0
    this.ownKeys.length = 0
    this.ownValues.length = 0
    this.reached = null
  }
}
