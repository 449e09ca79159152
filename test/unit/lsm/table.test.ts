import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { COMPRESSIONS } from '../../../src/lsm/block-frame.ts'
import { BlockCursor } from '../../../src/lsm/block-cursor.ts'
import { KIND_DELETE, KIND_PUT, NEWEST, ValueBuffer } from '../../../src/lsm/entry.ts'
import { TableIterator } from '../../../src/lsm/table-iterator.ts'
import { ABSENT, type TableReader } from '../../../src/lsm/table-reader.ts'
import { verifyTable } from '../../../src/lsm/table-verify.ts'
import { TableWriter } from '../../../src/lsm/table-writer.ts'
import {
  backwards,
  bytesOf,
  compare,
  type Entry,
  entryAt,
  firstFrom,
  forwards,
  openTable,
  randomEntries,
  writeTable,
} from '../../support/entries.ts'
import { MemoryDisk } from '../../support/memory-disk.ts'
import { random } from '../../support/random.ts'

const key = fc.string({ maxLength: 6, unit: fc.constantFrom('a', 'b', '\u0000', '\u00ff', 'c') })
const entry = fc.record({
  key,
  sequence: fc.oneof(fc.nat(9), fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.constant(2 ** 48 - 1)),
  value: fc.option(fc.string({ maxLength: 40, unit: fc.constantFrom('x', 'y', '\u0080') }), { nil: undefined }),
})
const entries = fc
  .uniqueArray(entry, { minLength: 1, maxLength: 60, selector: ({ key, sequence }) => `${key} ${sequence}` })
  .map((list) => list.sort(compare))
const options = fc.record({
  blockBytes: fc.constantFrom(1, 64, 200, 4096),
  restartInterval: fc.constantFrom(1, 2, 5, 16),
  bitsPerKey: fc.constantFrom(0, 1, 10),
  compression: fc.constantFrom(...COMPRESSIONS),
})

function get(reader: TableReader, wanted: string, bound: number): Entry | undefined {
  const into = new ValueBuffer()
  const bytes = bytesOf(`..${wanted}..`)
  const kind = reader.get(bytes, 2, bytes.length - 2, bound, into)
  if (kind === ABSENT) return undefined
  const value = Buffer.from(into.bytes.subarray(0, into.length)).toString('latin1')
  return { key: wanted, sequence: into.sequence, value: kind === KIND_DELETE ? undefined : value }
}

describe('a table against a sorted array', () => {
  test('walks, lookups, seeks, properties', () => {
    fc.assert(
      fc.property(entries, options, fc.array(fc.tuple(key, fc.nat(12)), { maxLength: 10 }), (list, how, places) => {
        const disk = new MemoryDisk()
        const meta = writeTable(disk, 7, list, how)
        expect(meta).toMatchObject({ id: 7, entries: list.length, bytes: disk.sizeOf('000007.table') })
        const reader = openTable(disk, 7)
        expect(verifyTable(reader)).toBe(list.length)
        const walk = new TableIterator(reader)
        expect(forwards(walk)).toEqual(list)
        expect(backwards(walk)).toEqual(list)
        const all = [...places, ...list.map(({ key, sequence }) => [key, sequence] as const)]
        for (const [wanted, bound] of all) {
          const first = firstFrom(list, wanted, bound)
          expect(get(reader, wanted, bound)).toEqual(first?.key === wanted ? first : undefined)
          const bytes = bytesOf(wanted)
          walk.seek(bytes, 0, bytes.length, bound)
          expect(entryAt(walk)).toEqual(first)
          if (!walk.valid) continue
          const at = list.indexOf(first!)
          walk.previous()
          expect(entryAt(walk)).toEqual(list[at - 1])
          if (!walk.valid) continue
          walk.next()
          expect(entryAt(walk)).toEqual(first)
          walk.next()
          expect(entryAt(walk)).toEqual(list[at + 1])
        }
      }),
      { numRuns: Number(process.env['FC_RUNS'] ?? 300), seed: Number(process.env['FC_SEED'] ?? 20240) },
    )
  })

  test('a large one, at every bound', () => {
    const list = randomEntries(random(1), 3000)
    const disk = new MemoryDisk()
    writeTable(disk, 1, list, { blockBytes: 512 })
    const reader = openTable(disk, 1)
    expect(verifyTable(reader)).toBe(list.length)
    for (const { key, sequence } of list) {
      const newest = firstFrom(list, key, NEWEST)
      expect(get(reader, key, NEWEST)).toEqual(newest)
      expect(get(reader, key, sequence)?.sequence).toBe(sequence)
    }
  }, 120_000)

  test('entries larger than a block, empty keys and empty values', () => {
    const list: Entry[] = [
      { key: '', sequence: 3, value: '' },
      { key: '', sequence: 2, value: 'v'.repeat(100_000) },
      { key: 'a'.repeat(5000), sequence: 2 ** 48 - 1, value: 'w'.repeat(300_000) },
      { key: 'b', sequence: 0, value: undefined },
    ]
    for (const compression of COMPRESSIONS) {
      const disk = new MemoryDisk()
      writeTable(disk, 1, list, { compression })
      const reader = openTable(disk, 1)
      expect(forwards(new TableIterator(reader))).toEqual(list)
      for (const one of list) expect(get(reader, one.key, one.sequence)).toEqual(one)
    }
  })
})

test('the table is durable under its name before it is known: written, synced, renamed, directory synced', () => {
  const disk = new MemoryDisk()
  writeTable(disk, 3, [{ key: 'a', sequence: 1, value: 'b' }])
  expect(disk.log).toEqual(['sync 000003.temp', 'rename 000003.temp 000003.table', 'sync directory'])
})

test('a failed sync is an error, and nothing of the table stays', () => {
  const disk = new MemoryDisk()
  disk.failSync = true
  expect(() => writeTable(disk, 3, [{ key: 'a', sequence: 1, value: 'b' }])).toThrow(/sync of 000003.temp/)
  expect(disk.list()).toEqual([])
})

test('entries out of order are refused', () => {
  const writer = new TableWriter(new MemoryDisk(), 1, 1)
  const add = (text: string, sequence: number): void =>
    writer.add(bytesOf(text), 0, text.length, KIND_PUT, sequence, bytesOf(''), 0, 0)
  add('b', 5)
  expect(() => add('b', 5)).toThrow(/out of order/)
  expect(() => add('b', 6)).toThrow(/out of order/)
  expect(() => add('a', 1)).toThrow(/out of order/)
  add('b', 4)
  add('c', 9)
  expect(() => add('d', 2 ** 48)).toThrow(/sequence/)
})

test('blocks end before they get larger than asked for', () => {
  const disk = new MemoryDisk()
  writeTable(disk, 1, randomEntries(random(3), 2000), { blockBytes: 1024 })
  const { properties } = openTable(disk, 1)
  expect(properties.largestPayload).toBeLessThanOrEqual(1024)
  expect(properties.largestPayload).toBeGreaterThan(900)
  expect(properties.dataBlocks).toBeGreaterThan(20)
})

test('keys that share their beginnings take less room', () => {
  const list = Array.from({ length: 1000 }, (_, i) => ({
    key: `a/very/long/common/beginning/${String(i).padStart(6, '0')}`,
    sequence: i,
    value: 'x',
  }))
  const sizes = [1, 16].map((restartInterval) => writeTable(new MemoryDisk(), 1, list, { restartInterval }).bytes)
  expect(sizes[1]).toBeLessThan(sizes[0]! / 2)
})

test('a position that was never taken is not valid', () => {
  const cursor = new BlockCursor()
  expect(cursor.valid).toBe(false)
})
