/**
 * Writes sorted entries to as many tables as they need: a run. A table is ended before the next key once it has reached
 * its size, so that no two tables have a key in common.
 *
 * Thread safety: belongs to one thread. Death: leaves tables that no manifest lists; the next start-up removes them.
 */
import { assert } from '../memory/assert.ts'
import type { Disk } from './disk.ts'
import type { EntrySource } from './entry.ts'
import { fileName } from './file-name.ts'
import { TableReader } from './table-reader.ts'
import { verifyTable } from './table-verify.ts'
import { type TableMeta, type TableOptions, TableWriter } from './table-writer.ts'

export interface RunOptions {
  readonly disk: Disk
  readonly generation: number
  /** A file id that was never used. */
  readonly newId: () => number
  /** A table that has reached this is ended before the next key. */
  readonly tableBytes: number
  readonly table?: TableOptions
  /** Whether every table is read back whole and compared with what went into it. */
  readonly verify?: boolean
}

export class RunWriter {
  private readonly options: RunOptions
  private writer: TableWriter | undefined
  private readonly tables: TableMeta[] = []

  constructor(options: RunOptions) {
    this.options = options
  }

  /** Adds an entry behind all before. @throws FileError; nothing of the run is left then, as far as the disk allows */
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
    const { disk, newId, generation, table, tableBytes } = this.options
    try {
      const { writer } = this
      if (writer !== undefined && writer.bytes >= tableBytes && !writer.isLastKey(key, start, end)) this.endTable()
      this.writer ??= new TableWriter(disk, newId(), generation, table)
      this.writer.add(key, start, end, kind, sequence, value, valueStart, valueEnd)
    } catch (error) {
      this.abandon()
      throw error
    }
  }

  /** Adds the newest version of each key of a source. */
  addNewest(source: EntrySource): void {
    for (source.seekFirst(); source.valid; source.next()) {
      const { key, keyLength, kind, sequence, value, valueStart, valueEnd } = source
      if (this.writer?.isLastKey(key, 0, keyLength) === true) continue
      this.add(key, 0, keyLength, kind, sequence, value, valueStart, valueEnd)
    }
  }

  private endTable(): void {
    const { disk, verify } = this.options
    const writer = this.writer!
    const meta = writer.finish()
    this.writer = undefined
    this.tables.push(meta)
    if (verify !== true) return
    const reader = new TableReader(disk, meta.id, meta.generation)
    try {
      assert(verifyTable(reader) === meta.entries, 'a table has other entries than were written')
    } finally {
      reader.close()
    }
  }

  /** The tables, durable now, in no manifest yet. @throws FileError as `add` */
  finish(): readonly TableMeta[] {
    try {
      if (this.writer !== undefined) this.endTable()
      return this.tables
    } catch (error) {
      this.abandon()
      throw error
    }
  }

  /** Gives the run up: its files go, as far as the disk allows. */
  abandon(): void {
    this.writer?.abandon()
    this.writer = undefined
    removeTables(this.options.disk, this.tables)
    this.tables.length = 0
  }
}

/** Removes tables that no manifest lists. What cannot be removed is an orphan, which goes at the next start. */
export function removeTables(disk: Disk, tables: readonly TableMeta[]): void {
  for (const { id } of tables) {
    try {
      disk.remove(fileName(id, 'table'))
    } catch {
      // An orphan, which the next start-up removes.
    }
  }
}
