/** One lie at a time, with checksums that fit: each is refused for what it is. */
import { expect, test } from 'vitest'
import { BlockCursor } from '../../src/lsm/block-cursor.ts'
import { openBlock } from '../../src/lsm/block-frame.ts'
import { readU32, writeU32 } from '../../src/lsm/byte-codec.ts'
import { FOOTER_BYTES } from '../../src/lsm/table-format.ts'
import { TableIterator } from '../../src/lsm/table-iterator.ts'
import { TableReader } from '../../src/lsm/table-reader.ts'
import type { TableOptions } from '../../src/lsm/table-writer.ts'
import { verifyTable } from '../../src/lsm/table-verify.ts'
import { backwards, bytesOf, type Entry, writeTable } from '../support/entries.ts'
import { MemoryDisk } from '../support/memory-disk.ts'
import { fixFooter, fixFrame, framesOf, lookup, NAME } from './table-parts.ts'

const LIST: Entry[] = Array.from({ length: 12 }, (_, i) => ({
  key: `key${i + 10}`,
  sequence: i,
  value: `val${i + 10}`,
}))

/** The parts of a file, to be changed. */
interface Parts {
  readonly file: Uint8Array
  readonly footer: number
  /** Where each frame begins. */
  readonly data: number
  readonly index: number
  readonly filter: number
  readonly properties: number
  /** One past the first data block. */
  readonly dataEnd: number
}

function madeUp(lie: (parts: Parts) => void, options: TableOptions): Uint8Array {
  const disk = new MemoryDisk()
  writeTable(disk, 7, LIST, { blockBytes: 120, restartInterval: 2, ...options })
  const file = disk.contentOf(NAME)
  const frames = framesOf(file)
  const [index, filter, properties] = frames.slice(-3).map(({ offset }) => offset) as [number, number, number]
  const dataEnd = frames[0]!.length
  lie({ file, footer: file.length - FOOTER_BYTES, data: 0, index, filter, properties, dataEnd })
  for (const frame of frames) fixFrame(file, frame)
  fixFooter(file)
  return file
}

/** Everything that looks at all of a table. */
function readAll(file: Uint8Array): void {
  const disk = new MemoryDisk()
  disk.put(NAME, file)
  const reader = new TableReader(disk, 7, 1)
  for (const { key, sequence } of LIST) lookup(reader, key, sequence)
  backwards(new TableIterator(reader))
  verifyTable(reader)
}

const add = (file: Uint8Array, at: number, difference: number): void =>
  writeU32(file, at, readU32(file, at) + difference)

const LIES: [string, (parts: Parts) => void, RegExp, TableOptions?][] = [
  ['the length of a block', ({ file, data }) => add(file, data + 4, 1), /another length than expected/],
  ['its kind', ({ file, data }) => (file[data + 13] = 2), /of another kind/],
  ['its flags', ({ file, data }) => (file[data + 15] = 1), /unknown flags/],
  ['the decompressed length of a plain one', ({ file, data }) => add(file, data + 8, 1), /the two lengths/],
  ['a decompressed length of a gigabyte', ({ file, data }) => writeU32(file, data + 8, 2 ** 30), /too large/],
  ['a compression that it has not', ({ file, data }) => (file[data + 12] = 1), /cannot be decompressed/],
  ['a compression that there is not', ({ file, data }) => (file[data + 12] = 3), /cannot be decompressed/],
  [
    'a decompressed length, a byte more',
    ({ file, data }) => add(file, data + 8, 1),
    /cannot be decompressed/,
    { compression: 'deflate', blockBytes: 1000 },
  ],
  [
    'a decompressed length, a byte less',
    ({ file, data }) => add(file, data + 8, -1),
    /cannot be decompressed/,
    { compression: 'brotli', blockBytes: 1000 },
  ],
  ['the number of restart points', ({ file, dataEnd }) => writeU32(file, dataEnd - 4, 99), /more restart points/],
  ['no restart points', ({ file, dataEnd }) => writeU32(file, dataEnd - 4, 0), /entries without a restart point/],
  ['a late first restart point', ({ file, dataEnd }) => writeU32(file, dataEnd - 4, 1), /not at the beginning/],
  ['a restart point far away', ({ file, dataEnd }) => writeU32(file, dataEnd - 8, 9999), /behind the entries/],
  [
    'a restart point between entries',
    ({ file, dataEnd }) => add(file, dataEnd - 8, 1),
    /an? (impossible|key|entry)|do not fit/,
  ],
  ['a value that is too long', ({ file, data }) => (file[data + 18] = 126), /reaches beyond its block/],
  ['a key that goes on from none', ({ file, data }) => (file[data + 16] = 1), /impossible length/],
  ['an entry without an end', ({ file, data }) => file.fill(255, data + 16, data + 26), /does not end/],
  ['a sequence below 0', ({ file, data }) => (file[data + 19] = 1), /impossible sequence/],
  ['the size of an index entry', ({ file, index }) => (file[index + 18]! -= 2), /of another size/],
  [
    'a block behind the data',
    ({ file, index }) => writeU32(file, index + 16 + 4 + file[index + 17]!, 9999),
    /leads out of the data/,
  ],
  [
    'the length of a block in the index',
    ({ file, index }) => writeU32(file, index + 16 + 8 + file[index + 17]!, 3),
    /leads out of the data/,
  ],
  ['the keys of the filter', ({ file, filter }) => add(file, filter + 20, 1), /another number of keys/],
  ['the positions of the filter', ({ file, filter }) => writeU32(file, filter + 16, 99), /another number of keys/],
  [
    'bits of the filter',
    ({ file, filter, properties }) => file.fill(0, filter + 24, properties),
    /not in the filter|sequence|entries are|last key/,
  ],
  ['no entries', ({ file, properties }) => (file[properties + 16] = 0), /impossible properties/],
  ['the number of entries', ({ file, properties }) => file[properties + 16]!++, /entries are 12, not 13/],
  ['the smallest key', ({ file, footer }) => (file[footer - 7] = 98), /first key is not the one/],
  ['the greatest key', ({ file, footer }) => (file[footer - 1] = 98), /last key is not the one/],
  ['the length of a key', ({ file, footer }) => (file[footer - 6] = 9), /impossible key/],
  ['a shorter key', ({ file, footer }) => (file[footer - 6] = 4), /impossible properties/],
  ['the file id', ({ file, footer }) => add(file, footer + 12, 1), /of another id/],
  ['the generation', ({ file, footer }) => add(file, footer + 16, 1), /of another generation/],
  ['the format', ({ file, footer }) => add(file, footer + 8, 1), /unknown format/],
  ['the length of the file', ({ file, footer }) => add(file, footer + 44, 1), /another length than it had/],
  ['where the index begins', ({ file, footer }) => add(file, footer + 20, 1), /do not follow/],
  ['where the filter begins', ({ file, footer }) => add(file, footer + 28, 1), /do not follow/],
  ['how long the properties are', ({ file, footer }) => add(file, footer + 40, -1), /do not follow/],
  ['a value', ({ file, data }) => (file[data + 26] = 33), /digest of the content/],
  ['the order of entries', ({ file, data }) => (file[data + 23] = 122), /out of order|first key/],
]

test.each(LIES)('%s', (_, lie, message, options = {}) => {
  readAll(madeUp(() => undefined, options))
  expect(() => readAll(madeUp(lie, options))).toThrow(message)
})

test('restart points in the wrong order, backwards', () => {
  const disk = new MemoryDisk()
  const lie = ({ file, dataEnd }: Parts): void => writeU32(file, dataEnd - 12, readU32(file, dataEnd - 8))
  disk.put(NAME, madeUp(lie, {}))
  const walk = new TableIterator(new TableReader(disk, 7, 1))
  expect(() => backwards(walk)).toThrow(/do not fit together/)
})

test('payloads that are too short for anything', () => {
  const cursor = new BlockCursor()
  expect(() => cursor.open(bytesOf('abc'), 0, 3, NAME, 0)).toThrow(/without restart points/)
  cursor.open(new Uint8Array(4), 0, 4, NAME, 0)
  cursor.seekFirst()
  expect(cursor.valid).toBe(false)
  expect(() => openBlock(new Uint8Array(8), 0, 8, 1, { name: NAME, id: 7, generation: 1 }, 0)).toThrow(
    /than its header/,
  )
})

test('a file that is too short for a footer, and one that is not there', () => {
  const disk = new MemoryDisk()
  disk.put(NAME, new Uint8Array(51))
  expect(() => new TableReader(disk, 7, 1)).toThrow(/a table of 51 bytes/)
  expect(() => new TableReader(disk, 8, 1)).toThrow(/ENOENT/)
})
