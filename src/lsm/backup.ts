/**
 * Copies a store to another directory, where it opens as a store of its own: tables, logs up to an LSN, a manifest.
 *
 * The copy has the file ids and the generation of the original, since both are part of every checksum. Its manifest gets
 * its name last, when everything that it names is durable there: what an interrupted backup leaves is no store.
 *
 * While the original is written to: the caller holds the catalog's version whose manifest is given, so that none of its
 * tables and logs is removed meanwhile, and says up to which LSN the logs are durable. Of each log the whole records up to
 * there are copied and nothing behind them, followed by a MARK: a byte-by-byte copy of a file that grows could hold a MARK
 * without what it vouches for. So damage to the copy's last group is told from a torn end as well.
 *
 * Tables are never written again, so they may be linked instead of copied: then both directories share their bytes, and
 * what damages them damages both.
 *
 * Thread safety: belongs to one thread, which holds the target's lock. Blocks on the disk.
 * Death: leaves files without a manifest in the target; begin again in an empty directory.
 */
import { HeddleError } from '../memory/error.ts'
import type { Disk, DiskFile } from './disk.ts'
import { corruptFile } from './file-error.ts'
import { fileName, parseFileName } from './file-name.ts'
import { FILE_HEADER_BYTES, MARK_BYTES, fileSeed, recordSeed, writeFileHeader, writeMark } from './log-format.ts'
import { LogReader } from './log-reader.ts'
import type { Manifest } from './manifest.ts'
import { removeQuietly, writeManifest } from './recovery.ts'

const COPY_BYTES = 2 ** 18

export interface BackupOptions {
  /** What holds, of a version that nobody removes meanwhile. */
  readonly manifest: Manifest
  /** Logs to be copied, oldest first: from the one that holds the flushed LSN on. */
  readonly logs: readonly number[]
  /** Where the last of them ends: everything before is durable. All that is valid by default. */
  readonly upTo?: number
  /** Links a table into the target; false if it has to be copied. */
  readonly link?: (name: string) => boolean
  /** Called now and then with the bytes that were copied. */
  readonly onProgress?: (bytes: number) => void
}

export interface BackupReport {
  readonly tables: number
  readonly logs: number
  /** Bytes that were copied, and those that were linked. */
  readonly copied: number
  readonly linked: number
}

class Copier {
  copied = 0
  linked = 0
  private readonly from: Disk
  private readonly to: Disk
  private readonly options: BackupOptions
  private readonly buffer = new Uint8Array(COPY_BYTES)

  constructor(from: Disk, to: Disk, options: BackupOptions) {
    this.from = from
    this.to = to
    this.options = options
  }

  table(id: number, size: number): void {
    const name = fileName(id, 'table')
    if (this.options.link?.(name) === true) {
      this.linked += size
      return
    }
    const source = this.from.open(name, 'read')
    try {
      if (source.size !== size) throw corruptFile(name, source.size, `it has ${source.size} bytes instead of ${size}`)
      this.publish(id, name, (target) => this.copy(source, target, 0, size))
    } finally {
      source.close()
    }
  }

  /**
   * Copies the records of a log that lie below an LSN.
   * @throws FileError HEDDLE_CORRUPT if it ends before
   */
  log(id: number, limit: number): void {
    const { generation } = this.options.manifest
    const reader = new LogReader(this.from, id, generation)
    const source = this.from.open(reader.name, 'read')
    try {
      while (reader.end < limit && reader.next());
      if (limit < Infinity && reader.end !== limit) {
        throw corruptFile(reader.name, reader.position, `it ends at ${reader.end}, and ${limit} is needed`)
      }
      if (limit === Infinity) reader.checkTornEnd()
      this.publish(id, reader.name, (target) => this.copyLog(source, target, reader))
    } finally {
      source.close()
      reader.close()
    }
  }

  private copyLog(source: DiskFile, target: DiskFile, reader: LogReader): void {
    const { generation } = this.options.manifest
    const end = reader.position
    const header = new Uint8Array(FILE_HEADER_BYTES)
    // What the header says was set aside is what the file may not be shorter than: that is another length now.
    writeFileHeader(header, reader.id, generation, end + MARK_BYTES)
    target.append(header, 0, FILE_HEADER_BYTES)
    this.copy(source, target, FILE_HEADER_BYTES, end)
    const mark = new Uint8Array(MARK_BYTES)
    writeMark(mark, 0, reader.end, reader.end, recordSeed(fileSeed(reader.id, generation), end))
    target.append(mark, 0, MARK_BYTES)
  }

  private copy(source: DiskFile, target: DiskFile, from: number, to: number): void {
    const { buffer } = this
    for (let at = from; at < to;) {
      const count = source.read(buffer, 0, Math.min(COPY_BYTES, to - at), at)
      if (count === 0) throw corruptFile(source.name, at, 'the file ends early')
      target.append(buffer, 0, count)
      at += count
      this.copied += count
      this.options.onProgress?.(this.copied + this.linked)
    }
  }

  private publish(id: number, name: string, fill: (target: DiskFile) => void): void {
    const target = this.to.create(fileName(id, 'temp'))
    try {
      fill(target)
      target.sync()
    } finally {
      target.close()
    }
    this.to.rename(fileName(id, 'temp'), name)
  }
}

/**
 * Copies a store.
 * @param from the original
 * @param to an empty directory, whose lock is held
 * @throws HeddleError HEDDLE_INVALID_OPTION if the target is not empty; FileError HEDDLE_CORRUPT, HEDDLE_IO,
 *   HEDDLE_NO_SPACE: then the target has no store; only if its manifest has its name, and the sync of that has failed, and the
 *   removal fails too or a crash undoes it, it has a whole one
 * Complexity: O(bytes of what is copied); tables that are linked O(1) each.
 */
export function backupStore(from: Disk, to: Disk, options: BackupOptions): BackupReport {
  const { manifest, logs, upTo = Infinity } = options
  if (to.list().some((name) => parseFileName(name) !== undefined)) {
    throw new HeddleError('HEDDLE_INVALID_OPTION', 'the target holds files of a store; give an empty directory')
  }
  const copier = new Copier(from, to, options)
  // Logs first: while the store is open, those that are newer than the version held may go.
  const needed: number[] = []
  for (const [i, id] of logs.entries()) {
    const limit = i + 1 < logs.length ? baseOf(from, logs[i + 1], manifest.generation) : upTo
    copier.log(id, limit)
    needed.push(id)
  }
  for (const { id, size } of manifest.tables) copier.table(id, size)
  to.syncDirectory()
  const highest = Math.max(manifest.nextFileId, manifest.id + 1, ...needed.map((id) => id + 1))
  try {
    writeManifest(to, { ...manifest, logs: needed, nextFileId: highest })
  } catch (error) {
    removeQuietly(to, fileName(manifest.id, 'manifest'))
    throw error
  }
  return { tables: manifest.tables.length, logs: needed.length, copied: copier.copied, linked: copier.linked }
}

function baseOf(disk: Disk, id: number, generation: number): number {
  const reader = new LogReader(disk, id, generation)
  reader.close()
  return reader.base
}
