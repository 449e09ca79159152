import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Compaction, type CompactionOptions } from '../../../src/lsm/compaction.ts'
import { NEWEST } from '../../../src/lsm/entry.ts'
import { MergingSource } from '../../../src/lsm/merging-source.ts'
import { Retention } from '../../../src/lsm/retention.ts'
import { TableIterator } from '../../../src/lsm/table-iterator.ts'
import type { TableMeta } from '../../../src/lsm/table-writer.ts'
import { bytesOf, compare, type Entry, forwards, openTable, randomEntries, writeTable } from '../../support/entries.ts'
import { MemoryDisk } from '../../support/memory-disk.ts'
import { random } from '../../support/random.ts'

interface Setup {
  readonly disk: MemoryDisk
  readonly compaction: Compaction
}

function setup(inputs: readonly (readonly Entry[])[], more: Partial<CompactionOptions> = {}): Setup {
  const disk = new MemoryDisk()
  let id = 100
  const sources = inputs.map((entries, i) => {
    writeTable(disk, i + 1, entries)
    return new TableIterator(openTable(disk, i + 1), false)
  })
  const options = { disk, generation: 1, newId: () => id++, tableBytes: 400, snapshots: [], below: [], ...more }
  return { disk, compaction: new Compaction(new MergingSource(sources), options) }
}

function contentOf(disk: MemoryDisk, tables: readonly TableMeta[]): Entry[] {
  return tables.flatMap(({ id }) => forwards(new TableIterator(openTable(disk, id))))
}

/** What a reader at `bound` sees, deletes left out. */
function view(entries: readonly Entry[], bound: number): Map<string, string> {
  const newest = new Map<string, Entry>()
  for (const entry of entries.toSorted(compare)) {
    if (entry.sequence <= bound && !newest.has(entry.key)) newest.set(entry.key, entry)
  }
  const seen = new Map<string, string>()
  for (const { key, value } of newest.values()) if (value !== undefined) seen.set(key, value)
  return seen
}

const entry = fc.record({
  key: fc.string({ maxLength: 2, unit: fc.constantFrom('a', 'b', 'c') }),
  sequence: fc.nat(30),
  value: fc.option(fc.string({ maxLength: 9, unit: fc.constantFrom('x', 'y') }), { nil: undefined }),
  home: fc.nat(2),
})
const list = fc.uniqueArray(entry, {
  minLength: 1,
  maxLength: 50,
  selector: ({ key, sequence }) => `${key} ${sequence}`,
})

describe('against a sorted array', () => {
  test('every snapshot sees the same afterwards, and nothing is left that nobody can see', () => {
    fc.assert(
      fc.property(list, fc.array(fc.nat(31), { maxLength: 4 }), fc.boolean(), (entries, snapshots, hasBelow) => {
        const inputs = [0, 1, 2].map((home) =>
          entries
            .filter((one) => one.home === home)
            .map(({ key, sequence, value }) => ({ key, sequence, value }))
            .sort(compare),
        )
        const all = inputs.flat().sort(compare)
        // Keys with an a may have older versions below.
        const range: TableMeta = { ...EMPTY_META, smallest: bytesOf('a'), greatest: bytesOf('b') }
        const { disk, compaction } = setup(
          inputs.filter((input) => input.length > 0),
          { snapshots, below: hasBelow ? [[], [range]] : [] },
        )
        const { tables, counts } = compaction.run()!
        const kept = contentOf(disk, tables)
        for (const bound of [...snapshots, NEWEST]) expect(view(kept, bound)).toEqual(view(all, bound))
        expect(kept).toEqual(all.filter((one) => isNeeded(one, all, snapshots, hasBelow)))
        expect(counts.entriesRead).toBe(all.length)
        expect(counts.entriesWritten).toBe(kept.length)
        expect(counts.dropped + counts.deletesDropped).toBe(all.length - kept.length)
        expect(counts.bytesWritten).toBe(tables.reduce((sum, { bytes }) => sum + bytes, 0))
        expectDisjoint(tables)
      }),
      { numRuns: Number(process.env['FC_RUNS'] ?? 300), seed: Number(process.env['FC_SEED'] ?? 20240) },
    )
  })
})

const NOTHING = new Uint8Array(0)
const EMPTY_META = {
  id: 1,
  generation: 1,
  bytes: 1,
  entries: 1,
  deletes: 0,
  leastSequence: 0,
  greatestSequence: 0,
  smallest: NOTHING,
  greatest: NOTHING,
}

/** The same rule, by looking at all bounds. */
function isNeeded(one: Entry, all: readonly Entry[], snapshots: readonly number[], hasBelow: boolean): boolean {
  const versions = all.filter(({ key }) => key === one.key)
  const seenBy = (bound: number): Entry | undefined => versions.find(({ sequence }) => sequence <= bound)
  const bounds = [...snapshots, NEWEST]
  const isSeen = (version: Entry): boolean => bounds.some((bound) => seenBy(bound) === version)
  if (!isSeen(one)) return false
  if (one.value !== undefined || (hasBelow && one.key >= 'a' && one.key <= 'b')) return true
  return versions.some((version) => version.sequence < one.sequence && version.value !== undefined && isSeen(version))
}

function expectDisjoint(tables: readonly TableMeta[]): void {
  for (let i = 1; i < tables.length; i++) {
    expect(Buffer.compare(tables[i - 1]!.greatest, tables[i]!.smallest)).toBeLessThan(0)
  }
}

test('tables end soon after the size asked for, and the same input gives the same bytes', () => {
  const inputs = [
    randomEntries(random(1), 2000),
    randomEntries(random(2), 2000).map((one) => ({ ...one, sequence: one.sequence + 2000 })),
  ]
  const runs = [0, 1].map(() => {
    const { disk, compaction } = setup(
      inputs.map((input) => input.sort(compare)),
      { tableBytes: 8192, snapshots: [500, 2500] },
    )
    const { tables } = compaction.run()!
    expect(tables.length).toBeGreaterThan(3)
    for (const { bytes } of tables) expect(bytes).toBeLessThan(16_384)
    return tables.map(({ id }) => Buffer.from(disk.contentOf(`000${id}.table`)).toString('base64'))
  })
  expect(runs[0]).toEqual(runs[1])
})

test('all that is left of deletes alone is nothing', () => {
  const { compaction } = setup([[{ key: 'a', sequence: 2, value: undefined }], [{ key: 'a', sequence: 1, value: 'x' }]])
  const { tables, counts } = compaction.run()!
  expect(tables).toEqual([])
  expect(counts).toMatchObject({ entriesRead: 2, dropped: 1, deletesDropped: 1, entriesWritten: 0, bytesWritten: 0 })
})

test('a compaction that is stopped leaves nothing', () => {
  const { disk, compaction } = setup([randomEntries(random(1), 9000)], { isStopped: () => looks++ > 1 })
  let looks = 0
  const before = disk.list()
  expect(compaction.run()).toBeUndefined()
  expect(looks).toBe(3)
  expect(disk.list()).toEqual(before)
})

test('a corrupt input is an error, and no output is left', () => {
  const entries = randomEntries(random(1), 500)
  const { disk } = setup([entries])
  const bytes = disk.contentOf('000001.table')
  bytes[bytes.length >> 1]! ^= 4
  disk.put('000001.table', bytes)
  let id = 200
  const options = { disk, generation: 1, newId: () => id++, tableBytes: 400, snapshots: [], below: [] }
  const source = new TableIterator(openTable(disk, 1), false)
  expect(() => new Compaction(source, options).run()).toThrow(/000001.table is corrupt at offset \d+/)
  expect(disk.list()).toEqual(['000001.table'])
})

test('an output that is not what was written is noticed', () => {
  class LyingDisk extends MemoryDisk {
    override rename(from: string, to: string): void {
      super.rename(from, to)
      const bytes = this.contentOf(to)
      if (to !== '000100.table') return
      bytes[40]! ^= 1
      this.put(to, bytes)
    }
  }
  const disk = new LyingDisk()
  writeTable(disk, 1, randomEntries(random(1), 50))
  const options = { disk, generation: 1, newId: () => 100, tableBytes: 1e6, snapshots: [], below: [] }
  const compaction = new Compaction(new TableIterator(openTable(disk, 1)), options)
  expect(() => compaction.run()).toThrow(/000100.table is corrupt/)
  expect(disk.list()).toEqual(['000001.table'])
})

test('retention: a snapshot keeps the newest version it sees, of several at one place once', () => {
  const keep = (snapshots: number[], versions: number[]): number[] => {
    const retention = new Retention(snapshots)
    retention.begin()
    return versions.filter((version) => retention.keeps(version))
  }
  expect(keep([], [9, 5, 3])).toEqual([9])
  expect(keep([4], [9, 5, 3, 2])).toEqual([9, 3])
  expect(keep([8, 6, 5, 9], [9, 5, 3])).toEqual([9, 5])
  expect(keep([2], [9, 5, 3])).toEqual([9])
  expect(keep([9, 5], [9, 9, 5, 5])).toEqual([9, 5])
})
