/**
 * A block as it stands in a table file: a header, then the payload, perhaps compressed.
 *
 *   offset  bytes  what
 *        0      4  checksum of the place (file id, generation, offset), of bytes 4..15 and of the payload
 *        4      4  length of the payload as stored
 *        8      4  length of the payload when decompressed
 *       12      1  compression: 0 none, 1 deflate (raw), 2 brotli
 *       13      1  kind: 1 data, 2 index, 3 filter, 4 properties
 *       14      2  zero
 *       16      -  payload
 *
 * Nothing is allocated by a length that was only read: the payload's is known from the index and bounded by the file's
 * length before this; a decompression gives up when it gets longer than the header says.
 *
 * Thread safety: pure functions on private memory.
 */
import zlib from 'node:zlib'
import { placedChecksum } from './block-checksum.ts'
import { readU32, writeU32 } from './byte-codec.ts'
import { corruptFile } from './file-error.ts'

export const FRAME_HEADER_BYTES = 16
export const BLOCK_DATA = 1
export const BLOCK_INDEX = 2
export const BLOCK_FILTER = 3
export const BLOCK_PROPERTIES = 4

export const COMPRESSIONS = ['none', 'deflate', 'brotli'] as const
export type Compression = (typeof COMPRESSIONS)[number]

/** The largest payload when decompressed: an arena cannot hold a larger value. */
export const MAX_PAYLOAD_BYTES = 2 ** 29

/** Whose block it is: what its checksum is bound to, and what an error names. */
export interface TableIdentity {
  readonly name: string
  readonly id: number
  readonly generation: number
}

/** A compressed block that is not smaller by an eighth is stored as it is: reading it is cheaper then. */
const LEAST_GAIN = 8

function compressed(payload: Uint8Array, compression: Compression): Uint8Array {
  if (compression === 'deflate') return zlib.deflateRawSync(payload, { level: 1 })
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT, BROTLI_PARAM_LGWIN } = zlib.constants
  return zlib.brotliCompressSync(payload, {
    params: { [BROTLI_PARAM_QUALITY]: 1, [BROTLI_PARAM_SIZE_HINT]: payload.length, [BROTLI_PARAM_LGWIN]: 16 },
  })
}

/**
 * Writes a block to `into`, which has room for the payload and the header.
 * @param offset where in the file it will stand
 * @returns bytes written
 */
export function sealBlock(
  into: Uint8Array,
  at: number,
  payload: Uint8Array,
  kind: number,
  compression: Compression,
  table: TableIdentity,
  offset: number,
): number {
  let stored = payload
  let codec = 0
  if (compression !== 'none') {
    const smaller = compressed(payload, compression)
    if (smaller.length <= payload.length - payload.length / LEAST_GAIN) {
      stored = smaller
      codec = COMPRESSIONS.indexOf(compression)
    }
  }
  writeU32(into, at + 4, stored.length)
  writeU32(into, at + 8, payload.length)
  into[at + 12] = codec
  into[at + 13] = kind
  into[at + 14] = 0
  into[at + 15] = 0
  into.set(stored, at + FRAME_HEADER_BYTES)
  const length = FRAME_HEADER_BYTES + stored.length
  writeU32(into, at, placedChecksum(into, at + 4, at + length, table.id, table.generation, offset))
  return length
}

/**
 * Checks a block that was read to `frame[at..at + length)`.
 * @param length bytes of the whole block, as the index or the footer say
 * @returns whether its payload is there as it is, behind the header; else it is compressed
 * @throws FileError HEDDLE_CORRUPT
 */
export function checkBlock(
  frame: Uint8Array,
  at: number,
  length: number,
  kind: number,
  table: TableIdentity,
  offset: number,
): boolean {
  if (length < FRAME_HEADER_BYTES) throw corruptFile(table.name, offset, 'a block is shorter than its header')
  const expected = placedChecksum(frame, at + 4, at + length, table.id, table.generation, offset)
  if (readU32(frame, at) !== expected) throw corruptFile(table.name, offset, 'the checksum of a block does not match')
  const payload = length - FRAME_HEADER_BYTES
  if (readU32(frame, at + 4) !== payload)
    throw corruptFile(table.name, offset, 'a block has another length than expected')
  if (frame[at + 13] !== kind) throw corruptFile(table.name, offset, 'a block is of another kind than expected')
  if (frame[at + 14] !== 0 || frame[at + 15] !== 0) throw corruptFile(table.name, offset, 'a block has unknown flags')
  const raw = readU32(frame, at + 8)
  if (raw > MAX_PAYLOAD_BYTES) throw corruptFile(table.name, offset, 'a block claims to be too large')
  if (frame[at + 12] !== 0) return false
  if (raw !== payload) throw corruptFile(table.name, offset, 'the two lengths of a plain block differ')
  return true
}

/**
 * As `checkBlock`.
 * @returns the payload: a view of `frame`, or a buffer of its own if it was compressed
 * @throws FileError HEDDLE_CORRUPT
 */
export function openBlock(
  frame: Uint8Array,
  at: number,
  length: number,
  kind: number,
  table: TableIdentity,
  offset: number,
): Uint8Array {
  const isPlain = checkBlock(frame, at, length, kind, table, offset)
  if (isPlain) return frame.subarray(at + FRAME_HEADER_BYTES, at + length)
  return decompressBlock(frame, at, length, table, offset)
}

/**
 * The payload of a block that was checked and is compressed.
 * @throws FileError HEDDLE_CORRUPT
 */
export function decompressBlock(
  frame: Uint8Array,
  at: number,
  length: number,
  table: TableIdentity,
  offset: number,
): Uint8Array {
  const raw = readU32(frame, at + 8)
  const plain = decompressed(frame.subarray(at + FRAME_HEADER_BYTES, at + length), frame[at + 12], raw)
  if (plain?.length !== raw) throw corruptFile(table.name, offset, 'a block cannot be decompressed')
  return plain
}

/** The payload, or undefined if it is none or longer than announced. */
function decompressed(stored: Uint8Array, codec: number, length: number): Uint8Array | undefined {
  const options = { maxOutputLength: Math.max(1, length) }
  try {
    if (codec === 1) return zlib.inflateRawSync(stored, options)
    return codec === 2 ? zlib.brotliDecompressSync(stored, options) : undefined
  } catch {
    return undefined
  }
}
