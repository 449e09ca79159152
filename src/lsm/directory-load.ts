/**
 * Loads entries into a directory, without a store: tables and a manifest are written directly.
 *
 * Entries get the sequences that follow on the end of the logs, in the order in which they come, so a later one of a key
 * replaces an earlier one, and all of them replace what was there. As long as keys ascend, and the store was empty, they
 * are written to the tables that are kept. From the first key that does not ascend on they are sorted in runs; what was
 * written before is one of the runs then, and all are merged in the end.
 *
 * A directory without a store is given a manifest of an empty one first, since tables without a manifest are refused.
 * What a crash leaves: that empty store, or the store that was there, and orphans. So it can be loaded again.
 *
 * Thread safety: belongs to the one thread that holds the directory's lock. Memory: the sorter's limit.
 */
import { randomInt } from 'node:crypto'
import { HeddleError } from '../memory/error.ts'
import { compareRanges, grown } from './byte-codec.ts'
import { DirectoryReader } from './directory-reader.ts'
import {
  DEFAULT_TABLE_BYTES,
  FileIds,
  install,
  logSorter,
  rewrite,
  type RewriteOptions,
  type RewriteReport,
} from './directory-compact.ts'
import type { Disk } from './disk.ts'
import { KIND_PUT } from './entry.ts'
import { planRecovery, surveyDirectory, writeManifest } from './recovery.ts'
import type { RunSorter } from './run-sorter.ts'
import { RunWriter } from './run-writer.ts'

export interface LoadOptions extends RewriteOptions {
  /** Whether a store that holds something may be loaded into; its entries stay unless they are replaced. */
  readonly into?: boolean
  /** What a store that is made here is made with, in the form of the floor above; nothing by default. */
  readonly settings?: Uint8Array
}

export interface LoadReport extends RewriteReport {
  /** Entries given. */
  readonly added: number
  /** Whether all came in order, so that nothing had to be sorted. */
  readonly sorted: boolean
}

/** The store in a directory; an empty one is made if there is none. */
function storeIn(disk: Disk, settings: Uint8Array = new Uint8Array(0)): DirectoryReader {
  const found = DirectoryReader.openToChange(disk)
  if (found !== undefined) return found
  const { nextFileId } = planRecovery(surveyDirectory(disk))
  writeManifest(disk, {
    id: nextFileId,
    generation: randomInt(1, 2 ** 32),
    nextFileId: nextFileId + 1,
    flushedLsn: 0,
    clock: 0,
    logs: [],
    firstLog: 0,
    tables: [],
    settings,
  })
  return DirectoryReader.open(disk)!
}

export class Loader {
  private readonly reader: DirectoryReader
  private readonly options: LoadOptions
  private readonly ids: FileIds
  private readonly sorter: RunSorter
  /** Where the entries go while they ascend. */
  private direct: RunWriter | undefined
  private readonly base: number
  private readonly isEmpty: boolean
  private sorted = true
  private added = 0
  private last: Uint8Array = new Uint8Array(256)
  private lastLength = -1

  /**
   * @param disk of a directory whose lock is held
   * @throws HeddleError HEDDLE_INVALID_OPTION if there is a store that holds something, unless it may be loaded into
   */
  constructor(disk: Disk, options: LoadOptions = {}) {
    this.reader = storeIn(disk, options.settings)
    this.options = options
    const { reader } = this
    this.ids = new FileIds(reader.nextFileId)
    this.sorter = logSorter(reader, options, this.ids)
    const { records, end } = reader.readLogs()
    this.base = end
    this.isEmpty = reader.manifest.tables.length === 0 && records === 0
    if (!this.isEmpty && options.into !== true) {
      throw new HeddleError(
        'HEDDLE_INVALID_OPTION',
        'there is a store that holds something; say that it may be added to',
      )
    }
    const { generation } = reader.manifest
    const { tableBytes = DEFAULT_TABLE_BYTES, table } = options
    const runOptions = { disk, generation, newId: this.ids.take, tableBytes, verify: true }
    this.direct = new RunWriter(table === undefined ? runOptions : { ...runOptions, table })
  }

  /** Adds an entry. @throws FileError */
  add(key: Uint8Array, value: Uint8Array): void {
    const { length } = key
    // The first sequence is the base's own: every record of the logs lies below it.
    const sequence = this.base + this.added++
    if (this.direct !== undefined) {
      if (this.lastLength < 0 || compareRanges(this.last, 0, this.lastLength, key, 0, length) < 0) {
        this.direct.add(key, 0, length, KIND_PUT, sequence, value, 0, value.length)
        this.last = grown(this.last, 0, length)
        this.last.set(key)
        this.lastLength = length
        return
      }
      this.sorted = false
      this.endDirect()
    }
    this.sorter.add(key, 0, length, KIND_PUT, sequence, value, 0, value.length)
  }

  private endDirect(): void {
    const tables = this.direct!.finish()
    this.direct = undefined
    this.sorter.adopt(tables)
  }

  /** Makes what was added the store, or a part of it. @throws FileError; then the store is as it was before */
  finish(): LoadReport {
    const { added, sorted, reader, options, ids } = this
    const end = this.base + added
    try {
      if (this.isEmpty && this.direct !== undefined) {
        const tables = this.direct.finish()
        this.direct = undefined
        const counts = { entriesRead: added, dropped: 0, deletesDropped: 0 }
        return { ...install(reader, tables, end, ids), ...counts, tables, added, sorted }
      }
      if (this.direct !== undefined) this.endDirect()
      const { sorter } = this
      const changes = logSorter(reader, options, ids)
      try {
        reader.readLogs(changes)
        const source = reader.merged([sorter.source(), changes.source()])
        return { ...rewrite(reader, source, end, options, ids), added, sorted }
      } finally {
        changes.close()
      }
    } finally {
      this.abandon()
    }
  }

  /** Gives up what was added: its files go, as far as the disk allows. Idempotent; does nothing after `finish`. */
  abandon(): void {
    this.direct?.abandon()
    this.direct = undefined
    this.sorter.close()
    this.reader.close()
  }
}
