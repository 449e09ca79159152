/**
 * Reads one log file, record by record, to the first that is not valid.
 *
 * What ends a log: usually a torn end, that is, records that were being written when the machine stopped. It may also be
 * damage to what had been durable. The rule that tells them apart: *if a valid MARK anywhere behind the first invalid
 * record says that this record was durable, it is corruption; else the end is torn, and is cut.* A record behind the end
 * proves nothing by itself, since writes that were not synced reach the disk in any order; but a MARK is written only
 * after a sync. Damage to the last group that was synced, with no later write to say so, cannot be told from a torn end
 * by the file alone. A file that is followed by another one has no such doubt: see log-chain.ts.
 *
 * Lengths are checked against the file before anything is allocated. Checksums bind file, offset and generation.
 *
 * Thread safety: belongs to the thread that made it. Complexity: O(bytes); the search for a MARK looks at every 16th byte.
 */
import type { Disk, DiskFile } from './disk.ts'
import { corruptFile } from './file-error.ts'
import { fileName } from './file-name.ts'
import {
  BEGIN_BYTES,
  FILE_HEADER_BYTES,
  MARK_BYTES,
  RECORD_HEADER_BYTES,
  TYPE_BEGIN,
  TYPE_FIRST_OF_USERS,
  TYPE_MARK,
  faultOfFileHeader,
  fileSeed,
  granulesOf,
  isIntact,
  lengthOf,
  lowLsnOf,
  markedLsn,
  plausibleBytes,
  previousLogOf,
  recordSeed,
  typeOf,
} from './log-format.ts'

const WINDOW_BYTES = 2 ** 17
const ALIGN = 16
const TWO_32 = 2 ** 32

export class LogReader {
  readonly name: string
  readonly id: number
  /** LSN of the first slot, or -1 if there is no valid BEGIN: nothing was ever durable in this file. */
  readonly base: number
  /** Id of the log before. */
  readonly previous: number
  /** Of the present record: its type, LSN, granules, and where the payload lies in `bytes`. */
  type = 0
  lsn = 0
  granules = 0
  /** Where it begins in the file. */
  recordAt = 0
  bytes: Uint8Array
  payloadAt = 0
  payloadLength = 0
  private readonly disk: Disk
  private readonly file: DiskFile
  private readonly seed: number
  /** What `bytes` holds: [windowFrom, windowTo) of the file. */
  private windowFrom = 0
  private windowTo = 0
  private offset: number
  private nextLsn: number
  /** Where the records begin of which no MARK says that they are durable, and the LSN there. */
  private doubtfulOffset: number
  private doubtfulLsn: number

  /** @throws FileError HEDDLE_CORRUPT if the header is not valid */
  constructor(disk: Disk, id: number, generation: number) {
    this.disk = disk
    this.id = id
    this.name = fileName(id, 'log')
    this.seed = fileSeed(id, generation)
    this.file = disk.open(this.name, 'read')
    this.bytes = new Uint8Array(Math.min(WINDOW_BYTES, Math.max(FILE_HEADER_BYTES, this.file.size)))
    try {
      this.load(0, FILE_HEADER_BYTES)
      const fault = faultOfFileHeader(this.bytes, this.file.size, id, generation)
      if (fault !== '') throw corruptFile(this.name, 0, fault)
      this.offset = FILE_HEADER_BYTES
      const at = this.validAt(this.offset, TYPE_BEGIN)
      const base = at < 0 ? -1 : markedLsn(this.bytes, at)
      this.base = Number.isSafeInteger(base) && base % TWO_32 === (at < 0 ? -1 : lowLsnOf(this.bytes, at)) ? base : -1
      this.previous = this.base < 0 ? 0 : previousLogOf(this.bytes, at)
      this.nextLsn = this.base
      if (this.base >= 0) this.offset += BEGIN_BYTES
      this.doubtfulOffset = this.offset
      this.doubtfulLsn = this.base
    } catch (error) {
      this.file.close()
      throw error
    }
  }

  /** LSN that the next record must have: the end of what is valid, once `next` has said false. */
  get end(): number {
    return this.nextLsn
  }

  /** Where the next record begins in the file, or the first that is not valid. */
  get position(): number {
    return this.offset
  }

  /** LSN below which all that was read is known to be durable, by what the file itself says. */
  get vouched(): number {
    return this.doubtfulLsn
  }

  /** Goes back to where `vouched` is. */
  rewind(): void {
    this.offset = this.doubtfulOffset
    this.nextLsn = this.doubtfulLsn
  }

  /** Goes to the next slot. @returns false where the valid records end */
  next(): boolean {
    while (this.base >= 0) {
      const at = this.validAt(this.offset, 0)
      if (at < 0 || lowLsnOf(this.bytes, at) !== this.nextLsn % TWO_32) return false
      const size = plausibleBytes(this.bytes, at, this.file.size - this.offset)
      this.type = typeOf(this.bytes, at)
      if (this.type === TYPE_BEGIN) return false
      this.granules = granulesOf(this.bytes, at)
      this.lsn = this.nextLsn
      this.recordAt = this.offset
      this.payloadAt = at + RECORD_HEADER_BYTES
      this.payloadLength = lengthOf(this.bytes, at)
      this.offset += size
      this.nextLsn += this.granules
      if (this.type !== TYPE_MARK) return true
      if (markedLsn(this.bytes, at) < this.nextLsn) continue
      this.doubtfulOffset = this.offset
      this.doubtfulLsn = this.nextLsn
    }
    return false
  }

  /** Whether the present record is one of the floor above, not ABORTED or PADDING. */
  get isRecord(): boolean {
    return this.type >= TYPE_FIRST_OF_USERS
  }

  /**
   * To be called when `next` has said false and no other log follows.
   * @throws FileError HEDDLE_CORRUPT if what is not valid here had been durable
   */
  checkTornEnd(): void {
    const { offset } = this
    for (let at = offset; at + MARK_BYTES <= this.file.size; at += ALIGN) {
      const found = this.looksLikeMark(at)
      if (found >= 0 && isIntact(this.bytes, found, recordSeed(this.seed, at))) {
        if (markedLsn(this.bytes, found) > this.nextLsn) {
          throw corruptFile(this.name, offset, `a record that had been durable, as offset ${at} says, is not valid`)
        }
      }
    }
  }

  /** Makes what was read durable: it may never have been, if only the process had ended. */
  sync(): void {
    // Windows syncs only what was opened for writing.
    const file = this.disk.open(this.name, 'write')
    try {
      file.sync()
    } finally {
      file.close()
    }
  }

  close(): void {
    this.file.close()
  }

  private looksLikeMark(offset: number): number {
    if (offset < this.windowFrom || offset + MARK_BYTES > this.windowTo) {
      if (this.load(offset, WINDOW_BYTES) < MARK_BYTES) return -1
    }
    const at = offset - this.windowFrom
    if (typeOf(this.bytes, at) !== TYPE_MARK) return -1
    return plausibleBytes(this.bytes, at, this.file.size - offset) === MARK_BYTES ? at : -1
  }

  /**
   * Where in `bytes` the record at an offset of the file lies, or -1 if there is no valid one.
   * @param type that it must have, or 0
   */
  private validAt(offset: number, type: number): number {
    const room = this.file.size - offset
    if (room < RECORD_HEADER_BYTES || !this.ensure(offset, RECORD_HEADER_BYTES)) return -1
    let at = offset - this.windowFrom
    const size = plausibleBytes(this.bytes, at, room)
    if (size === 0 || (type !== 0 && typeOf(this.bytes, at) !== type)) return -1
    if (!this.ensure(offset, size)) return -1
    at = offset - this.windowFrom
    return isIntact(this.bytes, at, recordSeed(this.seed, offset)) ? at : -1
  }

  /** Has `length` bytes from `offset` on in the window. @returns false if the file ends before */
  private ensure(offset: number, length: number): boolean {
    if (offset >= this.windowFrom && offset + length <= this.windowTo) return true
    return this.load(offset, Math.max(length, WINDOW_BYTES)) >= length
  }

  /** Fills the window, with no more than the file holds. @returns bytes there are */
  private load(offset: number, length: number): number {
    const there = Math.min(length, Math.max(0, this.file.size - offset))
    if (this.bytes.length < there) this.bytes = new Uint8Array(there)
    const count = this.file.read(this.bytes, 0, there, offset)
    this.windowFrom = offset
    this.windowTo = offset + count
    return count
  }
}
