/**
 * Writes a sorted table (format: table-format.ts) from entries in order.
 *
 * The file is written under a temporary name, synced, renamed, and the directory is synced: `finish` returns when the
 * table is durable under its own name. A sync that fails is never tried again: the file is abandoned, the error goes to
 * the caller, and the entries are to be written to a file of another id.
 *
 * Thread safety: belongs to one thread. Death: leaves a file with a temporary name, or a table that no manifest lists;
 * both are removed at start-up. Memory: one data block, the index, 8 bytes for each key, a write buffer of 256 KiB.
 */
import { assert } from '../memory/assert.ts'
import { BlockBuilder } from './block-builder.ts'
import {
  BLOCK_DATA,
  BLOCK_FILTER,
  BLOCK_INDEX,
  BLOCK_PROPERTIES,
  type Compression,
  FRAME_HEADER_BYTES,
  MAX_PAYLOAD_BYTES,
  sealBlock,
  type TableIdentity,
} from './block-frame.ts'
import { BloomBuilder } from './bloom-filter.ts'
import { compareRanges, grown, writeU32 } from './byte-codec.ts'
import { ContentDigest } from './content-digest.ts'
import type { Disk, DiskFile } from './disk.ts'
import { compareEntries, KIND_DELETE, MAX_KEY_BYTES, MAX_SEQUENCE } from './entry.ts'
import { fileName } from './file-name.ts'
import {
  type BlockHandle,
  encodeFooter,
  encodeProperties,
  FOOTER_BYTES,
  MAX_TABLE_BYTES,
  type TableProperties,
} from './table-format.ts'

export interface TableOptions {
  /** Bytes of a data block before compression, unless one entry alone is larger; 4096 by default. */
  readonly blockBytes?: number
  /** Entries from one restart point to the next; 16 by default. */
  readonly restartInterval?: number
  /** Bits of the Bloom filter for each key, 0 for none; 10 by default. */
  readonly bitsPerKey?: number
  /** Of data blocks; 'none' by default. */
  readonly compression?: Compression
}

/** A table as the catalog and the manifest know it. */
export interface TableMeta {
  readonly id: number
  readonly generation: number
  /** Length of the file. */
  readonly bytes: number
  readonly entries: number
  readonly deletes: number
  readonly leastSequence: number
  readonly greatestSequence: number
  readonly smallest: Uint8Array
  readonly greatest: Uint8Array
}

const BUFFER_BYTES = 256 * 1024

export class TableWriter {
  readonly table: TableIdentity
  private readonly disk: Disk
  private readonly temporary: string
  private readonly file: DiskFile
  private readonly blockBytes: number
  private readonly compression: Compression
  private readonly data: BlockBuilder
  private readonly index = new BlockBuilder(1)
  private readonly bloom: BloomBuilder
  private readonly digest = new ContentDigest()
  private buffer: Uint8Array = new Uint8Array(BUFFER_BYTES)
  private buffered = 0
  private written = 0
  /** The finished block that is not in the index yet: its separator depends on what comes next. */
  private waiting: BlockHandle | undefined
  private readonly handle = new Uint8Array(8)
  private separator: Uint8Array = new Uint8Array(256)
  private readonly smallest: Uint8Array[] = []
  private entries = 0
  private deletes = 0
  private keys = 0
  private keyBytes = 0
  private valueBytes = 0
  private dataBlocks = 0
  private largestPayload = 0
  private leastSequence = MAX_SEQUENCE
  private greatestSequence = 0
  private ended = false

  /**
   * Creates the file.
   * @param id of the file; never used before in this directory
   * @param generation of the store, bound into every checksum
   * @throws FileError
   */
  constructor(disk: Disk, id: number, generation: number, options: TableOptions = {}) {
    this.disk = disk
    this.table = { name: fileName(id, 'table'), id, generation }
    this.temporary = fileName(id, 'temp')
    this.blockBytes = options.blockBytes ?? 4096
    this.compression = options.compression ?? 'none'
    this.data = new BlockBuilder(options.restartInterval ?? 16)
    this.bloom = new BloomBuilder(options.bitsPerKey ?? 10)
    this.file = disk.create(this.temporary)
  }

  /** Bytes of the file so far, the present block included and what comes after the last one left out. */
  get bytes(): number {
    return this.written + this.buffered + this.data.size
  }

  get isEmpty(): boolean {
    return this.entries === 0
  }

  /** Whether the last entry was a version of that key: then the next table must not begin here. */
  isLastKey(key: Uint8Array, start: number, end: number): boolean {
    const { lastKey, lastKeyLength } = this.data
    return this.entries > 0 && compareRanges(lastKey, 0, lastKeyLength, key, start, end) === 0
  }

  /**
   * Adds an entry that comes after all before: by key, versions of one key from the newest to the oldest.
   * @throws HeddleError HEDDLE_INTERNAL if it does not, FileError if the disk refuses
   */
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
    const { data } = this
    const keyLength = end - start
    const valueLength = valueEnd - valueStart
    assert(keyLength <= MAX_KEY_BYTES && valueLength < MAX_PAYLOAD_BYTES / 2, 'an entry is too large for a table')
    assert(sequence >= 0 && sequence <= MAX_SEQUENCE, 'a sequence does not fit')
    const isNew = !this.isLastKey(key, start, end)
    if (this.entries > 0) {
      const { lastKey, lastKeyLength, lastSequence } = data
      const order = compareEntries(lastKey, 0, lastKeyLength, lastSequence, key, start, end, sequence)
      assert(order < 0, 'entries of a table out of order')
      if (data.entries > 0 && data.sizeWith(keyLength, valueLength) > this.blockBytes) this.endBlock()
      if (this.waiting !== undefined) this.indexWaiting(key, start, end)
    } else this.smallest.push(key.slice(start, end))
    data.add(key, start, end, kind, sequence, value, valueStart, valueEnd)
    this.digest.add(key, start, end, kind, sequence, value, valueStart, valueEnd)
    this.entries++
    this.keyBytes += keyLength
    this.valueBytes += valueLength
    if (kind === KIND_DELETE) this.deletes++
    if (isNew) {
      this.keys++
      this.bloom.add(key, start, end)
    }
    if (sequence < this.leastSequence) this.leastSequence = sequence
    if (sequence > this.greatestSequence) this.greatestSequence = sequence
  }

  private endBlock(): void {
    const { data } = this
    const payload = data.finish()
    this.largestPayload = Math.max(this.largestPayload, payload.length)
    this.waiting = this.emit(payload, BLOCK_DATA, this.compression)
    this.dataBlocks++
    // The last key stays: it is what order and separators are told by.
    const { lastKeyLength, lastSequence } = data
    data.reset()
    data.lastKeyLength = lastKeyLength
    data.lastSequence = lastSequence
  }

  private emit(payload: Uint8Array, kind: number, compression: Compression): BlockHandle {
    const most = payload.length + FRAME_HEADER_BYTES
    if (this.buffered + most > this.buffer.length) {
      this.writeOut()
      if (most > this.buffer.length) this.buffer = grown(this.buffer, 0, most)
    }
    const offset = this.written + this.buffered
    assert(offset + most + FOOTER_BYTES <= MAX_TABLE_BYTES, 'a table grows beyond 4 GiB')
    const length = sealBlock(this.buffer, this.buffered, payload, kind, compression, this.table, offset)
    this.buffered += length
    return { offset, length }
  }

  private writeOut(): void {
    if (this.buffered === 0) return
    this.file.write(this.buffer, 0, this.buffered, this.written)
    this.written += this.buffered
    this.buffered = 0
  }

  /**
   * Puts the finished block into the index, under the shortest key that separates its last entry from the entry that
   * follows; if both are versions of one key, or nothing shorter is there, under its last entry itself.
   */
  private indexWaiting(next: Uint8Array, start: number, end: number): void {
    const { lastKey, lastKeyLength, lastSequence } = this.data
    let common = 0
    while (common < lastKeyLength && common < end - start && lastKey[common] === next[start + common]) common++
    let length = lastKeyLength
    let sequence = lastSequence
    // What they differ in, cut after it and raised by one, is above the one and, if the next goes on higher, below the other.
    if (common < lastKeyLength - 1 && common < end - start && lastKey[common] + 1 < next[start + common]) {
      length = common + 1
      sequence = 0
    }
    this.separator = grown(this.separator, 0, length)
    for (let i = 0; i < length; i++) this.separator[i] = lastKey[i]
    if (length < lastKeyLength) this.separator[common]++
    this.indexUnder(length, sequence)
  }

  private indexUnder(length: number, sequence: number): void {
    const { offset, length: bytes } = this.waiting!
    writeU32(this.handle, 0, offset)
    writeU32(this.handle, 4, bytes)
    this.index.add(this.separator, 0, length, 0, sequence, this.handle, 0, 8)
    this.waiting = undefined
  }

  /**
   * Writes the rest and makes it durable.
   * @throws FileError; then the table does not exist, and `abandon` has been called
   */
  finish(): TableMeta {
    assert(this.entries > 0, 'a table without entries')
    assert(!this.ended, 'a table was ended twice')
    try {
      const properties = this.writeTail()
      this.file.sync()
      this.file.close()
      this.disk.rename(this.temporary, this.table.name)
      this.disk.syncDirectory()
      this.ended = true
      const { smallest, greatest, entries, deletes, leastSequence, greatestSequence } = properties
      const { id, generation } = this.table
      const bytes = this.written
      return { id, generation, bytes, entries, deletes, leastSequence, greatestSequence, smallest, greatest }
    } catch (error) {
      this.abandon()
      throw error
    }
  }

  private writeTail(): TableProperties {
    const { data } = this
    this.endBlock()
    const { lastKey, lastKeyLength } = data
    this.separator = grown(this.separator, 0, lastKeyLength)
    this.separator.set(lastKey.subarray(0, lastKeyLength))
    this.indexUnder(lastKeyLength, data.lastSequence)
    const index = this.emit(this.index.finish(), BLOCK_INDEX, 'none')
    const bits = this.bloom.finish()
    const filter = bits === undefined ? { offset: 0, length: 0 } : this.emit(bits, BLOCK_FILTER, 'none')
    const { entries, deletes, keys, keyBytes, valueBytes, dataBlocks, largestPayload } = this
    const { leastSequence, greatestSequence } = this
    const smallest = this.smallest[0]
    const greatest = lastKey.slice(0, lastKeyLength)
    const counts = { entries, deletes, keys, keyBytes, valueBytes, dataBlocks, largestPayload }
    const range = { leastSequence, greatestSequence, smallest, greatest }
    const whole = { ...counts, ...range, digest: this.digest.value() }
    const properties = this.emit(encodeProperties(whole), BLOCK_PROPERTIES, 'none')
    this.writeOut()
    const fileBytes = this.written + FOOTER_BYTES
    const footer = encodeFooter({ index, filter, properties, fileBytes }, this.table)
    this.file.write(footer, 0, footer.length, this.written)
    this.written = fileBytes
    return whole
  }

  /** Gives the table up: the file goes, as far as the disk allows. Idempotent; does nothing after `finish`. */
  abandon(): void {
    if (this.ended) return
    this.ended = true
    this.file.close()
    for (const name of [this.temporary, this.table.name]) {
      try {
        if (this.disk.sizeOf(name) !== undefined) this.disk.remove(name)
      } catch {
        // What cannot be removed now is an orphan, which the next start-up removes.
      }
    }
  }
}
