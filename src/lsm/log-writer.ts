/**
 * Writes one log file: slots as they lie in the ring, in one call for as many as lie together.
 *
 * `prepare` makes a file that holds a header and room, and gives it its name when that is durable; `begin` says where in
 * the sequence it starts. So a file can be prepared before it is known when it will be needed.
 *
 * Invariants
 *   - A file is named `.log` only after its header was synced: an invalid header is corruption, never a torn write.
 *   - After a call has thrown, nothing but `close` may follow. A sync that failed is not tried again: what it should have
 *     made durable goes to another file, whose BEGIN says from where on it counts.
 *   - A MARK is written only after a sync of the same file that did not fail.
 *
 * Thread safety: belongs to the thread that made it. Progress: blocks on the disk.
 * Death: the file stays as it is. Its end is torn at worst; nobody goes on writing to it, another file is begun.
 */
import { assert } from '../memory/assert.ts'
import type { Disk, DiskFile } from './disk.ts'
import { fileName } from './file-name.ts'
import {
  BEGIN_BYTES,
  FILE_HEADER_BYTES,
  GRANULE_BYTES,
  MARK_BYTES,
  RECORD_HEADER_BYTES,
  fileSeed,
  recordSeed,
  sealRecord,
  writeBegin,
  writeFileHeader,
  writeMark,
} from './log-format.ts'

export class LogWriter {
  readonly id: number
  private readonly file: DiskFile
  private readonly seed: number
  private readonly scratch = new Uint8Array(BEGIN_BYTES)
  /** Offset of the next record, those of the span included. */
  private end = FILE_HEADER_BYTES
  /** Slots that lie together in the ring and are not written yet: bytes [spanFrom, spanTo) of `source`. */
  private source: Uint8Array | undefined
  private spanFrom = 0
  private spanTo = 0
  private lsn = -1
  private syncedLsn = -1
  private markedLsn = -1
  private broken = false

  private constructor(file: DiskFile, id: number, generation: number) {
    this.file = file
    this.id = id
    this.seed = fileSeed(id, generation)
  }

  /**
   * Makes an empty log, durably.
   * @param room bytes to set aside
   * @throws FileError; what was made may be left under a temporary name
   */
  static prepare(disk: Disk, id: number, generation: number, room: number): LogWriter {
    LogWriter.make(disk, id, generation, room)
    return LogWriter.adopt(disk, id, generation)
  }

  /** As `prepare`, for somebody else to `adopt`. */
  static make(disk: Disk, id: number, generation: number, room: number): void {
    LogWriter.publish(disk, id, generation, room, () => {})
  }

  /** Makes a log of which all is durable when it gets its name. @param fill writes it, all but the last sync */
  static publish(disk: Disk, id: number, generation: number, room: number, fill: (writer: LogWriter) => void): void {
    const header = new Uint8Array(FILE_HEADER_BYTES)
    writeFileHeader(header, id, generation, room)
    const temporary = disk.create(fileName(id, 'temp'))
    try {
      temporary.append(header, 0, FILE_HEADER_BYTES)
      temporary.preallocate(room)
      const writer = new LogWriter(temporary, id, generation)
      fill(writer)
      writer.sync()
    } finally {
      temporary.close()
    }
    disk.rename(fileName(id, 'temp'), fileName(id, 'log'))
    disk.syncDirectory()
  }

  /** Opens what `make` made, in any thread, for one to write. */
  static adopt(disk: Disk, id: number, generation: number): LogWriter {
    return new LogWriter(disk.open(fileName(id, 'log'), 'write'), id, generation)
  }

  /** LSN of the next slot; -1 before `begin`. */
  get nextLsn(): number {
    return this.lsn
  }

  /** LSN below which all is durable; -1 before `begin`. */
  get synced(): number {
    return this.syncedLsn
  }

  /** Bytes in use, what is not written yet included. */
  get size(): number {
    return this.end
  }

  /**
   * Says where the file stands. Durable with the first sync.
   * @param base LSN of the first slot; everything before it is durable in earlier files or in tables
   * @param previous id of the log that holds what is right before it, or 0 if nothing of that is needed
   */
  begin(base: number, previous: number): void {
    assert(this.lsn < 0, 'a log was begun twice')
    this.lsn = base
    this.syncedLsn = base
    this.markedLsn = base
    writeBegin(this.scratch, 0, base, previous, recordSeed(this.seed, this.end))
    this.put(this.scratch, 0, BEGIN_BYTES, this.end)
    this.end += BEGIN_BYTES
  }

  /**
   * Adds a slot that lies at `at` of `bytes`: room for a header, then `length` bytes of payload. Its header is written
   * there, so the memory must be the caller's until the slot is synced. Written to the file by `flush` or `sync`.
   */
  addSlot(bytes: Uint8Array, at: number, type: number, granules: number, length: number): void {
    if (this.source !== bytes || this.spanTo !== at) {
      this.flush()
      this.source = bytes
      this.spanFrom = at
      this.spanTo = at
    } else this.must()
    sealRecord(bytes, at, type, granules, length, this.lsn, recordSeed(this.seed, this.end))
    this.spanTo += granules * GRANULE_BYTES
    this.end += granules * GRANULE_BYTES
    this.lsn += granules
  }

  /** Adds a record for a slot without content: ABORTED or PADDING. */
  addEmpty(type: number, granules: number): void {
    this.flush()
    sealRecord(this.scratch, 0, type, granules, 0, this.lsn, recordSeed(this.seed, this.end))
    this.put(this.scratch, 0, RECORD_HEADER_BYTES, this.end)
    this.end += RECORD_HEADER_BYTES
    this.lsn += granules
  }

  /**
   * Notes what is durable by now, if that is more than was noted, so that a reader can tell damage from a torn end. To be
   * called before slots are added.
   */
  mark(): void {
    if (this.syncedLsn <= this.markedLsn) return
    this.flush()
    writeMark(this.scratch, 0, this.syncedLsn, this.lsn, recordSeed(this.seed, this.end))
    this.put(this.scratch, 0, MARK_BYTES, this.end)
    this.end += MARK_BYTES
    this.markedLsn = this.syncedLsn
  }

  /** Hands to the system what has been added. */
  flush(): void {
    this.must()
    if (this.source === undefined) return
    const length = this.spanTo - this.spanFrom
    this.put(this.source, this.spanFrom, length, this.end - length)
    this.source = undefined
  }

  /** Makes everything that was added durable. */
  sync(): void {
    this.flush()
    this.broken = true
    this.file.sync()
    this.broken = false
    this.syncedLsn = this.lsn
  }

  /** Gives the file up, whatever state it is in. What was not synced may be lost. */
  close(): void {
    this.broken = true
    this.file.close()
  }

  private put(from: Uint8Array, at: number, length: number, offset: number): void {
    this.must()
    // Whatever throws from here on leaves the file in a state that nobody knows.
    this.broken = true
    this.file.write(from, at, length, offset)
    this.broken = false
  }

  private must(): void {
    assert(!this.broken, 'a log was written to after it had failed')
  }
}
