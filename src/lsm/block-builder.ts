/**
 * Builds the payload of a data or index block: entries in order, keys without what they share with the one before
 * (LevelDB's table format, with the version beside the key instead of within it).
 *
 *   entry:   shared          varint   bytes taken over from the key before; 0 at a restart point
 *            unshared        varint   bytes that follow
 *            value and kind  varint   value length * 2, + 1 for a delete
 *            sequence        varint   difference to the entry before, zigzag; to 0 at a restart point
 *            key bytes, value bytes
 *   payload: entries, offset of each restart point (u32), their number (u32)
 *
 * Thread safety: belongs to one thread. Buffers are kept between blocks, so building allocates only to grow.
 */
import { commonLength, grown, MAX_VARINT_BYTES, writeU32, writeVarint, zigzag } from './byte-codec.ts'

export class BlockBuilder {
  private readonly restartInterval: number
  private bytes = new Uint8Array(8192)
  private length = 0
  private restarts = new Uint32Array(64)
  private restartCount = 0
  private sinceRestart = 0
  entries = 0
  lastKey = new Uint8Array(256)
  lastKeyLength = 0
  lastSequence = 0

  /** @param restartInterval entries from one restart point to the next */
  constructor(restartInterval: number) {
    this.restartInterval = restartInterval
    this.reset()
  }

  reset(): void {
    this.length = 0
    this.restartCount = 0
    this.sinceRestart = this.restartInterval
    this.entries = 0
    this.lastKeyLength = 0
    this.lastSequence = 0
  }

  /** Bytes of the payload if it ended now. */
  get size(): number {
    return this.length + 4 * this.restartCount + 4
  }

  /** Bytes of the payload with one more entry, at most. */
  sizeWith(keyLength: number, valueLength: number): number {
    return this.size + 4 + 4 * MAX_VARINT_BYTES + keyLength + valueLength
  }

  /** Adds an entry; the caller sees to the order. */
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
    const keyLength = end - start
    const valueLength = valueEnd - valueStart
    const most = this.length + 4 * MAX_VARINT_BYTES + keyLength + valueLength
    if (most > this.bytes.length) this.bytes = grown(this.bytes, this.length, most) as Uint8Array<ArrayBuffer>
    let shared = 0
    let base = 0
    if (this.sinceRestart < this.restartInterval) {
      shared = commonLength(this.lastKey, 0, this.lastKeyLength, key, start, end)
      base = this.lastSequence
    } else this.startInterval()
    this.sinceRestart++
    const { bytes } = this
    let at = writeVarint(bytes, this.length, shared)
    at = writeVarint(bytes, at, keyLength - shared)
    at = writeVarint(bytes, at, valueLength * 2 + kind)
    at = writeVarint(bytes, at, zigzag(sequence - base))
    for (let i = start + shared; i < end; i++) bytes[at++] = key[i]
    if (valueLength > 96) bytes.set(value.subarray(valueStart, valueEnd), at)
    else for (let i = 0; i < valueLength; i++) bytes[at + i] = value[valueStart + i]
    this.length = at + valueLength
    this.entries++
    this.remember(key, start, end, sequence)
  }

  private startInterval(): void {
    if (this.restartCount === this.restarts.length) {
      const larger = new Uint32Array(this.restarts.length * 2)
      larger.set(this.restarts)
      this.restarts = larger
    }
    this.restarts[this.restartCount++] = this.length
    this.sinceRestart = 0
  }

  private remember(key: Uint8Array, start: number, end: number, sequence: number): void {
    const length = end - start
    if (length > this.lastKey.length) this.lastKey = grown(this.lastKey, 0, length) as Uint8Array<ArrayBuffer>
    for (let i = 0; i < length; i++) this.lastKey[i] = key[start + i]
    this.lastKeyLength = length
    this.lastSequence = sequence
  }

  /** The payload: a view that the next block overwrites. */
  finish(): Uint8Array {
    const size = this.size
    if (size > this.bytes.length) this.bytes = grown(this.bytes, this.length, size) as Uint8Array<ArrayBuffer>
    let at = this.length
    for (let i = 0; i < this.restartCount; i++, at += 4) writeU32(this.bytes, at, this.restarts[i])
    writeU32(this.bytes, at, this.restartCount)
    return this.bytes.subarray(0, size)
  }
}
