import { describe, expect, test } from 'vitest'
import { applyPick, overlapping, pickCompaction, pickFrom, writeAmplification } from '../../../src/lsm/picking.ts'
import { random } from '../../support/random.ts'
import type { TableMeta } from '../../../src/lsm/table-writer.ts'
import { bytesOf } from '../../support/entries.ts'

let nextId = 1

function table(range: string, bytes = 100): TableMeta {
  const [smallest, greatest] = range.split('-')
  const counts = { generation: 1, entries: 1, deletes: 0, leastSequence: 0, greatestSequence: 0 }
  return { id: nextId++, bytes, ...counts, smallest: bytesOf(smallest!), greatest: bytesOf(greatest ?? smallest!) }
}

const text = ({ smallest, greatest }: TableMeta): string =>
  `${Buffer.from(smallest).toString()}-${Buffer.from(greatest).toString()}`

const OPTIONS = { levelZeroTables: 2, levelOneBytes: 300, growth: 10, levels: 4 }

describe('what is due', () => {
  test('nothing, as long as no level is full', () => {
    expect(pickCompaction([], 0, OPTIONS)).toBeUndefined()
    expect(pickCompaction([[table('a-b')], [table('a-b')]], 99, OPTIONS)).toBeUndefined()
    expect(pickCompaction([[], []], 1e9, { ...OPTIONS, compactEvery: 1 })).toBeUndefined()
  })

  test('level 0 by its tables: all of them, with what they overlap', () => {
    const levels = [[table('k-m'), table('a-c')], [table('b-d'), table('e-f'), table('x-z')], [table('a-z')]]
    const pick = pickCompaction(levels, 0, OPTIONS)!
    expect(pick).toMatchObject({ from: 0, to: 1, reason: 'tables', isMove: false })
    expect(pick.upper).toEqual(levels[0])
    expect(pick.lower.map(text)).toEqual(['b-d', 'e-f'])
    expect(pick.below).toEqual([levels[2]])
  })

  test('a level by its bytes: the table that has least below it', () => {
    const levels = [[], [table('a-c', 200), table('d-f', 200), table('g-i', 200)], [table('a-e', 50), table('h-i', 10)]]
    const pick = pickCompaction(levels, 0, OPTIONS)!
    expect(pick).toMatchObject({ from: 1, to: 2, reason: 'bytes' })
    expect(pick.upper.map(text)).toEqual(['g-i'])
    expect(pick.lower.map(text)).toEqual(['h-i'])
  })

  test('the fullest level first', () => {
    const levels = [[table('a'), table('a'), table('a')], [table('a-c', 1000)], []]
    expect(pickCompaction(levels, 0, OPTIONS)!.from).toBe(1)
  })

  test('the last level never', () => {
    expect(pickCompaction([[], [], [], [table('a-b', 1e9)]], 1e9, { ...OPTIONS, compactEvery: 1 })).toBeUndefined()
  })

  test('by updates, although nothing is full', () => {
    const levels = [[table('a-b')], []]
    expect(pickCompaction(levels, 9999, { ...OPTIONS, compactEvery: 10_000 })).toBeUndefined()
    expect(pickCompaction(levels, 10_000, { ...OPTIONS, compactEvery: 10_000 })).toMatchObject({
      from: 0,
      reason: 'updates',
      isMove: true,
    })
  })
})

test('overlapping: both ends belong to a range', () => {
  const level = [table('b-d'), table('f-h'), table('j-l')]
  const found = (range: string): string[] => {
    const { smallest, greatest } = table(range)
    return overlapping(level, smallest, greatest).map(text)
  }
  expect(found('a-a')).toEqual([])
  expect(found('a-b')).toEqual(['b-d'])
  expect(found('d-f')).toEqual(['b-d', 'f-h'])
  expect(found('e-e')).toEqual([])
  expect(found('h-z')).toEqual(['f-h', 'j-l'])
  expect(found('m-z')).toEqual([])
})

test('the levels afterwards are in order, and hold what the inputs were replaced by', () => {
  const levels = [[table('a-m')], [table('b-d'), table('x-z')]]
  const pick = pickFrom(levels, 0, 'updates')
  const after = applyPick(levels, pick, [table('a-g'), table('h-m')])
  expect(after.map((level) => level.map(text))).toEqual([[], ['a-g', 'h-m', 'x-z']])
  const moved = applyPick([[table('a-b')]], pickFrom([[levels[0]![0]!]], 0, 'tables'), [levels[0]![0]!])
  expect(moved[1]!.map(text)).toEqual(['a-m'])
})

test('levels come to rest below their limits, whatever is put on top, and the same way each time', () => {
  const r = random(4)
  let levels: TableMeta[][] = [[]]
  let flushed = 0
  let compacted = 0
  for (let flush = 0; flush < 300; flush++) {
    const from = r.int(900)
    levels[0]!.unshift(table(`${100 + from}-${100 + from + r.int(99)}`))
    flushed += 100
    for (;;) {
      const pick = pickCompaction(levels, 0, OPTIONS)
      if (pick === undefined) break
      expect(pickCompaction(levels, 0, OPTIONS)).toEqual(pick)
      levels = merge(levels, pick)
      compacted += pick.isMove ? 0 : 100 * (pick.upper.length + pick.lower.length)
    }
    expect(levels[0]!.length).toBeLessThan(2)
  }
  expect(levels.length).toBeLessThanOrEqual(4)
  expect(writeAmplification(flushed, compacted)).toBeGreaterThan(2)
  expect(writeAmplification(flushed, compacted)).toBeLessThan(60)
})

/** As if a compaction gave one table for each two that went in, over the same range. */
function merge(levels: TableMeta[][], pick: NonNullable<ReturnType<typeof pickCompaction>>): TableMeta[][] {
  if (pick.isMove) return applyPick(levels, pick, pick.upper)
  const all = [...pick.upper, ...pick.lower]
  const ends = all.flatMap((one) => [text(one).slice(0, 3), text(one).slice(4)]).sort()
  return applyPick(levels, pick, [table(`${ends[0]}-${ends.at(-1)}`, 60 * all.length)])
}

test('nothing was flushed: nothing was amplified', () => {
  expect(writeAmplification(0, 0)).toBe(1)
  expect(writeAmplification(100, 250)).toBe(3.5)
})
