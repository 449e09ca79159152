/** Reads keys and values out of records. Everything here runs inside the caller's critical region. */
import { KIND_EXTENT_RECORD, isAscii, keyBytesOf, kindOf, padOf, wordsOf } from '../log/block.ts'
import type { Arena } from '../memory/arena.ts'
import { RECORD_KEY } from '../tree/key.ts'
import { EXTENT_KEY, extentHeader, extentListAt, inlineValueBytes, recordHeader, recordKeyAt } from '../tree/record.ts'
import type { Scan } from '../tree/scan.ts'
import type { KeyCodec, Staged, ValueCodec } from './codec.ts'
import { Copier, type RawBuffer, copyBytes, rawBuffer } from './raw-buffer.ts'

const LINE_WORDS = 16
/** Of a longer record the processor fetches the rest by itself while it is copied. */
const MOST_TOUCHED_WORDS = 128

/** Most records of a step. */
export const BATCH = 4096

export class RecordReader {
  /** The whole arena as a buffer. */
  readonly raw: RawBuffer
  private readonly words: Int32Array
  private readonly copier: Copier
  private readonly keys: KeyCodec
  private readonly values: ValueCodec
  /** Word view of the last target of `valueInto`, so that a caller who reuses its buffer pays for it once. */
  private target: Uint8Array | null = null
  /** A view on a resizable buffer may have changed its length since. */
  private targetBytes = 0
  private targetWords: Int32Array | null = null
  /** Records of a step, with their headers, and where their keys begin and how many bytes they have. */
  private readonly records = new Int32Array(BATCH)
  private readonly headers = new Int32Array(BATCH)
  private readonly keyAts = new Int32Array(BATCH)
  private readonly keyLengths = new Int32Array(BATCH)
  /** What did not come from the arena, on its way to a codec. */
  private foreign: RawBuffer = rawBuffer(new ArrayBuffer(1024))
  /** Keeps the loads of `take` from being optimised away. */
  touched = 0

  constructor(arena: Arena, keys: KeyCodec, values: ValueCodec) {
    this.raw = rawBuffer(arena.buffer)
    this.words = arena.words
    this.copier = new Copier(this.raw, arena.words)
    this.keys = keys
    this.values = values
  }

  /**
   * Takes the first records of a scan's step, to be read all together. Loads the headers, then, if `whole`, a word of each
   * further line, before any is decoded: so the processor fetches the lines side by side instead of one after the other.
   * What is loaded is immutable since the record was linked.
   */
  take(scan: Scan, count: number, whole: boolean): void {
    const { words, records, headers, keyAts, keyLengths } = this
    const { first } = scan
    const step = scan.reverse ? -1 : 1
    const from = scan.records
    for (let i = 0, at = first; i < count; i++, at += step) {
      const record = from[at]
      const header = recordHeader(words, record)
      records[i] = record
      headers[i] = header
      keyAts[i] = record + RECORD_KEY
      keyLengths[i] = keyBytesOf(header)
    }
    if (whole) this.touched = this.touchRest(count)
  }

  private touchRest(count: number): number {
    const { words, records, headers } = this
    let sum = 0
    for (let i = 0; i < count; i++) {
      const record = records[i]
      const size = wordsOf(headers[i])
      const last = size <= MOST_TOUCHED_WORDS ? size - 1 : MOST_TOUCHED_WORDS
      for (let at = LINE_WORDS; at < last; at += LINE_WORDS) sum ^= words[record + at]
      sum ^= words[record + last]
    }
    return sum
  }

  /** Decodes the keys of the records taken. */
  takeKeys(count: number, to: Staged[]): void {
    this.keys.readAll(this.raw, this.words, this.keyAts, this.keyLengths, count, to)
  }

  /** Decodes the values of the records taken. */
  takeValues(count: number, to: Staged[]): void {
    const { records, headers } = this
    for (let i = 0; i < count; i++) to[i] = this.value(records[i], headers[i])
  }

  /** Decodes the value of a record taken. */
  takeValue(i: number): Staged {
    return this.value(this.records[i], this.headers[i])
  }

  /** Decodes a key that lies elsewhere. */
  foreignKey(bytes: Uint8Array): Staged {
    return this.keys.read(this.bring(bytes, 0, bytes.length), 0, bytes.length)
  }

  /** Decodes a value that lies elsewhere. */
  foreignValue(bytes: Uint8Array, start: number, end: number): Staged {
    return this.values.read(this.bring(bytes, start, end), 0, end - start, false, null)
  }

  private bring(bytes: Uint8Array, start: number, end: number): RawBuffer {
    const length = end - start
    if (this.foreign.length < length) this.foreign = rawBuffer(new ArrayBuffer(2 * length))
    if (length > 96) this.foreign.set(bytes.subarray(start, end))
    else for (let i = 0; i < length; i++) this.foreign[i] = bytes[start + i]
    return this.foreign
  }

  /** A copy of the encoded key of a record taken. */
  takeRawKey(i: number): Uint8Array {
    return copyBytes(this.raw, this.keyAts[i] * 4, this.keyLengths[i])
  }

  value(record: number, header: number): Staged {
    if (kindOf(header) === KIND_EXTENT_RECORD) {
      const whole = this.largeValue(record, header)
      return this.values.read(whole, 0, whole.length, isAscii(header), null)
    }
    const at = recordKeyAt(record) + keyBytesOf(header)
    return this.values.read(this.raw, at, inlineValueBytes(header), isAscii(header), this.copier)
  }

  /** Bytes of a record's value. */
  valueBytes(record: number, header: number): number {
    return kindOf(header) === KIND_EXTENT_RECORD ? this.words[extentListAt(record, header)] : inlineValueBytes(header)
  }

  /** The value's bytes, a copy. */
  valueCopy(record: number, header: number): Uint8Array {
    if (kindOf(header) === KIND_EXTENT_RECORD) return this.largeValue(record, header)
    const at = recordKeyAt(record) + keyBytesOf(header)
    return copyBytes(this.raw, at, inlineValueBytes(header))
  }

  private largeValue(record: number, header: number): RawBuffer {
    const whole = Buffer.allocUnsafeSlow(this.valueBytes(record, header)) as unknown as RawBuffer
    this.copyExtents(record, header, whole, 0)
    return whole
  }

  private copyExtents(record: number, recordHeader: number, to: Uint8Array, offset: number): void {
    const { words, raw } = this
    const list = extentListAt(record, recordHeader)
    const count = words[list + 1]
    const keyWords = (keyBytesOf(recordHeader) + 3) >>> 2
    for (let i = 0; i < count; i++) {
      const extent = words[list + 2 + i]
      const header = extentHeader(words, extent)
      const from = (extent + EXTENT_KEY + keyWords) * 4
      const end = (extent + wordsOf(header)) * 4 - padOf(header)
      raw.copy(to, offset, from, end)
      offset += end - from
    }
  }

  /** Copies a value into bytes of the caller's that are known to suffice. Allocates nothing for a target used before. */
  valueInto(record: number, header: number, to: Uint8Array, offset: number, length: number): void {
    if (kindOf(header) === KIND_EXTENT_RECORD) {
      this.copyExtents(record, header, to, offset)
      return
    }
    const at = recordKeyAt(record) + keyBytesOf(header)
    if (((at | (to.byteOffset + offset)) & 3) === 0 && length <= 1024) this.copyWords(at / 4, to, offset, length)
    else this.raw.copy(to, offset, at, at + length)
  }

  /** A loop over words beats the native copy, whose call alone costs as much, up to about a kilobyte. */
  private copyWords(at: number, to: Uint8Array, offset: number, length: number): void {
    if (this.target !== to || this.targetBytes !== to.byteLength || this.targetWords === null) {
      this.targetBytes = to.byteLength
      this.target = to
      this.targetWords = new Int32Array(to.buffer, to.byteOffset & ~3, (to.byteLength + (to.byteOffset & 3)) >>> 2)
    }
    const { words, targetWords } = this
    const whole = length >>> 2
    const first = ((to.byteOffset & 3) + offset) >>> 2
    for (let i = 0; i < whole; i++) targetWords[first + i] = words[at + i]
    for (let i = whole * 4; i < length; i++) to[offset + i] = this.raw[at * 4 + i]
  }

  /** Whether a record's value has exactly these bytes. */
  valueEquals(record: number, header: number, bytes: Uint8Array, length: number): boolean {
    if (this.valueBytes(record, header) !== length) return false
    if (kindOf(header) === KIND_EXTENT_RECORD) {
      return this.largeValue(record, header).compare(bytes, 0, length) === 0
    }
    const at = recordKeyAt(record) + keyBytesOf(header)
    return this.raw.compare(bytes, 0, length, at, at + length) === 0
  }
}
