/**
 * Everything that a store holds goes into one level of tables, without a store: old versions and deletes are dropped, the
 * logs are folded in. What is to be loaded into a store goes the same way, as newer entries than all that are there.
 *
 * The order, each step durable before the next one begins:
 *   1. orphans are removed, as at every start
 *   2. the tables are written, each one read back whole. No manifest names them yet
 *   3. a new manifest names them and no logs; its flushed LSN is where the logs end. From here on it holds
 *   4. what only the old manifest named is removed
 *
 * What a crash leaves: before 3 the old store and orphans; in 3 the one or the other; after 3 the new one and orphans. Of
 * the old logs any part may be left then. What they say need not lie below the flushed LSN: one that was given up after a
 * failed sync may say more than the one that followed on it. So the manifest also says which logs count: later ones.
 *
 * Thread safety: belongs to the one thread that holds the directory's lock.
 */
import { Compaction } from './compaction.ts'
import type { EntrySource } from './entry.ts'
import { fileName } from './file-name.ts'
import type { Manifest } from './manifest.ts'
import { DirectoryReader } from './directory-reader.ts'
import { bytesOf, fullness } from './picking.ts'
import { removeOrphans, writeManifest } from './recovery.ts'
import { RunSorter } from './run-sorter.ts'
import { entryOfTable } from './table-entry.ts'
import type { TableMeta, TableOptions } from './table-writer.ts'

export const DEFAULT_TABLE_BYTES = 16 * 2 ** 20
/** Entries from one report of progress to the next. */
const STEP_ENTRIES = 4096

export interface RewriteOptions {
  /** A table that has reached this is ended before the next key; 16 MiB by default. */
  readonly tableBytes?: number
  readonly table?: TableOptions
  /** Bytes of changes that are sorted in memory. */
  readonly memoryBytes?: number
  /** Called now and then with the number of entries read. */
  readonly onProgress?: (entries: number) => void
}

export interface RewriteReport {
  readonly manifest: Manifest
  readonly tables: readonly TableMeta[]
  /** Entries read: from tables, and changes from logs. */
  readonly entriesRead: number
  /** Versions that newer ones replaced, and deletes. */
  readonly dropped: number
  readonly deletesDropped: number
  readonly bytesBefore: number
  readonly bytesAfter: number
}

/** Gives ids that no file has or had. */
export class FileIds {
  next: number

  constructor(next: number) {
    this.next = next
  }

  readonly take = (): number => this.next++
}

/**
 * The level for all that a store holds: the first one below 0 that it does not make due for a compaction.
 */
export function levelFor(tables: readonly TableMeta[]): number {
  let level = 1
  while (fullness([...Array.from({ length: level }, () => []), tables], level, {}) >= 1) level++
  return level
}

/** Bytes of all files that belong to a store. */
export function bytesOfStore(reader: DirectoryReader): number {
  const orphans = new Set(reader.orphans)
  let bytes = 0
  for (const [name, size] of reader.sizes) if (!orphans.has(name)) bytes += size
  return bytes
}

/**
 * Compacts a store.
 * @param store as it was found, in a directory whose lock is held
 * @throws FileError HEDDLE_CORRUPT, HEDDLE_IO, HEDDLE_NO_SPACE: then the store is as it was, as far as can be told
 */
export function compactDirectory(store: DirectoryReader, options: RewriteOptions = {}): RewriteReport {
  const reader = DirectoryReader.openToChange(store.disk)!
  const ids = new FileIds(reader.nextFileId)
  const sorter = logSorter(reader, options, ids)
  try {
    const { end } = reader.readLogs(sorter)
    return rewrite(reader, reader.merged([sorter.source()]), end, options, ids)
  } finally {
    sorter.close()
    reader.close()
  }
}

/** A sorter for the changes of the logs, whose runs lie beside the tables. */
export function logSorter(reader: DirectoryReader, options: RewriteOptions, ids: FileIds): RunSorter {
  const { memoryBytes } = options
  return new RunSorter({
    disk: () => reader.disk,
    generation: reader.manifest.generation,
    newId: ids.take,
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  })
}

/**
 * Writes tables of the newest versions of a source, and makes them the store.
 * @param source of everything that is to be in the store
 * @param flushedLsn above the sequences of all that is in the source
 */
export function rewrite(
  reader: DirectoryReader,
  source: EntrySource,
  flushedLsn: number,
  options: RewriteOptions,
  ids: FileIds,
): RewriteReport {
  const { disk, manifest } = reader
  const compaction = new Compaction(source, {
    disk,
    generation: manifest.generation,
    newId: ids.take,
    tableBytes: options.tableBytes ?? DEFAULT_TABLE_BYTES,
    ...(options.table === undefined ? {} : { table: options.table }),
    snapshots: [],
    below: [],
  })
  let isDone = false
  for (let entries = 0; !isDone; entries += STEP_ENTRIES) {
    options.onProgress?.(entries)
    isDone = compaction.step(STEP_ENTRIES)
  }
  const { counts, tables } = compaction.result
  const { entriesRead, dropped, deletesDropped } = counts
  return { ...install(reader, tables, flushedLsn, ids), tables, entriesRead, dropped, deletesDropped }
}

/** Makes tables, which are durable, the store: steps 3 and 4. */
export function install(
  reader: DirectoryReader,
  tables: readonly TableMeta[],
  flushedLsn: number,
  ids: FileIds,
): { manifest: Manifest; bytesBefore: number; bytesAfter: number } {
  const { disk, manifest } = reader
  const level = levelFor(tables)
  const id = ids.take()
  const next: Manifest = {
    ...manifest,
    id,
    nextFileId: ids.next,
    flushedLsn,
    logs: [],
    firstLog: id,
    tables: tables.map((table) => entryOfTable(disk, table, level)),
  }
  writeManifest(disk, next)
  const bytesBefore = bytesOfStore(reader)
  removeOrphans(disk, [...reader.sizes.keys()])
  return { manifest: next, bytesBefore, bytesAfter: bytesOf(tables) + (disk.sizeOf(fileName(id, 'manifest')) ?? 0) }
}
