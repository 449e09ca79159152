/**
 * A CRC-32 over entries in order: the writer keeps it in the properties, and whoever reads a whole table computes it
 * again. It says that what is read is what was handed to the writer, whatever blocks, prefixes and compression did.
 *
 * Thread safety: belongs to one thread. Complexity: O(bytes); the checksum is taken of pieces of 64 KiB.
 */
import { checksum } from './block-checksum.ts'
import { writeU32 } from './byte-codec.ts'

const PIECE_BYTES = 65_536
const HEADER_BYTES = 16

export class ContentDigest {
  private readonly piece = new Uint8Array(PIECE_BYTES)
  private used = 0
  private crc = 0

  add(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    kind: number,
    sequence: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    if (this.used + HEADER_BYTES > PIECE_BYTES) this.flush()
    const { piece, used } = this
    writeU32(piece, used, keyEnd - keyStart)
    writeU32(piece, used + 4, (valueEnd - valueStart) * 2 + kind)
    writeU32(piece, used + 8, sequence % 2 ** 32)
    writeU32(piece, used + 12, sequence / 2 ** 32)
    this.used += HEADER_BYTES
    this.range(key, keyStart, keyEnd)
    this.range(value, valueStart, valueEnd)
  }

  private range(bytes: Uint8Array, start: number, end: number): void {
    while (start < end) {
      if (this.used === PIECE_BYTES) this.flush()
      const length = Math.min(PIECE_BYTES - this.used, end - start)
      if (length > 96) this.piece.set(bytes.subarray(start, start + length), this.used)
      else for (let i = 0; i < length; i++) this.piece[this.used + i] = bytes[start + i]
      this.used += length
      start += length
    }
  }

  private flush(): void {
    this.crc = checksum(this.piece, 0, this.used, this.crc)
    this.used = 0
  }

  /** The digest of what was added so far. */
  value(): number {
    this.flush()
    return this.crc
  }
}
