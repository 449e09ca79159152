/**
 * Writes records into the participant's own segments: reserved, filled by whoever encodes the value, completed; not yet
 * visible to anyone. A record that is not linked in the end is abandoned.
 */
import { HeddleError } from '../memory/error.ts'
import {
  KIND_EXTENT,
  KIND_EXTENT_RECORD,
  KIND_RECORD,
  MAX_BLOCK_WORDS,
  blockHeader,
  kindOf,
  wordsOf,
} from '../log/block.ts'
import { ROOM_ORDINARY, ROOM_PROMISED, STREAM_BATCHES, STREAM_EXTENTS, STREAM_RECORDS } from '../log/log.ts'
import type { TreeContext } from './context.ts'
import { EXTENT_KEY, RECORD_PREV, RECORD_VERSION, TOMBSTONE, extentListAt } from './record.ts'
import { type KeyBuffer, RECORD_KEY } from './key.ts'

/** Smallest piece of data worth an extent of its own, in words. */
const MIN_EXTENT_WORDS = 16
/** Words of the longest key. */
const MAX_KEY_WORDS = 512

/** Words of the largest extent: one and the record that lists it fit a segment together, so that they can be moved. */
function maxExtentWords(segmentWords: number): number {
  return Math.min(MAX_BLOCK_WORDS, segmentWords >>> 1)
}

/** Largest value an arena's extent records can describe, in bytes. */
export function maxValueBytes(segmentWords: number): number {
  const listed = (Math.min(segmentWords, MAX_BLOCK_WORDS) >>> 2) - 2
  const pieces = Math.ceil(segmentWords / maxExtentWords(segmentWords))
  const perExtent = Math.floor(segmentWords / pieces) - MAX_KEY_WORDS - MIN_EXTENT_WORDS
  return Math.min(2 ** 28, listed * perExtent * 4)
}

export class RecordWriter {
  /** The record just written, 0 if none. */
  record = 0
  /** STREAM_RECORDS, or STREAM_BATCHES while the records of a batch are written, which are linked only later. */
  stream = STREAM_RECORDS
  private header = 0
  private reserved = 0
  private readonly extents: number[] = []
  /** The extent that is reserved and not completed yet, and its words; 0 if none. */
  private begun = 0
  private begunWords = 0
  private readonly context: TreeContext
  private readonly words: Int32Array

  constructor(context: TreeContext) {
    this.context = context
    this.words = context.arena.words
  }

  /**
   * Reserves a record. A segment of a batch that is full stays open, since what is in it is not linked yet.
   * @throws HeddleError HEDDLE_FULL
   */
  private reserve(size: number, worth: number): number {
    const { log } = this.context
    const { stream } = this
    if (stream !== STREAM_BATCHES) log.prepare(stream, size, worth)
    else if (log.available(stream) < size && !log.extend(stream)) throw log.full()
    return log.reserve(stream, size)
  }

  /**
   * Begins a record with room for an inline value.
   * @param atMost upper bound of the value's bytes
   * @returns byte offset in the arena at which to write the value
   * @throws HeddleError HEDDLE_FULL
   */
  begin(key: KeyBuffer, atMost: number): number {
    const { words } = this
    const { length } = key
    const size = RECORD_KEY + ((length + atMost + 3) >>> 2)
    this.abandonLeft()
    const record = this.reserve(size, ROOM_ORDINARY)
    const keyWords = (length + 3) >>> 2
    // Private until linked: plain stores. What the last key word holds past the key, the value overwrites.
    words[record + RECORD_VERSION] = 0
    words[record + RECORD_PREV] = 0
    const source = key.words
    for (let i = 0; i < keyWords; i++) words[record + RECORD_KEY + i] = source[i]
    this.record = record
    this.reserved = size
    return (record + RECORD_KEY) * 4 + length
  }

  /** Completes the record begun, with a value of `valueBytes` bytes. */
  finish(keyLength: number, valueBytes: number, ascii: boolean): void {
    const bytes = keyLength + valueBytes
    const size = RECORD_KEY + ((bytes + 3) >>> 2)
    const { record } = this
    if (size < this.reserved) this.context.log.trim(this.stream, record + size)
    this.reserved = size
    this.header = blockHeader(KIND_RECORD, size, keyLength, (4 - (bytes & 3)) & 3, ascii)
    this.context.log.complete(record, this.header)
  }

  /**
   * Writes a whole record whose value goes to extents.
   * @throws HeddleError HEDDLE_FULL; nothing is left behind then
   */
  writeLarge(key: KeyBuffer, value: Uint8Array, length: number, ascii: boolean): void {
    const { context, extents } = this
    this.abandon()
    const keyWords = (key.length + 3) >>> 2
    try {
      this.writeExtents(key, keyWords, value, length)
      const size = RECORD_KEY + keyWords + 2 + extents.length
      this.record = this.reserve(size, ROOM_ORDINARY)
      this.reserved = size
      this.writeList(key, keyWords, length)
      this.header = blockHeader(KIND_EXTENT_RECORD, size, key.length, 0, ascii)
      context.log.complete(this.record, this.header)
    } catch (error) {
      this.abandon()
      throw error
    }
  }

  /**
   * Writes a tombstone, in room that was promised.
   * @throws HeddleError HEDDLE_FULL
   */
  writeTombstone(key: KeyBuffer): void {
    const { context } = this
    const keyWords = (key.length + 3) >>> 2
    const size = RECORD_KEY + keyWords + 2
    this.abandonLeft()
    this.record = this.reserve(size, ROOM_PROMISED)
    this.reserved = size
    this.writeList(key, keyWords, TOMBSTONE)
    this.header = blockHeader(KIND_EXTENT_RECORD, size, key.length, 0, false)
    context.log.complete(this.record, this.header)
  }

  /** Notes, before the record is linked, what it is to replace: 0 for nothing. */
  replaces(record: number): void {
    this.words[this.record + RECORD_PREV] = record
  }

  private writeExtents(key: KeyBuffer, keyWords: number, value: Uint8Array, length: number): void {
    const { log, arena } = this.context
    const overhead = EXTENT_KEY + keyWords
    const largest = maxExtentWords(arena.layout.segmentWords)
    for (let at = 0; at < length;) {
      let room = log.available(STREAM_EXTENTS)
      if (room < overhead + MIN_EXTENT_WORDS) {
        if (!log.extend(STREAM_EXTENTS)) throw this.full(length)
        room = log.available(STREAM_EXTENTS)
      }
      const size = Math.min(room, largest, overhead + ((length - at + 3) >>> 2))
      const extent = log.reserve(STREAM_EXTENTS, size)
      this.begun = extent
      this.begunWords = size
      for (let i = 0; i < keyWords; i++) this.words[extent + EXTENT_KEY + i] = key.words[i]
      const bytes = Math.min(length - at, (size - overhead) * 4)
      arena.bytes.set(value.subarray(at, at + bytes), (extent + overhead) * 4)
      log.complete(extent, blockHeader(KIND_EXTENT, size, key.length, (size - overhead) * 4 - bytes, false))
      this.extents.push(extent)
      this.begun = 0
      at += bytes
    }
  }

  private full(length: number): HeddleError {
    return new HeddleError(
      'HEDDLE_FULL',
      `the arena has no room for a value of ${length} bytes; delete entries, or open the store with more memory`,
    )
  }

  private writeList(key: KeyBuffer, keyWords: number, length: number): void {
    const { words, record, extents } = this
    words[record + RECORD_VERSION] = 0
    words[record + RECORD_PREV] = 0
    for (let i = 0; i < keyWords; i++) words[record + RECORD_KEY + i] = key.words[i]
    const list = record + RECORD_KEY + keyWords
    words[list] = length
    words[list + 1] = extents.length
    for (let i = 0; i < extents.length; i++) words[list + 2 + i] = extents[i]
  }

  /** The record has been linked: it is the tree's now. */
  linked(): void {
    this.record = 0
    if (this.extents.length > 0) this.closeExtents()
  }

  /** Hands the record over to a batch, which links it later with others. @returns the record */
  handOver(): number {
    const { record } = this
    this.record = 0
    if (this.extents.length > 0) this.extents.length = 0
    return record
  }

  /**
   * Drops what an exception has left, in the middle of it or before it was linked. Before the next one is written, or its
   * segment sealed: a hole nobody gets past who walks there, and once the segment is in other use the address means another
   * block.
   */
  abandonLeft(): void {
    if ((this.record | this.begun | this.extents.length) !== 0) this.abandon()
  }

  /** Drops what was written and not linked. */
  abandon(): void {
    const { log } = this.context
    if (this.record !== 0) {
      const header = Atomics.load(this.words, this.record)
      const size = header === 0 ? this.reserved : wordsOf(header)
      log.abort(this.stream, this.record, size)
      this.record = 0
    }
    // The newest of its stream, which an exception has come in the middle of: it would stay a hole, as above.
    if (this.begun !== 0) log.abort(STREAM_EXTENTS, this.begun, this.begunWords)
    this.begun = 0
    for (let i = 0; i < this.extents.length; i++) log.unlink(this.extents[i])
    if (this.extents.length > 0) this.closeExtents()
  }

  private closeExtents(): void {
    this.extents.length = 0
    this.context.log.sealExtended()
  }
}

/** Accounts for a record that has been unlinked, with its extents. The caller is pinned. */
export function unlinkRecord(context: TreeContext, record: number): void {
  unlinkKnownRecord(context, record, Atomics.load(context.arena.words, record))
}

/** As `unlinkRecord`, for who has loaded the record's header since he was pinned. */
export function unlinkKnownRecord(context: TreeContext, record: number, header: number): void {
  if (kindOf(header) === KIND_EXTENT_RECORD) {
    const { words } = context.arena
    const list = extentListAt(record, header)
    const count = words[list + 1]
    for (let i = 0; i < count; i++) context.log.unlink(words[list + 2 + i])
  }
  context.log.unlinkKnown(record, header)
}
