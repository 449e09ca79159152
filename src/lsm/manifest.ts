/**
 * The manifest: which files make up the store. Each version of it is a new file. All numbers are little-endian:
 *
 *   | bytes    | what                                                                |
 *   | -------- | ------------------------------------------------------------------- |
 *   | 0 - 3    | checksum of all bytes from 4 on, from a seed of id and generation   |
 *   | 4 - 7    | magic, `HDMF`                                                       |
 *   | 8 - 11   | format, 1                                                           |
 *   | 12 - 15  | file id                                                             |
 *   | 16 - 19  | generation of the store                                             |
 *   | 20 - 23  | length of the file in bytes                                         |
 *   | 24 - 27  | id that the next file may have, at least                            |
 *   | 28 - 31  | number of logs                                                      |
 *   | 32 - 39  | flushed LSN: every record of the logs below it is in the tables     |
 *   | 40 - 47  | the store's clock                                                   |
 *   | 48 - 51  | number of tables                                                    |
 *   | 52 - 55  | length of the settings in bytes                                     |
 *   | 56 - 59  | id below which no log counts                                        |
 *   | 60 - 63  | zeros                                                               |
 *   | 64 ...   | ids of the logs, 4 bytes each                                       |
 *   |          | the settings: bytes that belong to the floor above                  |
 *   |          | the tables, 56 bytes and two keys each:                             |
 *   |          | 0-3 id, 4-7 level, 8-15 size in bytes, 16-23 entries, 24-31 deletions among them, 32-35 checksum, 36-39 zeros, 40-47 smallest and 48-55 largest version, |
 *   |          | then length of the smallest key (2), of the largest (2), the smallest, the largest |
 *
 * Thread safety: pure.
 */
import { HeddleError } from '../memory/error.ts'
import { crc32 } from './crc32.ts'
import { corruptFile } from './file-error.ts'
import { MAX_FILE_ID, fileName } from './file-name.ts'
import { fileSeed } from './log-format.ts'
import { get32, get53, put32, put53 } from './little-endian.ts'

const MAGIC = 0x464d4448
const FORMAT = 1
const HEADER_BYTES = 64
const TABLE_BYTES = 56
const KEY_LENGTHS_BYTES = 4
const MAX_KEY_BYTES = 0xffff

/** A sorted table, as the manifest knows it. */
export interface TableEntry {
  readonly id: number
  readonly level: number
  /** Of the file, in bytes. */
  readonly size: number
  readonly entries: number
  readonly deletions: number
  /** Of the file's footer: tells a table from another one under its name. */
  readonly checksum: number
  readonly smallestVersion: number
  readonly largestVersion: number
  readonly smallestKey: Uint8Array
  readonly largestKey: Uint8Array
}

export interface Manifest {
  readonly id: number
  /** A random number of 32 bits that the store was given when it was made. */
  readonly generation: number
  readonly nextFileId: number
  readonly flushedLsn: number
  readonly clock: number
  /** Ids of the logs that were needed when this was written, oldest first. Later ones are found by their names. */
  readonly logs: readonly number[]
  /**
   * Logs of lower ids hold nothing that counts, whatever they say; 0 if all count. Needed where `logs` names none: an old log
   * that has not been removed for good may say more than what was flushed, since it was given up after a failed sync.
   */
  readonly firstLog: number
  readonly tables: readonly TableEntry[]
  /** What the store was made with, in a form of its own. */
  readonly settings: Uint8Array
}

/** Logs of lower ids do not count. */
export function firstLogOf({ firstLog, logs }: Manifest): number {
  return Math.max(firstLog, logs[0] ?? 0)
}

function sizeOf(manifest: Manifest): number {
  let size = HEADER_BYTES + 4 * manifest.logs.length + manifest.settings.length
  for (const { smallestKey, largestKey } of manifest.tables) {
    size += TABLE_BYTES + KEY_LENGTHS_BYTES + smallestKey.length + largestKey.length
  }
  return size
}

export function encodeManifest(manifest: Manifest): Uint8Array {
  const bytes = new Uint8Array(sizeOf(manifest))
  put32(bytes, 4, MAGIC)
  put32(bytes, 8, FORMAT)
  put32(bytes, 12, manifest.id)
  put32(bytes, 16, manifest.generation)
  put32(bytes, 20, bytes.length)
  put32(bytes, 24, manifest.nextFileId)
  put32(bytes, 28, manifest.logs.length)
  put53(bytes, 32, manifest.flushedLsn)
  put53(bytes, 40, manifest.clock)
  put32(bytes, 48, manifest.tables.length)
  put32(bytes, 52, manifest.settings.length)
  put32(bytes, 56, manifest.firstLog)
  let at = HEADER_BYTES
  for (const id of manifest.logs) {
    put32(bytes, at, id)
    at += 4
  }
  bytes.set(manifest.settings, at)
  at += manifest.settings.length
  for (const table of manifest.tables) at = putTable(bytes, at, table)
  put32(bytes, 0, crc32(bytes, 4, bytes.length, fileSeed(manifest.id, manifest.generation)))
  return bytes
}

function putTable(bytes: Uint8Array, at: number, table: TableEntry): number {
  const { smallestKey, largestKey } = table
  if (smallestKey.length > MAX_KEY_BYTES || largestKey.length > MAX_KEY_BYTES) {
    throw new HeddleError('HEDDLE_INTERNAL', 'a key is too long for a manifest; please report this as a bug of heddle')
  }
  put32(bytes, at, table.id)
  put32(bytes, at + 4, table.level)
  put53(bytes, at + 8, table.size)
  put53(bytes, at + 16, table.entries)
  put53(bytes, at + 24, table.deletions)
  put32(bytes, at + 32, table.checksum)
  put53(bytes, at + 40, table.smallestVersion)
  put53(bytes, at + 48, table.largestVersion)
  put32(bytes, at + TABLE_BYTES, smallestKey.length | (largestKey.length << 16))
  const keysAt = at + TABLE_BYTES + KEY_LENGTHS_BYTES
  bytes.set(smallestKey, keysAt)
  bytes.set(largestKey, keysAt + smallestKey.length)
  return keysAt + smallestKey.length + largestKey.length
}

/**
 * Reads a manifest back.
 * @param bytes the whole file
 * @param id that its name says
 * @throws FileError HEDDLE_CORRUPT naming the offset
 */
export function decodeManifest(bytes: Uint8Array, id: number): Manifest {
  const name = fileName(id, 'manifest')
  const fault = faultOf(bytes, id)
  if (fault !== '') throw corruptFile(name, 0, fault)
  const logCount = get32(bytes, 28)
  const tableCount = get32(bytes, 48)
  const settingsLength = get32(bytes, 52)
  // The checksum is right, so what follows can only be wrong if it was written wrongly. It is checked all the same.
  const logsEnd = HEADER_BYTES + 4 * logCount
  const fixed = logsEnd + settingsLength + tableCount * (TABLE_BYTES + KEY_LENGTHS_BYTES)
  if (fixed > bytes.length) throw corruptFile(name, 28, 'more is announced than the file holds')
  const logs: number[] = []
  for (let at = HEADER_BYTES; at < logsEnd; at += 4) logs.push(checkedId(name, at, get32(bytes, at)))
  let at = logsEnd + settingsLength
  const settings = bytes.slice(logsEnd, at)
  const tables: TableEntry[] = []
  for (let i = 0; i < tableCount; i++) {
    const table = tableAt(name, bytes, at)
    tables.push(table)
    at += TABLE_BYTES + KEY_LENGTHS_BYTES + table.smallestKey.length + table.largestKey.length
  }
  if (at !== bytes.length) throw corruptFile(name, at, 'there is more than was announced')
  return {
    id,
    generation: get32(bytes, 16),
    nextFileId: checkedId(name, 24, get32(bytes, 24)),
    flushedLsn: checkedNumber(name, 32, get53(bytes, 32)),
    clock: checkedNumber(name, 40, get53(bytes, 40)),
    logs,
    firstLog: checkedFirstLog(name, get32(bytes, 56), logs[0] ?? id),
    tables,
    settings,
  }
}

function faultOf(bytes: Uint8Array, id: number): string {
  if (bytes.length < HEADER_BYTES) return 'the header is cut off'
  if (get32(bytes, 4) !== MAGIC) return 'this is no manifest'
  if (get32(bytes, 8) !== FORMAT) return `format ${get32(bytes, 8)} is not known`
  if (get32(bytes, 12) !== id) return `this is manifest ${get32(bytes, 12)} under another name`
  if (get32(bytes, 20) !== bytes.length) return `${bytes.length} bytes are there, ${get32(bytes, 20)} were written`
  const seed = fileSeed(id, get32(bytes, 16))
  return get32(bytes, 0) === crc32(bytes, 4, bytes.length, seed) ? '' : 'checksum'
}

function tableAt(name: string, bytes: Uint8Array, at: number): TableEntry {
  const keysAt = at + TABLE_BYTES + KEY_LENGTHS_BYTES
  if (keysAt > bytes.length) throw corruptFile(name, at, 'a table is cut off')
  const lengths = get32(bytes, at + TABLE_BYTES)
  const largestAt = keysAt + (lengths & MAX_KEY_BYTES)
  const end = largestAt + (lengths >>> 16)
  if (end > bytes.length) throw corruptFile(name, at + TABLE_BYTES, 'a key is cut off')
  return {
    id: checkedId(name, at, get32(bytes, at)),
    level: get32(bytes, at + 4),
    size: checkedNumber(name, at + 8, get53(bytes, at + 8)),
    entries: checkedNumber(name, at + 16, get53(bytes, at + 16)),
    deletions: checkedNumber(name, at + 24, get53(bytes, at + 24)),
    checksum: get32(bytes, at + 32),
    smallestVersion: checkedNumber(name, at + 40, get53(bytes, at + 40)),
    largestVersion: checkedNumber(name, at + 48, get53(bytes, at + 48)),
    smallestKey: bytes.slice(keysAt, largestAt),
    largestKey: bytes.slice(largestAt, end),
  }
}

function checkedId(name: string, at: number, id: number): number {
  if (id < 1 || id > MAX_FILE_ID) throw corruptFile(name, at, `${id} is no file id`)
  return id
}

/** @param most id of the first log that is named, which counts; else that of the manifest */
function checkedFirstLog(name: string, firstLog: number, most: number): number {
  if (firstLog > most) throw corruptFile(name, 56, `no log below ${firstLog} counts, it says, and there is ${most}`)
  return firstLog
}

function checkedNumber(name: string, at: number, value: number): number {
  if (!Number.isSafeInteger(value)) throw corruptFile(name, at, 'a number is too large')
  return value
}
