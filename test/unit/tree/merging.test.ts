import { describe, expect, it } from 'vitest'
import { ROOT } from '../../../src/pagecache/page-table.ts'
import { COUNTER, sumCounter } from '../../../src/reclaim/participant.ts'
import { Engine } from '../../../src/store/engine.ts'
import { random } from '../../support/random.ts'
import { entries, faults, firstEngine, put, remove, wrongCounts } from './engines.ts'
import { allPages, level, pageOf } from './images.ts'

const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i).padStart(4, '0'))

function filled(count: number) {
  const engine = firstEngine()
  const keys = numbered(count)
  for (const key of keys) put(engine, key, key)
  return { engine, keys }
}

const orders: Record<string, (keys: string[]) => string[]> = {
  'ascending order': (keys) => keys,
  'descending order': (keys) => [...keys].reverse(),
  'no order': (keys) => {
    const rng = random(7)
    return keys
      .map((key) => [rng.int(1_000_000), key] as const)
      .sort(([a], [b]) => a - b)
      .map(([, key]) => key)
  },
  'every other one first': (keys) => [...keys.filter((_, i) => i % 2 === 0), ...keys.filter((_, i) => i % 2 === 1)],
}

describe.each(Object.entries(orders))('deleting everything in %s', (_, order) => {
  it('merges pages as they become empty, and a drain leaves one page and no garbage', () => {
    const { engine, keys } = filled(200)
    expect(pageOf(engine, ROOT).level).toBeGreaterThan(2)
    const pages = allPages(engine).length
    const left = new Set(keys)
    for (const [i, key] of order(keys).entries()) {
      expect(remove(engine, key)).toBe(left.delete(key))
      if (i % 20 === 0) {
        expect(engine.verify().problems).toEqual([])
        expect(entries(engine).map(([found]) => found)).toEqual([...left])
      }
    }
    expect(allPages(engine).length).toBeLessThan(pages / 2)
    expect([...faults(engine), ...wrongCounts(engine)]).toEqual([])
    expect(engine.tree.context.table.countPages()).toBe(1)
    const root = pageOf(engine, ROOT)
    expect([root.level, root.right, root.low, root.high]).toEqual([0, 0, '', undefined])
    // All ids but the root's can be had again.
    const { list } = engine.tree.context.table
    expect(list.members().size + 1).toBeGreaterThanOrEqual(list.used() - 8)
    expect(sumCounter(engine.arena, COUNTER.merges)).toBeGreaterThan(pages / 4)
  })
})

describe('a leaf that has become underfull', () => {
  it.each([0, 1, 2])('is absorbed by its left neighbour, or absorbs its right one: number %i', (victim) => {
    // Descending keys leave leaves half full, so that two make one.
    const engine = firstEngine({ innerEntries: 16 })
    for (const key of numbered(16).reverse()) put(engine, key)
    const before = level(engine, 0).map(({ id }) => id)
    expect(before.length).toBeGreaterThan(3)
    const { low, high } = level(engine, 0)[victim]!
    const keys = entries(engine).map(([key]) => key)
    const gone = keys.filter((key) => key >= low && key < high!)
    for (const key of gone) remove(engine, key)
    const after = level(engine, 0).map(({ id }) => id)
    const without = (gone: number): number[] => before.filter((_, i) => i !== gone)
    expect([without(Math.max(1, victim)), without(victim + 1)]).toContainEqual(after)
    expect(entries(engine).map(([key]) => key)).toEqual(keys.filter((key) => !gone.includes(key)))
    expect(faults(engine)).toEqual([])
  })

  it('stays when both together would be too full', () => {
    const engine = firstEngine({ leafEntries: 8, leafSlots: 2 })
    for (const key of numbered(24)) put(engine, key)
    engine.drain()
    const before = level(engine, 0).map(({ id }) => id)
    const [, second] = level(engine, 0)
    // Two of its keys stay; with its neighbours' it would make more than three quarters of a page.
    const inSecond = entries(engine)
      .map(([key]) => key)
      .filter((key) => key >= second!.low && key < second!.high!)
    for (const key of inSecond.slice(2)) remove(engine, key)
    engine.drain()
    const after = level(engine, 0).map(({ id }) => id)
    expect(after).toEqual(before)
    remove(engine, inSecond[0]!)
    remove(engine, inSecond[1]!)
    engine.drain()
    expect(faults(engine)).toEqual([])
  })

  it('gives its id back, to be used by a later split', () => {
    const { engine, keys } = filled(100)
    const used = engine.tree.context.table.list.used()
    for (let round = 0; round < 10; round++) {
      for (const key of keys) remove(engine, key)
      engine.drain()
      for (const key of keys) put(engine, key)
    }
    expect(engine.tree.context.table.list.used()).toBeLessThan(used * 2)
    expect(sumCounter(engine.arena, COUNTER.pageIdsReused)).toBeGreaterThan(100)
    expect(faults(engine)).toEqual([])
  })
})

describe('the root', () => {
  it('keeps its id while it grows and collapses over and over', () => {
    const { engine, keys } = filled(100)
    for (let round = 0; round < 5; round++) {
      for (const key of keys) remove(engine, key)
      engine.drain()
      expect(pageOf(engine, ROOT)).toMatchObject({ level: 0, right: 0 })
      for (const key of keys) put(engine, key)
      expect(pageOf(engine, ROOT).level).toBeGreaterThan(2)
    }
    const [splits, collapses] = [
      sumCounter(engine.arena, COUNTER.rootSplits),
      sumCounter(engine.arena, COUNTER.rootCollapses),
    ]
    expect(splits - collapses).toBe(pageOf(engine, ROOT).level)
    expect(collapses).toBeGreaterThan(10)
    expect(faults(engine)).toEqual([])
  })

  it('takes the content of its last child in, a leaf or an inner page', () => {
    const { engine, keys } = filled(60)
    const heights = new Set<number>()
    for (const key of [...keys].reverse()) {
      remove(engine, key)
      engine.drain()
      heights.add(pageOf(engine, ROOT).level)
      expect(engine.verify().problems).toEqual([])
    }
    expect([...heights].sort()).toEqual([0, 1, 2, 3].slice(0, heights.size))
    expect(heights.size).toBeGreaterThan(2)
    expect(sumCounter(engine.arena, COUNTER.rootCollapses)).toBe(heights.size - 1)
  })
})

it('two that delete in turn merge the same pages no more than once', () => {
  const { engine, keys } = filled(150)
  const other = new Engine(engine.arena, 2)
  for (const [i, key] of keys.entries()) expect(remove(i % 2 === 0 ? engine : other, key)).toBe(true)
  other.detach()
  expect(faults(engine)).toEqual([])
  const { arena } = engine
  const gone = sumCounter(arena, COUNTER.merges) + sumCounter(arena, COUNTER.rootCollapses)
  expect(sumCounter(arena, COUNTER.pageIdsRetired)).toBe(gone)
  // Every split makes one page more, that of a root two.
  expect(sumCounter(arena, COUNTER.splits) + sumCounter(arena, COUNTER.rootSplits)).toBe(gone)
})
