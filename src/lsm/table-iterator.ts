/**
 * A walk through a table's entries, forwards and backwards.
 *
 * Invariants: it holds a copy of one block, and no pin; so it may be left unfinished, and a slow one holds nobody up.
 * An index entry is trusted to separate its block from the next: where a block has nothing at the place sought, the walk
 * goes on in the neighbour.
 *
 * Thread safety: belongs to one thread, that of its reader. Allocates only to decode blocks that are not cached.
 */
import { BlockCursor } from './block-cursor.ts'
import type { EntrySource } from './entry.ts'
import type { TableReader } from './table-reader.ts'

export class TableIterator implements EntrySource {
  private readonly reader: TableReader
  private readonly fills: boolean
  private readonly index = new BlockCursor()
  private readonly block = new BlockCursor()
  private buffer: Uint8Array = new Uint8Array(0)

  /** @param fills whether blocks read are put into the cache; false for walks over everything */
  constructor(reader: TableReader, fills = true) {
    this.reader = reader
    this.fills = fills
    reader.openIndex(this.index)
  }

  get valid(): boolean {
    return this.block.valid
  }

  get key(): Uint8Array {
    return this.block.key
  }

  get keyLength(): number {
    return this.block.keyLength
  }

  get kind(): number {
    return this.block.kind
  }

  get sequence(): number {
    return this.block.sequence
  }

  get value(): Uint8Array {
    return this.block.value
  }

  get valueStart(): number {
    return this.block.valueStart
  }

  get valueEnd(): number {
    return this.block.valueEnd
  }

  /** Opens the block that the index points at; no position in it yet. */
  private enterBlock(): boolean {
    this.block.valid = false
    if (!this.index.valid) return false
    this.buffer = this.reader.openData(this.block, this.index, this.buffer, this.fills)
    return true
  }

  seekFirst(): void {
    this.index.seekFirst()
    if (this.enterBlock()) this.block.seekFirst()
    this.skipForward()
  }

  seekLast(): void {
    this.index.seekLast()
    if (this.enterBlock()) this.block.seekLast()
    this.skipBackward()
  }

  seek(key: Uint8Array, start: number, end: number, sequence: number): void {
    this.index.seek(key, start, end, sequence)
    if (this.enterBlock()) this.block.seek(key, start, end, sequence)
    this.skipForward()
  }

  next(): void {
    this.block.next()
    this.skipForward()
  }

  previous(): void {
    this.block.previous()
    this.skipBackward()
  }

  private skipForward(): void {
    while (!this.block.valid && this.index.valid) {
      this.index.next()
      if (this.enterBlock()) this.block.seekFirst()
    }
  }

  private skipBackward(): void {
    while (!this.block.valid && this.index.valid) {
      this.index.previous()
      if (this.enterBlock()) this.block.seekLast()
    }
  }
}
