/**
 * Reads a sorted table (format: table-format.ts).
 *
 * Opening reads the footer, the properties, the index and the Bloom filter, about 2.5 bytes a key with the defaults; these
 * stay in the thread's memory. Data blocks come through the shared block cache if there is one.
 *
 * Every length and offset is checked before anything is allocated or read by it, and every block's checksum before it is
 * looked at. What does not fit is HEDDLE_CORRUPT with the file and the offset; nothing else is thrown for what is in a
 * file, and no answer is given from it.
 *
 * Thread safety: belongs to one thread; several may read the same file. A lookup is pinned only while it looks at a cached
 * block, never while it reads from the disk. Allocates only to decode a block that is not cached, and once, at the first
 * lookup, 8 bytes for each block.
 * Death: leaves what a pinned thread leaves; Node closes its files.
 */
import { BlockCursor, NOWHERE, SAME } from './block-cursor.ts'
import type { BlockCache } from './block-cache.ts'
import {
  BLOCK_DATA,
  BLOCK_FILTER,
  BLOCK_INDEX,
  BLOCK_PROPERTIES,
  FRAME_HEADER_BYTES,
  checkBlock,
  decompressBlock,
  openBlock,
  type TableIdentity,
} from './block-frame.ts'
import { BloomFilter, type KeyHash } from './bloom-filter.ts'
import { readU32 } from './byte-codec.ts'
import type { Disk, DiskFile } from './disk.ts'
import type { ValueBuffer } from './entry.ts'
import { RestartHeads } from './restart-heads.ts'
import { corruptFile } from './file-error.ts'
import { fileName } from './file-name.ts'
import {
  type BlockHandle,
  decodeFooter,
  decodeProperties,
  FOOTER_BYTES,
  type Footer,
  MAX_TABLE_BYTES,
  type TableProperties,
} from './table-format.ts'

/** What a lookup gives, beside KIND_PUT and KIND_DELETE. */
export const ABSENT = -1

export class TableReader {
  readonly table: TableIdentity
  readonly properties: TableProperties
  /** Data blocks read from the disk by this reader. */
  blocksRead = 0
  /** Lookups that the filter ended, and those that it let pass in vain. */
  filtered = 0
  passedInVain = 0
  private readonly file: DiskFile
  private readonly footer: Footer
  private readonly index: Uint8Array
  private readonly filter: BloomFilter | undefined
  private readonly cache: BlockCache | undefined
  private readonly indexCursor = new BlockCursor()
  /** Of the index; made at the first lookup. */
  private heads: RestartHeads | undefined
  private readonly cursor = new BlockCursor()
  private frame: Uint8Array = new Uint8Array(0)
  /** Where the block that the index cursor points at stands. */
  private offset = 0
  private length = 0

  /**
   * Opens a table.
   * @throws FileError HEDDLE_CORRUPT, HEDDLE_IO
   */
  constructor(disk: Disk, id: number, generation: number, cache?: BlockCache) {
    this.table = { name: fileName(id, 'table'), id, generation }
    this.cache = cache
    this.file = disk.open(this.table.name, 'read')
    try {
      this.footer = this.readFooter()
      const { index, filter, properties } = this.footer
      this.properties = decodeProperties(this.readPart(properties, BLOCK_PROPERTIES), this.table, properties.offset)
      // Copies: the payload of a plain block is a view of the buffer that the next block is read into.
      this.index = this.readPart(index, BLOCK_INDEX).slice()
      this.filter = filter.length === 0 ? undefined : this.openFilter(filter)
      this.openIndex(this.indexCursor)
    } catch (error) {
      this.file.close()
      throw error
    }
  }

  private readFooter(): Footer {
    const { size } = this.file
    if (size < FOOTER_BYTES || size > MAX_TABLE_BYTES) {
      throw corruptFile(this.table.name, 0, `a table of ${size} bytes`)
    }
    const bytes = new Uint8Array(FOOTER_BYTES)
    this.readExactly(bytes, 0, FOOTER_BYTES, size - FOOTER_BYTES)
    return decodeFooter(bytes, size, this.table)
  }

  private openFilter(handle: BlockHandle): BloomFilter {
    const filter = BloomFilter.open(this.readPart(handle, BLOCK_FILTER).slice())
    if (filter?.keys !== this.properties.keys) {
      throw corruptFile(this.table.name, handle.offset, 'a filter for another number of keys')
    }
    return filter
  }

  private readExactly(into: Uint8Array, at: number, length: number, offset: number): void {
    const count = this.file.read(into, at, length, offset)
    if (count !== length) throw corruptFile(this.table.name, offset + count, 'the file ends early')
  }

  /** Reads and checks a block whose place lies within the file. The result may be a view that the next read overwrites. */
  private read(offset: number, length: number, kind: number): Uint8Array {
    if (this.frame.length < length) this.frame = new Uint8Array(length)
    this.readExactly(this.frame, 0, length, offset)
    return openBlock(this.frame, 0, length, kind, this.table, offset)
  }

  private readPart({ offset, length }: BlockHandle, kind: number): Uint8Array {
    return this.read(offset, length, kind)
  }

  /** Gives a cursor the index. */
  openIndex(cursor: BlockCursor): void {
    cursor.open(this.index, 0, this.index.length, this.table.name, this.footer.index.offset)
  }

  /** The place of the data block that an index cursor points at, into `offset` and `length`. */
  private follow(cursor: BlockCursor): void {
    const { value, valueStart, valueEnd } = cursor
    if (valueEnd - valueStart !== 8) throw this.badIndex('an index entry of another size')
    this.offset = readU32(value, valueStart)
    this.length = readU32(value, valueStart + 4)
    if (this.length < FRAME_HEADER_BYTES || this.offset + this.length > this.footer.index.offset) {
      throw this.badIndex('an index entry that leads out of the data')
    }
  }

  /** Offset of the block that was followed to last, for messages. */
  get position(): number {
    return this.offset
  }

  private badIndex(what: string): Error {
    return corruptFile(this.table.name, this.footer.index.offset, what)
  }

  private readData(): Uint8Array {
    this.blocksRead++
    return this.read(this.offset, this.length, BLOCK_DATA)
  }

  /** Whether the filter allows that the table has a key. */
  mayContain(key: Uint8Array, start: number, end: number): boolean {
    return this.filter === undefined || this.filter.mayContain(key, start, end)
  }

  /**
   * Looks for the newest version of a key that a reader at `bound` may see.
   * @param into takes the value, if it is a put, and the sequence
   * @param hash the key's hashes, for who looks into several tables
   * @returns KIND_PUT, KIND_DELETE or ABSENT
   * @throws FileError HEDDLE_CORRUPT, HEDDLE_IO
   * Complexity: O(log blocks + log block), one block read at most.
   */
  get(key: Uint8Array, start: number, end: number, bound: number, into: ValueBuffer, hash?: KeyHash): number {
    const { filter } = this
    if (hash === undefined ? !this.mayContain(key, start, end) : filter?.mayContainHashed(hash) === false) {
      this.filtered++
      return ABSENT
    }
    const { indexCursor } = this
    this.heads ??= new RestartHeads(indexCursor)
    const { heads } = this
    heads.narrow(key, start, end)
    if (indexCursor.locate(key, start, end, bound, heads.low, heads.high) === NOWHERE) return ABSENT
    this.follow(this.indexCursor)
    const found =
      this.cache === undefined
        ? this.getUncached(key, start, end, bound, into)
        : this.getCached(this.cache, key, start, end, bound, into)
    if (found === ABSENT) this.passedInVain++
    return found
  }

  private getCached(
    cache: BlockCache,
    key: Uint8Array,
    start: number,
    end: number,
    bound: number,
    into: ValueBuffer,
  ): number {
    const { scheme } = cache
    scheme.enter()
    try {
      const frame = cache.lookup(this.table.id, this.offset)
      if (frame !== 0) {
        this.cursor.open(cache.bytes, cache.payloadAt(frame), cache.lengthOf(frame), this.table.name, this.offset)
        return this.search(key, start, end, bound, into)
      }
    } finally {
      scheme.leave()
    }
    const at = this.length > cache.capacity + FRAME_HEADER_BYTES ? -1 : cache.room()
    if (at < 0) return this.getUncached(key, start, end, bound, into)
    // Read to where it will be cached, so that it need not be copied there. Nobody else looks at it yet.
    const { bytes } = cache
    const { table, offset } = this
    const frameAt = at - FRAME_HEADER_BYTES
    this.blocksRead++
    this.readExactly(bytes, frameAt, this.length, offset)
    const isPlain = checkBlock(bytes, frameAt, this.length, BLOCK_DATA, table, offset)
    const payload = isPlain ? undefined : decompressBlock(bytes, frameAt, this.length, table, offset)
    const length = payload?.length ?? this.length - FRAME_HEADER_BYTES
    this.cursor.open(payload ?? bytes, payload === undefined ? at : 0, length, table.name, offset)
    const found = this.search(key, start, end, bound, into)
    if (payload === undefined) cache.fillRoom(table.id, offset, length)
    else cache.fill(table.id, offset, payload)
    return found
  }

  private getUncached(key: Uint8Array, start: number, end: number, bound: number, into: ValueBuffer): number {
    const payload = this.readData()
    this.cursor.open(payload, 0, payload.length, this.table.name, this.offset)
    return this.search(key, start, end, bound, into)
  }

  private search(key: Uint8Array, start: number, end: number, bound: number, into: ValueBuffer): number {
    const { cursor } = this
    if (cursor.locate(key, start, end, bound) !== SAME) return ABSENT
    into.copy(cursor.value, cursor.valueStart, cursor.valueEnd, cursor.sequence)
    return cursor.kind
  }

  /**
   * Gives a cursor the data block that an index cursor points at: a copy in `into`, which is grown if need be, so that
   * nothing is pinned while the block is walked.
   * @param fill whether a block that was not cached is cached
   * @returns the buffer
   */
  openData(cursor: BlockCursor, index: BlockCursor, into: Uint8Array, fill: boolean): Uint8Array {
    this.follow(index)
    let length = this.copyCached(into)
    if (length < 0) return this.openUncached(cursor, into, fill)
    if (length > into.length) {
      into = new Uint8Array(length)
      length = this.copyCached(into)
      if (length < 0) return this.openUncached(cursor, into, fill)
    }
    cursor.open(into, 0, length, this.table.name, this.offset)
    return into
  }

  private openUncached(cursor: BlockCursor, into: Uint8Array, fill: boolean): Uint8Array {
    const payload = this.readData()
    const { length } = payload
    if (into.length < length) into = new Uint8Array(Math.max(length, 8192))
    into.set(payload)
    if (fill && this.cache !== undefined) this.cache.fill(this.table.id, this.offset, payload)
    cursor.open(into, 0, length, this.table.name, this.offset)
    return into
  }

  /** Copies the block from the cache. @returns its length, or -1 if it is not there; nothing is copied if it does not fit */
  private copyCached(into: Uint8Array): number {
    const { cache } = this
    if (cache === undefined) return -1
    cache.scheme.enter()
    try {
      const frame = cache.lookup(this.table.id, this.offset)
      if (frame === 0) return -1
      const length = cache.lengthOf(frame)
      const from = cache.payloadAt(frame)
      if (length <= into.length) into.set(cache.bytes.subarray(from, from + length))
      return length
    } finally {
      cache.scheme.leave()
    }
  }

  /** Idempotent. */
  close(): void {
    this.file.close()
  }
}
