/** Cursors over a tree with a shelf below it: the store's own iteration, to which the shelf is a table. */
import { type EntrySource, KIND_DELETE, KIND_PUT, NEWEST } from '../../../src/lsm/entry.ts'
import type { TableReads } from '../../../src/lsm/table-reads.ts'
import { VisibleSource } from '../../../src/lsm/visible-source.ts'
import { keyCodec, valueCodec } from '../../../src/store/codec.ts'
import type { Engine } from '../../../src/store/engine.ts'
import { Iteration } from '../../../src/store/iteration.ts'
import type { CheckedRange } from '../../../src/store/range.ts'
import { RecordReader } from '../../../src/store/reader.ts'
import type { Text } from './points.ts'
import { type Shelf, shelfOf } from './shelf.ts'

const everything: Omit<CheckedRange, 'reverse'> = { low: null, high: null, limit: Infinity }

/** A version's keys in their order. */
class ShelfSource implements EntrySource {
  readonly sequence = 1
  readonly valueStart = 0
  private readonly keys: readonly Text[]
  private readonly shelf: Shelf
  private readonly version: number
  private at = 0

  constructor(shelf: Shelf, version: number) {
    this.shelf = shelf
    this.version = version
    this.keys = shelf.keys(version).sort()
  }

  private get held(): Text | undefined {
    return this.shelf.read(this.version, this.keys[this.at]!)
  }

  get valid(): boolean {
    return this.at >= 0 && this.at < this.keys.length
  }

  get key(): Uint8Array {
    return Buffer.from(this.keys[this.at]!)
  }

  get keyLength(): number {
    return this.keys[this.at]!.length
  }

  get kind(): number {
    return this.held === undefined ? KIND_DELETE : KIND_PUT
  }

  get value(): Uint8Array {
    return Buffer.from(this.held ?? '')
  }

  get valueEnd(): number {
    return this.value.length
  }

  seekFirst(): void {
    this.at = 0
  }

  seekLast(): void {
    this.at = this.keys.length - 1
  }

  seek(key: Uint8Array, start: number, end: number, sequence: number): void {
    const wanted = Buffer.from(key.subarray(start, end)).toString()
    const isAt = (each: Text): boolean => (sequence === NEWEST ? each >= wanted : each > wanted)
    this.at = this.keys.findIndex(isAt)
    if (this.at < 0) this.at = this.keys.length
  }

  next(): void {
    this.at++
  }

  previous(): void {
    this.at--
  }
}

/** What an iteration uses of tables. */
class ShelfTables {
  private readonly shelf: Shelf

  constructor(shelf: Shelf) {
    this.shelf = shelf
  }

  begin(version: number): VisibleSource {
    return new VisibleSource(new ShelfSource(this.shelf, version === 0 ? this.shelf.hold() : version), NEWEST)
  }

  end(): void {
    // Versions stay.
  }
}

/** Lets this engine iterate. */
export function furnishCursor(engine: Engine): void {
  engine.tables = new ShelfTables(shelfOf(engine)) as unknown as TableReads
}

/** Everything that a cursor comes by, as it is when it does. */
export function walk(engine: Engine, reverse: boolean): [Text, Text][] {
  const reader = new RecordReader(engine.arena, keyCodec('utf8'), valueCodec('utf8'))
  const iteration = new Iteration(engine, reader, () => undefined)
  iteration.begin({ ...everything, reverse }, null)
  const found: [Text, Text][] = []
  while (iteration.fill(true, true)) {
    for (let i = 0; i < iteration.count; i++) {
      found.push([
        keyCodec('utf8').finish(iteration.keys[i]!) as Text,
        valueCodec('utf8').finish(iteration.values[i]!) as Text,
      ])
    }
  }
  return found
}
