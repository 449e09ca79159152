import { expect, test } from 'vitest'
import { BlockCache, placeCache } from '../../../src/lsm/block-cache.ts'
import { KIND_PUT, NEWEST, ValueBuffer } from '../../../src/lsm/entry.ts'
import { TableIterator } from '../../../src/lsm/table-iterator.ts'
import { TableReader } from '../../../src/lsm/table-reader.ts'
import { createArena } from '../../../src/memory/arena.ts'
import { EpochScheme } from '../../../src/reclaim/epoch.ts'
import { claimSlot } from '../../../src/reclaim/participant.ts'
import { bytesOf, type Entry, forwards, writeTable } from '../../support/entries.ts'
import { MemoryDisk } from '../../support/memory-disk.ts'
import { random } from '../../support/random.ts'

const LIST: Entry[] = Array.from({ length: 2000 }, (_, i) => ({
  key: `key${String(i).padStart(5, '0')}`,
  sequence: i,
  value: `value of ${i}`.repeat(1 + (i % 3)),
}))

function arena() {
  return createArena({
    arenaWords: 1 << 20,
    segmentWords: 4096,
    maxParticipants: 4,
    pageIds: 64,
    leafEntries: 4,
    leafSlots: 2,
    innerEntries: 4,
    inlineBytes: 256,
    maxSnapshots: 2,
    clockBits: 28,
    snapshotMs: 0,
    snapshotWords: 2 ** 30,
    tierWords: 0,
    scheme: 'epoch',
    paranoid: true,
  })
}

/** Two participants with a cache of about so many bytes in the segments of an arena. */
function caches(bytes: number, blockBytes: number): BlockCache[] {
  const shared = arena()
  const at = shared.layout.firstSegment << shared.layout.segmentShift
  const geometry = placeCache(at, bytes, blockBytes)
  expect((geometry.end - at) * 4).toBeLessThan(bytes + 1024)
  return [1, 2].map((threadId) => {
    const me = claimSlot(shared, threadId)!
    return new BlockCache(shared, new EpochScheme(shared, me), me, geometry)
  })
}

function expectAll(reader: TableReader, order: readonly Entry[]): void {
  const into = new ValueBuffer()
  for (const { key, value } of order) {
    expect(reader.get(bytesOf(key), 0, key.length, NEWEST, into)).toBe(KIND_PUT)
    expect(Buffer.from(into.bytes.subarray(0, into.length)).toString()).toBe(value)
  }
}

test('a cache that holds all reads each block once, for all readers together', () => {
  const disk = new MemoryDisk()
  writeTable(disk, 1, LIST, { blockBytes: 512 })
  const [a, b] = caches(2 ** 20, 512).map((cache) => new TableReader(disk, 1, 1, cache))
  expectAll(a!, LIST)
  const blocks = a!.properties.dataBlocks
  expect(a!.blocksRead).toBe(blocks)
  expectAll(b!, LIST)
  expect(forwards(new TableIterator(b!))).toEqual(LIST)
  expect(b!.blocksRead).toBe(0)
})

test('a cache that is far too small gives right answers, and keeps what is in use', () => {
  const disk = new MemoryDisk()
  writeTable(disk, 1, LIST, { blockBytes: 512 })
  const [cache] = caches(40 * 1024, 512)
  const reader = new TableReader(disk, 1, 1, cache)
  const r = random(1)
  const hot = LIST.slice(0, 60)
  for (let i = 0; i < 20; i++) expectAll(reader, [...hot, ...Array.from({ length: 60 }, () => r.pick(LIST))])
  const before = reader.blocksRead
  expectAll(reader, hot)
  expect(reader.blocksRead - before).toBeLessThan(8)
  expect(cache!.evictions).toBeGreaterThan(100)
  const report = cache!.verify()
  expect(report.problems).toEqual([])
  expect(report.inSlots + report.retired + report.fresh + report.held).toBe(cache!.geometry.frames)
})

test('blocks that are larger than a frame are read past the cache', () => {
  const disk = new MemoryDisk()
  const large = [{ key: 'k', sequence: 1, value: 'x'.repeat(5000) }]
  writeTable(disk, 1, large, { blockBytes: 512 })
  const [cache] = caches(40 * 1024, 512)
  const reader = new TableReader(disk, 1, 1, cache)
  expectAll(reader, large)
  expectAll(reader, large)
  expect(reader.blocksRead).toBe(2)
  expect(cache!.fills).toBe(0)
})

test('a block that is damaged is not cached, and what is read next is', () => {
  const disk = new MemoryDisk()
  writeTable(disk, 1, LIST, { blockBytes: 512 })
  const [cache] = caches(2 ** 20, 512)
  const reader = new TableReader(disk, 1, 1, cache)
  const name = '000001.table'
  const whole = disk.contentOf(name)
  disk.put(
    name,
    whole.map((byte, at) => (at === 100 ? byte ^ 1 : byte)),
  )
  expect(() => expectAll(new TableReader(disk, 1, 1, cache), LIST.slice(0, 1))).toThrow(/000001.table.*checksum/)
  expect(cache!.fills).toBe(0)
  disk.put(name, whole)
  expectAll(reader, LIST)
  expect(cache!.fills).toBe(reader.properties.dataBlocks)
  expect(cache!.verify().problems).toEqual([])
})

test.each(['deflate', 'brotli'] as const)('blocks with %s are cached as they were before', (compression) => {
  const disk = new MemoryDisk()
  const text: Entry[] = LIST.slice(0, 600).map((entry) => ({ ...entry, value: entry.value!.repeat(3) }))
  writeTable(disk, 1, text, { blockBytes: 512, compression })
  const [cache] = caches(2 ** 20, 600)
  const reader = new TableReader(disk, 1, 1, cache)
  expectAll(reader, text)
  expectAll(reader, text)
  expect(reader.blocksRead).toBe(reader.properties.dataBlocks)
  expect(forwards(new TableIterator(reader))).toEqual(text)
})

test('a walk over everything can leave the cache alone', () => {
  const disk = new MemoryDisk()
  writeTable(disk, 1, LIST, { blockBytes: 512 })
  const [cache] = caches(2 ** 20, 512)
  const reader = new TableReader(disk, 1, 1, cache)
  expect(forwards(new TableIterator(reader, false))).toEqual(LIST)
  expect(cache!.fills).toBe(0)
})

test('what a participant had in reserve goes back when it leaves', () => {
  const [a, b] = caches(40 * 1024, 512)
  // Cached already: the frame taken for it stays in reserve.
  for (const cache of [b!, a!]) cache.fill(1, 0, Uint8Array.of(1, 2, 3))
  expect(a!.verify().held).toBe(1)
  a!.scheme.detach()
  expect(b!.verify()).toMatchObject({ held: 0, inSlots: 1, retired: 1, problems: [] })
})
