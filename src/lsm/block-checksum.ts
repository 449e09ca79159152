/**
 * CRC-32 (the polynomial of zlib) of a block together with the place it belongs to: a block that is right in itself but
 * stands in another file, at another offset, or is left over from a file of another generation does not match.
 *
 * A difference within 32 neighbouring bits is always found, any other one but for one in 2^32. Complexity: O(bytes).
 * Thread safety: the scratch space is the module's, so each thread has its own.
 */
import zlib from 'node:zlib'
import { writeU32 } from './byte-codec.ts'

type Crc32 = (bytes: Uint8Array, seed: number) => number

const TABLE = new Uint32Array(256)
for (let i = 0; i < 256; i++) {
  let value = i
  for (let bit = 0; bit < 8; bit++) value = (value & 1) !== 0 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  TABLE[i] = value
}

/** As zlib's, byte by byte: for versions of Node that do not offer it. */
export function plainCrc32(bytes: Uint8Array, seed: number): number {
  let crc = ~seed
  for (let i = 0; i < bytes.length; i++) crc = TABLE[(crc ^ bytes[i]) & 255] ^ (crc >>> 8)
  return ~crc >>> 0
}

const native = (zlib as { readonly crc32?: Crc32 }).crc32
const crc32: Crc32 = native ?? plainCrc32

/** CRC-32 of a range, going on from the checksum of what comes before it. */
export function checksum(bytes: Uint8Array, start: number, end: number, seed: number): number {
  return crc32(bytes.subarray(start, end), seed)
}

const place = new Uint8Array(12)

/** The checksum of a range that stands at `offset` of file `file`, which was written in `generation`. */
export function placedChecksum(
  bytes: Uint8Array,
  start: number,
  end: number,
  file: number,
  generation: number,
  offset: number,
): number {
  writeU32(place, 0, file)
  writeU32(place, 4, generation)
  writeU32(place, 8, offset)
  // Of a few bytes a call into zlib would cost several times as much.
  return crc32(bytes.subarray(start, end), plainCrc32(place, 0))
}
