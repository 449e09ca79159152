/**
 * Sorts more entries than fit into memory: they are collected up to a limit, sorted, written as a run of tables, and the
 * runs are merged when they are read. When there are many runs of one rank, they are merged into one of the next: each
 * entry is written once for each rank, and the number of files that are open at a time is bounded.
 *
 * What fits into memory never touches the disk: the disk is asked for only when the first run is written.
 *
 * Of several versions of a key that meet in one merge only the newest is kept. Deletes are kept.
 *
 * Thread safety: belongs to one thread. Memory: the limit, and for each run its open table's index.
 * Death: leaves tables that no manifest lists.
 */
import type { Disk } from './disk.ts'
import type { EntrySource } from './entry.ts'
import { LevelSource } from './level-source.ts'
import { MemoryRun } from './memory-run.ts'
import { MergingSource } from './merging-source.ts'
import { RunWriter, removeTables } from './run-writer.ts'
import { TableReader } from './table-reader.ts'
import type { TableMeta } from './table-writer.ts'

export interface SortOptions {
  /** Where runs are written. */
  readonly disk: () => Disk
  readonly generation: number
  readonly newId: () => number
  /** Bytes of entries in memory; 64 MiB by default. */
  readonly memoryBytes?: number
  /** Runs of one rank that are merged into one of the next; 32 by default. */
  readonly fanIn?: number
}

const MEMORY_BYTES = 64 * 2 ** 20
const FAN_IN = 32
/** Runs are read once, in order: no filter, and large blocks. */
const RUN_TABLE = { bitsPerKey: 0, blockBytes: 65_536 }
const RUN_TABLE_BYTES = 256 * 2 ** 20

type Run = readonly TableMeta[]

/** Opens the tables of a level one after the other: the one before is closed. */
export class OneReader {
  private readonly disk: Disk
  private reader: TableReader | undefined

  constructor(disk: Disk) {
    this.disk = disk
  }

  open(table: TableMeta): TableReader {
    this.close()
    this.reader = new TableReader(this.disk, table.id, table.generation)
    return this.reader
  }

  close(): void {
    this.reader?.close()
    this.reader = undefined
  }

  /** A walk over tables of which no two have a key in common, by key. */
  walk(tables: readonly TableMeta[]): LevelSource {
    return new LevelSource(tables, (table) => this.open(table), false)
  }
}

export class RunSorter {
  /** Runs written so far. */
  runs = 0
  private readonly options: SortOptions
  private readonly memory = new MemoryRun()
  private readonly ranks: Run[][] = []
  private readonly readers: OneReader[] = []

  constructor(options: SortOptions) {
    this.options = options
  }

  /** @throws FileError if a run cannot be written */
  add(
    key: Uint8Array,
    start: number,
    end: number,
    kind: number,
    sequence: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const { memory } = this
    const bytes = end - start + valueEnd - valueStart
    if (memory.entries > 0 && memory.size + bytes > (this.options.memoryBytes ?? MEMORY_BYTES)) this.spill()
    memory.add(key, start, end, kind, sequence, value, valueStart, valueEnd)
  }

  /** Takes a run that somebody else wrote to the same disk. */
  adopt(run: Run): void {
    if (run.length > 0) this.place(run, 0)
  }

  private spill(): void {
    const { memory } = this
    memory.sort()
    const run = this.write(memory)
    memory.clear()
    this.place(run, 0)
  }

  private write(source: EntrySource): Run {
    const { disk, generation, newId } = this.options
    const table = RUN_TABLE
    const writer = new RunWriter({ disk: disk(), generation, newId, tableBytes: RUN_TABLE_BYTES, table })
    writer.addNewest(source)
    this.runs++
    return writer.finish()
  }

  private place(run: Run, rank: number): void {
    const runs = (this.ranks[rank] ??= [])
    runs.push(run)
    if (runs.length < (this.options.fanIn ?? FAN_IN)) return
    const readers: OneReader[] = []
    const merged = this.write(new MergingSource(runs.map((each) => this.walkOf(each, readers))))
    for (const reader of readers) reader.close()
    for (const each of runs) removeTables(this.options.disk(), each)
    this.ranks[rank] = []
    this.place(merged, rank + 1)
  }

  private walkOf(run: Run, readers: OneReader[]): EntrySource {
    const reader = new OneReader(this.options.disk())
    readers.push(reader)
    return reader.walk(run)
  }

  /** All entries in order, to be read until `close`. Nothing may be added any more. */
  source(): EntrySource {
    this.memory.sort()
    const walks = this.ranks.flat().map((run) => this.walkOf(run, this.readers))
    return walks.length === 0 ? this.memory : new MergingSource([this.memory, ...walks])
  }

  /** Forgets the entries, and removes the runs. Idempotent. */
  close(): void {
    for (const reader of this.readers) reader.close()
    this.readers.length = 0
    this.memory.clear()
    for (const run of this.ranks.flat()) removeTables(this.options.disk(), run)
    this.ranks.length = 0
  }
}
