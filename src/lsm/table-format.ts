/**
 * The parts of a table file, and its last two, which lead to all others.
 *
 *   data blocks     in order of their keys (block-builder.ts), each in a frame (block-frame.ts)
 *   index block     one entry for each data block, likewise; restart points at every entry
 *                     key, sequence: at or after the block's last entry, before the next block's first
 *                     value: offset (u32), length (u32) of the block's frame
 *   filter block    (bloom-filter.ts), if there is one
 *   properties      below, in a frame
 *   footer          52 bytes, at the end of the file
 *
 *   footer:   0  "heddltbl"                     28  offset, 32 length of the filter's frame (0, 0 if there is none)
 *             8  format, 1 (u32)                36  offset, 40 length of the properties' frame
 *            12  file id     16  generation     44  length of the file
 *            20  offset, 24 length of the index's frame
 *            48  checksum of the place and of bytes 0..47
 *
 *   properties: varints: entries, deletes, distinct keys, key bytes, value bytes, data blocks, least and greatest
 *               sequence, largest payload, digest of the content, length of the smallest key; that key; length of the
 *               greatest key; that key
 *
 * All parts touch: the file has no byte that no checksum covers. A table is shorter than 4 GiB, so that the offset of a
 * block is one word.
 *
 * Thread safety: pure functions on private memory.
 */
import { placedChecksum } from './block-checksum.ts'
import { MAX_VARINT_BYTES, readU32, VarintReader, writeU32, writeVarint } from './byte-codec.ts'
import type { TableIdentity } from './block-frame.ts'
import { MAX_KEY_BYTES, MAX_SEQUENCE } from './entry.ts'
import { corruptFile } from './file-error.ts'

export const FOOTER_BYTES = 52
export const MAX_TABLE_BYTES = 2 ** 32 - 1
const MAGIC = Uint8Array.from('heddltbl', (letter) => letter.charCodeAt(0))
const FORMAT = 1
const CHECKSUM = 48

/** Where a block stands, in bytes, its frame included. */
export interface BlockHandle {
  readonly offset: number
  readonly length: number
}

export interface Footer {
  readonly index: BlockHandle
  readonly filter: BlockHandle
  readonly properties: BlockHandle
  readonly fileBytes: number
}

/** What is known of a table without reading its entries. */
export interface TableProperties {
  readonly entries: number
  readonly deletes: number
  readonly keys: number
  readonly keyBytes: number
  readonly valueBytes: number
  readonly dataBlocks: number
  readonly leastSequence: number
  readonly greatestSequence: number
  /** Of the payloads of data blocks. */
  readonly largestPayload: number
  /** CRC-32 over all entries in order (content-digest.ts). */
  readonly digest: number
  readonly smallest: Uint8Array
  readonly greatest: Uint8Array
}

export function encodeFooter(footer: Footer, table: TableIdentity): Uint8Array {
  const bytes = new Uint8Array(FOOTER_BYTES)
  bytes.set(MAGIC)
  writeU32(bytes, 8, FORMAT)
  writeU32(bytes, 12, table.id)
  writeU32(bytes, 16, table.generation)
  const handles = [footer.index, footer.filter, footer.properties]
  for (const [i, handle] of handles.entries()) {
    writeU32(bytes, 20 + 8 * i, handle.offset)
    writeU32(bytes, 24 + 8 * i, handle.length)
  }
  writeU32(bytes, 44, footer.fileBytes)
  const offset = footer.fileBytes - FOOTER_BYTES
  writeU32(bytes, CHECKSUM, placedChecksum(bytes, 0, CHECKSUM, table.id, table.generation, offset))
  return bytes
}

function handleAt(bytes: Uint8Array, at: number): BlockHandle {
  return { offset: readU32(bytes, at), length: readU32(bytes, at + 4) }
}

/**
 * Checks a footer. Afterwards the handles lie within the file, and follow one another up to the footer.
 * @param fileBytes length of the file
 * @throws FileError HEDDLE_CORRUPT
 */
export function decodeFooter(bytes: Uint8Array, fileBytes: number, table: TableIdentity): Footer {
  const offset = fileBytes - FOOTER_BYTES
  const fail = (what: string): never => {
    throw corruptFile(table.name, offset, what)
  }
  for (let i = 0; i < MAGIC.length; i++) if (bytes[i] !== MAGIC[i]) fail('no footer of a table at the end')
  const expected = placedChecksum(bytes, 0, CHECKSUM, table.id, table.generation, offset)
  if (readU32(bytes, CHECKSUM) !== expected) fail('the checksum of the footer does not match')
  if (readU32(bytes, 8) !== FORMAT) fail('a table of an unknown format')
  if (readU32(bytes, 12) !== table.id) fail('the table of another id')
  if (readU32(bytes, 16) !== table.generation) fail('the table of another generation')
  if (readU32(bytes, 44) !== fileBytes) fail('the file has another length than it had')
  const footer = { index: handleAt(bytes, 20), filter: handleAt(bytes, 28), properties: handleAt(bytes, 36), fileBytes }
  const filterAt = footer.filter.length === 0 ? footer.properties.offset : footer.filter.offset
  const follows =
    footer.index.offset + footer.index.length === filterAt &&
    filterAt + footer.filter.length === footer.properties.offset &&
    footer.properties.offset + footer.properties.length === offset
  if (!follows) fail('blocks that do not follow one another')
  return footer
}

export function encodeProperties(properties: TableProperties): Uint8Array {
  const { smallest, greatest } = properties
  const bytes = new Uint8Array(12 * MAX_VARINT_BYTES + smallest.length + greatest.length)
  let at = 0
  for (const field of numbersOf(properties)) at = writeVarint(bytes, at, field)
  at = writeVarint(bytes, at, smallest.length)
  bytes.set(smallest, at)
  at = writeVarint(bytes, at + smallest.length, greatest.length)
  bytes.set(greatest, at)
  return bytes.subarray(0, at + greatest.length)
}

function numbersOf(properties: TableProperties): number[] {
  const { entries, deletes, keys, keyBytes, valueBytes, dataBlocks } = properties
  const { leastSequence, greatestSequence, largestPayload, digest } = properties
  return [
    entries,
    deletes,
    keys,
    keyBytes,
    valueBytes,
    dataBlocks,
    leastSequence,
    greatestSequence,
    largestPayload,
    digest,
  ]
}

/** @throws FileError HEDDLE_CORRUPT */
export function decodeProperties(bytes: Uint8Array, table: TableIdentity, offset: number): TableProperties {
  const varints = new VarintReader()
  varints.start(bytes, 0, bytes.length)
  const read = (): number => varints.next()
  const key = (): Uint8Array => {
    const length = varints.next()
    const from = varints.at
    if (from < 0 || length > MAX_KEY_BYTES || from + length > bytes.length) {
      throw corruptFile(table.name, offset, 'properties with an impossible key')
    }
    varints.start(bytes, from + length, bytes.length)
    return bytes.slice(from, from + length)
  }
  const properties = {
    entries: read(),
    deletes: read(),
    keys: read(),
    keyBytes: read(),
    valueBytes: read(),
    dataBlocks: read(),
    leastSequence: read(),
    greatestSequence: read(),
    largestPayload: read(),
    digest: read(),
    smallest: key(),
    greatest: key(),
  }
  const { entries, deletes, keys, greatestSequence } = properties
  const possible = entries > 0 && deletes <= entries && keys <= entries && greatestSequence <= MAX_SEQUENCE
  if (varints.at !== bytes.length || !possible) throw corruptFile(table.name, offset, 'impossible properties')
  return properties
}
