/**
 * A store's directory as it lies there, without a store: what recovery would make of it, the tables by level, the changes
 * that only the logs hold, and all entries in order.
 *
 * Nothing is changed if the disk is a ReadOnlyDisk: then orphans stay, and what a torn end leaves is passed by.
 *
 * Memory: the changes of the logs go to a RunSorter, which keeps so many in memory as its limit says and writes the rest
 * to a disk of its owner's choice. Of the tables the index and filter of those that are open: all of level 0, one of each
 * level below.
 *
 * Thread safety: belongs to the one thread that holds the directory's lock.
 */
import { type ChangeVisitor, readChanges } from './change-record.ts'
import type { Disk } from './disk.ts'
import { KIND_DELETE, KIND_PUT, type EntrySource } from './entry.ts'
import { type LogHead, replayChain } from './log-chain.ts'
import type { Manifest } from './manifest.ts'
import { MergingSource } from './merging-source.ts'
import { clearAway, planRecovery, surveyDirectory } from './recovery.ts'
import { OneReader, type RunSorter } from './run-sorter.ts'
import { checkedLevelsOf } from './table-entry.ts'
import type { TableMeta } from './table-writer.ts'

/** What the logs hold that no table holds yet. */
export interface LogCounts {
  records: number
  puts: number
  deletes: number
  /** The LSN at which the logs end. */
  end: number
}

/** Puts changes into a sorter, under the LSN of their record. */
class ChangeCollector implements ChangeVisitor {
  lsn = 0
  readonly counts: LogCounts = { records: 0, puts: 0, deletes: 0, end: 0 }
  private readonly sorter: RunSorter | undefined

  constructor(sorter: RunSorter | undefined) {
    this.sorter = sorter
  }

  put(bytes: Uint8Array, keyAt: number, keyBytes: number, valueBytes: number): void {
    this.counts.puts++
    const valueAt = keyAt + keyBytes
    this.sorter?.add(bytes, keyAt, valueAt, KIND_PUT, this.lsn, bytes, valueAt, valueAt + valueBytes)
  }

  remove(bytes: Uint8Array, keyAt: number, keyBytes: number): void {
    this.counts.deletes++
    this.sorter?.add(bytes, keyAt, keyAt + keyBytes, KIND_DELETE, this.lsn, bytes, 0, 0)
  }
}

export class DirectoryReader {
  readonly disk: Disk
  readonly manifest: Manifest
  /** Of level 0 the newest first, below by key. */
  readonly levels: readonly (readonly TableMeta[])[]
  /** Logs that are needed, oldest first. */
  readonly chain: readonly LogHead[]
  /** Files that nobody needs. */
  readonly orphans: readonly string[]
  /** Every name that is a store's, with its length in bytes. */
  readonly sizes: ReadonlyMap<string, number>
  /** An id that no file here has or had. */
  readonly nextFileId: number
  private readonly readers: OneReader[] = []

  private constructor(disk: Disk, manifest: Manifest, sizes: ReadonlyMap<string, number>, plan: Plan) {
    this.disk = disk
    this.manifest = manifest
    this.sizes = sizes
    this.levels = checkedLevelsOf(manifest)
    this.chain = plan.chain
    this.orphans = plan.orphans
    this.nextFileId = plan.nextFileId
  }

  /**
   * @returns undefined if there is no store in the directory
   * @throws FileError HEDDLE_CORRUPT if it could not be opened as a store
   */
  static open(disk: Disk): DirectoryReader | undefined {
    const survey = surveyDirectory(disk)
    const plan = planRecovery(survey)
    return plan.manifest === undefined ? undefined : new DirectoryReader(disk, plan.manifest, survey.sizes, plan)
  }

  /**
   * The same for whoever is about to change the directory: what belongs to nothing is removed first.
   * @throws FileError as `open`, and if the disk refuses a change
   */
  static openToChange(disk: Disk): DirectoryReader | undefined {
    const survey = surveyDirectory(disk)
    clearAway(disk, survey, planRecovery(survey))
    return DirectoryReader.open(disk)
  }

  /**
   * Reads the logs in order.
   * @param sorter is given the changes; undefined to count them only
   * @throws FileError HEDDLE_CORRUPT
   */
  readLogs(sorter?: RunSorter): LogCounts {
    const collector = new ChangeCollector(sorter)
    const { generation, flushedLsn } = this.manifest
    const { counts } = collector
    const end = replayChain(this.disk, this.chain, generation, flushedLsn, (type, lsn, bytes, at, length, reader) => {
      collector.lsn = lsn
      counts.records++
      readChanges(type, bytes, at, length, collector, { name: reader.name, offset: reader.recordAt })
    })
    counts.end = end
    return counts
  }

  /**
   * All versions of all keys in order, to be read until `close`.
   * @param above sources of newer entries: those of the logs
   */
  merged(above: readonly EntrySource[]): EntrySource {
    const sources: EntrySource[] = [...above]
    for (const [level, tables] of this.levels.entries()) {
      if (tables.length === 0) continue
      if (level > 0) sources.push(this.walk(tables))
      else for (const table of tables) sources.push(this.walk([table]))
    }
    return new MergingSource(sources)
  }

  private walk(tables: readonly TableMeta[]): EntrySource {
    const reader = new OneReader(this.disk)
    this.readers.push(reader)
    return reader.walk(tables)
  }

  /** Entries of all tables, older versions and deletes included. */
  tableEntries(): number {
    let entries = 0
    for (const tables of this.levels) for (const table of tables) entries += table.entries
    return entries
  }

  /** Idempotent. */
  close(): void {
    for (const reader of this.readers) reader.close()
    this.readers.length = 0
  }
}

interface Plan {
  readonly chain: readonly LogHead[]
  readonly orphans: readonly string[]
  readonly nextFileId: number
}
