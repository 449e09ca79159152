import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { STREAM_PAGES } from '../../../src/log/log.ts'
import { ROOT } from '../../../src/pagecache/page-table.ts'
import { COUNTER, sumCounter } from '../../../src/reclaim/participant.ts'
import { type Bytes, entries, faults, firstEngine, put } from './engines.ts'
import { entryKeys, level, makeRoom, pageOf } from './images.ts'
import { keys, textOf } from './keys.ts'

/** Puts keys, in this order, into a fresh tree and gives the keys of its leaves. */
function leavesOf(all: readonly Bytes[], tuning = {}) {
  const engine = firstEngine({ segmentWords: 8192, ...tuning })
  for (const key of all) put(engine, key)
  const leaves = level(engine, 0)
  return { engine, leaves, counts: leaves.map(({ base }) => entryKeys(engine, base).length) }
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i).padStart(4, '0'))

describe('a leaf that is full', () => {
  it('splits in the middle when keys come in no order', () => {
    const shuffled = ['0001', '0003', '0008', '0006', '0005', '0004', '0009', '0002', '0007', '0000']
    const { engine, leaves, counts } = leavesOf(shuffled, { leafEntries: 8, leafSlots: 1 })
    expect(counts).toHaveLength(2)
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(4)
    expect(leaves.map(({ high }) => high)).toEqual([leaves[1]!.low, undefined])
    expect(sumCounter(engine.arena, COUNTER.rootSplits)).toBe(1)
  })

  it('leaves 7/8 of its entries behind when keys ascend at the right end', () => {
    const { counts } = leavesOf(numbered(400), { leafEntries: 64, leafSlots: 4 })
    expect(counts.length).toBeGreaterThan(5)
    for (const count of counts.slice(0, -1)) expect(count).toBeGreaterThanOrEqual(56)
  })

  it('splits in the middle when keys ascend anywhere else', () => {
    const { counts } = leavesOf(['9999', ...numbered(400)], { leafEntries: 64, leafSlots: 4 })
    const inTheMiddle = counts.slice(0, -1)
    expect(inTheMiddle.length).toBeGreaterThan(7)
    expect(Math.min(...inTheMiddle)).toBeLessThan(40)
  })

  it('and descending keys leave pages half full at least', () => {
    const { counts } = leavesOf(numbered(400).reverse(), { leafEntries: 64, leafSlots: 4 })
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(20)
  })

  it('has two halves that divide what it held, whatever the keys', () => {
    const sets = fc.uniqueArray(keys, { minLength: 9, maxLength: 40, selector: textOf })
    fc.assert(
      fc.property(sets, (all) => {
        const { engine, leaves } = leavesOf(all, { leafEntries: 4, leafSlots: 1 })
        const expected = all.map(textOf).sort()
        expect(entries(engine).map(([key]) => key)).toEqual(expected)
        expect(faults(engine)).toEqual([])
        expect(leaves.length).toBeGreaterThan(1)
      }),
      { seed: 1, numRuns: 60 },
    )
  })
})

describe('the separator of two leaves', () => {
  it('is the shortest that tells the last key of the left from the first of the right', () => {
    const sets = fc.uniqueArray(keys, { minLength: 5, maxLength: 5, selector: textOf })
    fc.assert(
      fc.property(sets, (all) => {
        // Five keys in a leaf of four: one split, and nothing was added since.
        const { engine, leaves } = leavesOf(all, { leafEntries: 4, leafSlots: 5 })
        put(engine, all[0]!)
        const inOrder = all.map(textOf).sort()
        if (leaves.length === 1) return
        const [left, right] = leaves
        const first = entryKeys(engine, right!.base)[0]!
        const last = inOrder[inOrder.indexOf(first) - 1]!
        expect(right!.low).toBe(left!.high)
        expect(first.startsWith(right!.low)).toBe(true)
        expect(last < right!.low && right!.low <= first).toBe(true)
        expect(last < right!.low.slice(0, -1)).toBe(false)
      }),
      { seed: 2, numRuns: 200 },
    )
  })

  it.each([
    [['a', 'b', 'c', 'dog', 'duck'], 'du'],
    [['app', 'apple', 'applied', 'apply', 'apt'], 'apt'],
    [['\0', '\0\0', '\0\0\0', '\0\0\0\0', '\0\0\0\0\0\0'], '\0\0\0\0\0'],
    [['', 'ÿ', 'ÿÿ', 'ÿÿÿ', 'ÿÿÿÿÿ'], 'ÿÿÿÿ'],
    [['k1', 'k2', 'k2\0', 'k2\0x', 'k2\0yz'], 'k2\0y'],
  ])('of %j, divided before the last, is %j', (all, separator) => {
    const engine = firstEngine({ leafEntries: 4, leafSlots: 5 })
    for (const key of all) put(engine, Buffer.from(key, 'latin1'))
    // The sixth finds no slot, and goes to the right half.
    put(engine, Buffer.from(`${all[4]}ÿ`, 'latin1'))
    const [left, right] = level(engine, 0)
    expect(entryKeys(engine, left!.base)).toEqual(all.slice(0, 4))
    expect([left!.high, right!.low]).toEqual([separator, separator])
    expect(pageOf(engine, 1).separators).toEqual(['', separator])
    expect(faults(engine)).toEqual([])
  })
})

describe('inner pages', () => {
  it('split when they have too many children, and the root grows', () => {
    const { engine } = leavesOf(numbered(300), { leafEntries: 4, leafSlots: 2, innerEntries: 4 })
    const root = pageOf(engine, 1)
    expect(root.level).toBeGreaterThan(3)
    for (let at = 1; at <= root.level; at++) {
      const pages = level(engine, at)
      for (const { children } of pages) expect(children.length).toBeLessThanOrEqual(4)
      for (const { children } of pages.slice(0, -1)) expect(children.length).toBeGreaterThanOrEqual(2)
      expect(pages.flatMap(({ children }) => children)).toEqual(level(engine, at - 1).map(({ id }) => id))
    }
    expect(sumCounter(engine.arena, COUNTER.rootSplits)).toBe(root.level)
    expect(faults(engine)).toEqual([])
  })

  it('split before they have too many children when the separators are long', () => {
    const long = numbered(80).map((end) => 'x'.repeat(1000) + end)
    const { engine } = leavesOf(long, { leafEntries: 2, leafSlots: 1, innerEntries: 512 })
    for (const { size, children } of [...level(engine, 1), ...level(engine, 2)]) {
      expect(size).toBeLessThan(2500)
      expect(children.length).toBeLessThan(12)
    }
    expect(entries(engine).map(([key]) => key)).toEqual(long)
    expect(faults(engine)).toEqual([])
  })
})

describe('a leaf that is to split while little room is left', () => {
  const all = numbered(9).map((end) => 'x'.repeat(100) + end)

  /** Tries to consolidate a leaf with so many words left in the open segment. @returns whether it was done */
  function trySplit(room: number): boolean {
    const engine = firstEngine({ segmentWords: 8192, leafEntries: 6, leafSlots: 3 })
    const { tree, scheme, log } = engine
    const { cache, table } = tree.context
    for (const key of all) put(engine, key)
    makeRoom(engine)
    const taken = log.available(STREAM_PAGES) - room
    const at = log.reserve(STREAM_PAGES, taken)
    const base = table.load(ROOT)
    const consolidate = (): boolean => {
      scheme.enter()
      const done = tree.consolidate(ROOT, base)
      scheme.leave()
      return done
    }
    const done = consolidate()
    if (!done) {
      expect([table.load(ROOT), tree.context.shortage > room]).toEqual([base, true])
      const words = engine.arena.words.subarray(cache.entriesAt(base), cache.slotsAt(base) + 3)
      expect(words.every((word) => word > 0)).toBe(true)
      log.abort(STREAM_PAGES, at, taken)
      expect(consolidate()).toBe(true)
    }
    expect(level(engine, 0)).toHaveLength(2)
    expect(entries(engine).map(([key]) => key)).toEqual(all)
    return done
  }

  it('splits, or is left as it was, not frozen; what its keys need is enough', () => {
    const rooms = Array.from({ length: 200 }, (_, i) => i * 10)
    const done = rooms.filter(trySplit)
    expect(done).toEqual(rooms.slice(-done.length))
    expect(done[0]).toBeGreaterThan(100)
    expect(done[0]).toBeLessThan(600)
  })
})
