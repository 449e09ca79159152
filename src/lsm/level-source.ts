/**
 * The tables of a level whose ranges do not overlap, as one source. At most one of them is open in it at a time.
 *
 * Thread safety: belongs to one thread, as the readers that `open` gives do. Changing tables allocates.
 */
import { compareRanges } from './byte-codec.ts'
import type { EntrySource } from './entry.ts'
import { TableIterator } from './table-iterator.ts'
import type { TableReader } from './table-reader.ts'
import type { TableMeta } from './table-writer.ts'

const NOTHING = new Uint8Array(0)

export class LevelSource implements EntrySource {
  private readonly tables: readonly TableMeta[]
  private readonly open: (table: TableMeta) => TableReader
  private readonly fills: boolean
  private at = -1
  private walk: TableIterator | undefined

  /**
   * @param tables by key, no two with a key in common
   * @param open gives a reader, which stays the caller's
   */
  constructor(tables: readonly TableMeta[], open: (table: TableMeta) => TableReader, fills = true) {
    this.tables = tables
    this.open = open
    this.fills = fills
  }

  get valid(): boolean {
    return this.walk !== undefined && this.walk.valid
  }

  get key(): Uint8Array {
    return this.walk === undefined ? NOTHING : this.walk.key
  }

  get keyLength(): number {
    return this.walk === undefined ? 0 : this.walk.keyLength
  }

  get kind(): number {
    return this.walk === undefined ? 0 : this.walk.kind
  }

  get sequence(): number {
    return this.walk === undefined ? 0 : this.walk.sequence
  }

  get value(): Uint8Array {
    return this.walk === undefined ? NOTHING : this.walk.value
  }

  get valueStart(): number {
    return this.walk === undefined ? 0 : this.walk.valueStart
  }

  get valueEnd(): number {
    return this.walk === undefined ? 0 : this.walk.valueEnd
  }

  private enter(table: number): TableIterator | undefined {
    if (table < 0 || table >= this.tables.length) {
      this.at = -1
      this.walk = undefined
    } else if (table !== this.at) {
      this.at = table
      this.walk = new TableIterator(this.open(this.tables[table]), this.fills)
    }
    return this.walk
  }

  seekFirst(): void {
    this.enter(0)?.seekFirst()
    this.skipForward()
  }

  seekLast(): void {
    this.enter(this.tables.length - 1)?.seekLast()
    this.skipBackward()
  }

  seek(key: Uint8Array, start: number, end: number, sequence: number): void {
    this.enter(firstTableFrom(this.tables, key, start, end))?.seek(key, start, end, sequence)
    this.skipForward()
  }

  next(): void {
    this.walk!.next()
    this.skipForward()
  }

  previous(): void {
    this.walk!.previous()
    this.skipBackward()
  }

  private skipForward(): void {
    while (this.walk !== undefined && !this.walk.valid) this.enter(this.at + 1)?.seekFirst()
  }

  private skipBackward(): void {
    while (this.walk !== undefined && !this.walk.valid) this.enter(this.at - 1)?.seekLast()
  }
}

/** The first of a level's tables whose greatest key is not before this one; their number if there is none. O(log tables). */
export function firstTableFrom(tables: readonly TableMeta[], key: Uint8Array, start: number, end: number): number {
  let low = 0
  let high = tables.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const { greatest } = tables[middle]
    if (compareRanges(greatest, 0, greatest.length, key, start, end) < 0) low = middle + 1
    else high = middle
  }
  return low
}
