/**
 * CRC-32 (polynomial 0xedb88320 reflected, as zlib, gzip and PNG have it) of a range of bytes, shared memory included.
 *
 * Slice-by-8 in TypeScript for short ranges, zlib's for long ones: a call into zlib costs 150 to 200 ns whatever its
 * length, and then goes four times as fast. Measured on Node 20, ns: 32 bytes 38 against 144; 128 bytes 112 against 181;
 * 256 bytes 230 against 240; 4,096 bytes 3,500 against 990. Before Node 20.15 and 22.2 zlib has none to offer.
 *
 * The register is a bijection of its start for any bytes that follow: two different seeds never give the same checksum
 * for the same bytes. That is how checksums are bound to a file and a place in it at no cost.
 *
 * Sources: Kounavis and Berry, "A Systematic Approach to Building High Performance Software-Based CRC Generators" (2005).
 * Thread safety: pure. Complexity: O(to - from); short ranges allocate nothing.
 */
import zlib from 'node:zlib'

const LONG_BYTES = 256
const POLYNOMIAL = 0xedb88320

type NativeCrc = (bytes: Uint8Array, seed: number) => number

const native = (zlib as { readonly crc32?: NativeCrc }).crc32

/** Eight tables of 256: table k advances a byte that is followed by k more. */
const TABLES = new Int32Array(8 * 256)
for (let i = 0; i < 256; i++) {
  let c = i
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ POLYNOMIAL : c >>> 1
  TABLES[i] = c
}
for (let i = 256; i < TABLES.length; i++) TABLES[i] = (TABLES[i - 256] >>> 8) ^ TABLES[TABLES[i - 256] & 255]

/**
 * The checksum of `bytes[from..to)`.
 * @param seed the checksum of what comes before, or any 32 bits to bind the result to
 * @returns from 0 to 2^32 - 1
 */
export function crc32(bytes: Uint8Array, from: number, to: number, seed: number): number {
  if (native !== undefined && to - from >= LONG_BYTES) return native(bytes.subarray(from, to), seed >>> 0)
  return crc32InTables(bytes, from, to, seed)
}

/** The same without zlib. */
export function crc32InTables(bytes: Uint8Array, from: number, to: number, seed: number): number {
  const t = TABLES
  let c = ~seed
  let i = from
  for (; i + 8 <= to; i += 8) {
    const low = c ^ (bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24))
    c =
      t[1792 + (low & 255)] ^
      t[1536 + ((low >>> 8) & 255)] ^
      t[1280 + ((low >>> 16) & 255)] ^
      t[1024 + (low >>> 24)] ^
      t[768 + bytes[i + 4]] ^
      t[512 + bytes[i + 5]] ^
      t[256 + bytes[i + 6]] ^
      t[bytes[i + 7]]
  }
  for (; i < to; i++) c = (c >>> 8) ^ t[(c ^ bytes[i]) & 255]
  return ~c >>> 0
}
