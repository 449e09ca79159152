/**
 * The write-ahead log on disk. All numbers are little-endian; a file begins with 64 bytes of header:
 *
 *   | bytes   | what                                                          |
 *   | ------- | ------------------------------------------------------------- |
 *   | 0 - 3   | checksum of bytes 4 to 63                                     |
 *   | 4 - 7   | magic, `HDWL`                                                 |
 *   | 8 - 11  | format, 1                                                     |
 *   | 12 - 15 | file id                                                       |
 *   | 16 - 19 | generation of the store                                       |
 *   | 20 - 23 | bytes set aside: the file was never shorter                   |
 *   | 24 - 63 | zeros                                                         |
 *
 * Then records follow, each beginning at a multiple of 16, the first one a BEGIN:
 *
 *   | bytes   | what                                                          |
 *   | ------- | ------------------------------------------------------------- |
 *   | 0 - 3   | checksum of bytes 4 to 15 and of the payload                  |
 *   | 4 - 7   | payload length in bytes                                       |
 *   | 8       | type                                                          |
 *   | 9 - 11  | granules that the slot took in the ring, 0 for BEGIN and MARK |
 *   | 12 - 15 | log sequence number, low 32 bits                              |
 *   | 16 ...  | payload, and up to the record's end bytes that mean nothing   |
 *
 *   | type        | payload                                                   | bytes in the file |
 *   | ----------- | --------------------------------------------------------- | ----------------- |
 *   | 1 BEGIN     | 0-7 base LSN, 8-11 id of the log before or 0, 12-31 zeros | 48                |
 *   | 2 MARK      | 0-7 LSN below which all was synced before, 8-15 zeros     | 32                |
 *   | 3 ABORTED   | none: a slot whose writer gave it up, or died             | 16                |
 *   | 4 PADDING   | none: the end of the ring that a slot did not fit into    | 16                |
 *   | 16 to 255   | of the floor above                                        | granules * 32     |
 *
 * Definitions. The *log sequence number* (LSN) of a slot counts the granules (32 bytes) of all slots before it since the
 * store was made, over all files; a file says where it begins, and each record where it stands, so that a hole shows.
 * The *generation* is a random number of the store. A checksum starts from a seed made of file id, generation and offset,
 * so that a record that was written elsewhere, or to another file in its place, is not valid here.
 *
 * Red zone: headers are 16 bytes at multiples of 16, so none lies across a boundary of 512 bytes, and none is ever torn.
 *
 * Thread safety: pure functions on memory that the caller owns.
 */
import { crc32 } from './crc32.ts'
import { get32, get53, put32, put53 } from './little-endian.ts'

export const GRANULE_BYTES = 32
export const FILE_HEADER_BYTES = 64
export const RECORD_HEADER_BYTES = 16
export const BEGIN_BYTES = 48
export const MARK_BYTES = 32

export const TYPE_BEGIN = 1
export const TYPE_MARK = 2
export const TYPE_ABORTED = 3
export const TYPE_PADDING = 4
/** From here on types belong to the floor above. */
export const TYPE_FIRST_OF_USERS = 16
export const TYPE_PUT = 16
export const TYPE_DELETE = 17
export const TYPE_BATCH = 18

const MAGIC = 0x4c574448
const FORMAT = 1
const MAX_GRANULES = 0xffffff
/** Odd, so that multiplying by it is a bijection of 32-bit words. */
const SPREAD = 0x9e3779b1

/** What all checksums of a file start from. */
export function fileSeed(id: number, generation: number): number {
  const bytes = new Uint8Array(8)
  put32(bytes, 0, id)
  put32(bytes, 4, generation)
  return crc32(bytes, 0, 8, 0)
}

/** What the checksum of a record at `offset`, a multiple of 16, starts from. Another one for each offset below 64 GiB. */
export function recordSeed(seed: number, offset: number): number {
  return seed ^ Math.imul(offset / 16, SPREAD)
}

/** Bytes of a record in the file, header included; 0 if there is no such record. */
export function recordBytes(type: number, granules: number): number {
  if (type >= TYPE_FIRST_OF_USERS) return granules * GRANULE_BYTES
  if (type === TYPE_ABORTED || type === TYPE_PADDING) return granules > 0 ? RECORD_HEADER_BYTES : 0
  if (granules !== 0) return 0
  return type === TYPE_BEGIN ? BEGIN_BYTES : type === TYPE_MARK ? MARK_BYTES : 0
}

/** Writes a header; the payload must be there already. `at` is where the record lies in `bytes`. */
export function sealRecord(
  bytes: Uint8Array,
  at: number,
  type: number,
  granules: number,
  length: number,
  lsn: number,
  seed: number,
): void {
  put32(bytes, at + 4, length)
  put32(bytes, at + 8, type | (granules << 8))
  put32(bytes, at + 12, lsn % 2 ** 32)
  put32(bytes, at, crc32(bytes, at + 4, at + RECORD_HEADER_BYTES + length, seed))
}

export function lengthOf(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + 4)
}

export function typeOf(bytes: Uint8Array, at: number): number {
  return bytes[at + 8]
}

export function granulesOf(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + 8) >>> 8
}

export function lowLsnOf(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + 12)
}

/**
 * Bytes that a record takes if its header makes sense, else 0. The header is all that has been looked at.
 * @param room bytes from the record to the end of the file
 */
export function plausibleBytes(bytes: Uint8Array, at: number, room: number): number {
  const type = typeOf(bytes, at)
  const size = recordBytes(type, granulesOf(bytes, at))
  const length = lengthOf(bytes, at)
  if (size === 0 || size > room || RECORD_HEADER_BYTES + length > size) return 0
  if (type < TYPE_FIRST_OF_USERS && length !== size - RECORD_HEADER_BYTES) return 0
  return size
}

/** Whether the checksum of a record, whose length has been checked, is right. */
export function isIntact(bytes: Uint8Array, at: number, seed: number): boolean {
  return get32(bytes, at) === crc32(bytes, at + 4, at + RECORD_HEADER_BYTES + lengthOf(bytes, at), seed)
}

/** @param room bytes set aside, less than 2^32 */
export function writeFileHeader(bytes: Uint8Array, id: number, generation: number, room: number): void {
  bytes.fill(0, 0, FILE_HEADER_BYTES)
  put32(bytes, 4, MAGIC)
  put32(bytes, 8, FORMAT)
  put32(bytes, 12, id)
  put32(bytes, 16, generation)
  put32(bytes, 20, room)
  put32(bytes, 0, crc32(bytes, 4, FILE_HEADER_BYTES, fileSeed(id, generation)))
}

/**
 * What is wrong with a file header, or '' if it is that of the file.
 * @param size of the file
 */
export function faultOfFileHeader(bytes: Uint8Array, size: number, id: number, generation: number): string {
  if (size < FILE_HEADER_BYTES) return 'the header is cut off'
  if (get32(bytes, 4) !== MAGIC) return 'this is no log'
  if (get32(bytes, 8) !== FORMAT) return `format ${get32(bytes, 8)} is not known`
  if (get32(bytes, 12) !== id) return `this is log ${get32(bytes, 12)} under another name`
  if (get32(bytes, 16) !== generation >>> 0) return 'this log belongs to another store'
  const seed = fileSeed(id, generation)
  if (get32(bytes, 0) !== crc32(bytes, 4, FILE_HEADER_BYTES, seed)) return 'checksum of the header'
  return size < get32(bytes, 20) ? `${size} bytes are left of ${get32(bytes, 20)}` : ''
}

/** Writes a BEGIN record, which says where the file stands among all logs. */
export function writeBegin(bytes: Uint8Array, at: number, base: number, previous: number, seed: number): void {
  bytes.fill(0, at, at + BEGIN_BYTES)
  put53(bytes, at + 16, base)
  put32(bytes, at + 24, previous)
  sealRecord(bytes, at, TYPE_BEGIN, 0, BEGIN_BYTES - RECORD_HEADER_BYTES, base, seed)
}

/** Writes a MARK record. @param synced the LSN below which everything was durable before this is written */
export function writeMark(bytes: Uint8Array, at: number, synced: number, lsn: number, seed: number): void {
  bytes.fill(0, at, at + MARK_BYTES)
  put53(bytes, at + 16, synced)
  sealRecord(bytes, at, TYPE_MARK, 0, MARK_BYTES - RECORD_HEADER_BYTES, lsn, seed)
}

/** The LSN that a BEGIN starts from, or that a MARK says was durable. */
export function markedLsn(bytes: Uint8Array, at: number): number {
  return get53(bytes, at + 16)
}

export function previousLogOf(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + 24)
}

/** Whether granules can be said in a record. */
export function fitsRecord(granules: number): boolean {
  return granules > 0 && granules <= MAX_GRANULES
}
