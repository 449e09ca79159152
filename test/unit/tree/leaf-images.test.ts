import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Engine } from '../../../src/store/engine.ts'
import { slotWords } from '../../../src/pagecache/base.ts'
import { EMPTIED } from '../../../src/pagecache/fragment.ts'
import { ROOT } from '../../../src/pagecache/page-table.ts'
import { LeafImage, MAX_PREFIX_BYTES } from '../../../src/tree/leaf-image.ts'
import { NO_FENCE, headsAt, pageCount } from '../../../src/tree/page.ts'
import { headAt } from '../../../src/tree/key.ts'
import { firstEngine, put, remove } from './engines.ts'
import { entryKeys, keyOf, makeRoom, partsOf } from './images.ts'
import { keys, textOf } from './keys.ts'

/** Leaves that neither split nor fill their slots during a test. */
function wideEngine(leafSlots = 40): Engine {
  return firstEngine({ leafEntries: 400, leafSlots, segmentWords: 8192, pageIds: 16 })
}

/** The root leaf, consolidated from what was put so far. */
function consolidate(engine: Engine): void {
  const { tree, scheme } = engine
  makeRoom(engine)
  scheme.enter()
  tree.consolidate(ROOT, tree.context.table.load(ROOT))
  scheme.leave()
}

function root({ tree }: Engine): number {
  return tree.context.table.load(ROOT)
}

/** What an image gathers from the root leaf. */
function gathered(engine: Engine): { image: LeafImage; keys: string[] } {
  const image = new LeafImage(engine.tree.context, engine.tree.search)
  image.clear()
  image.gather(root(engine), null)
  return { image, keys: [...image.records.subarray(0, image.count)].map((record) => keyOf(engine, record)) }
}

const empty = { bytes: new Uint8Array(0), at: 0, length: 0 }
const byBytes = (a: Uint8Array, b: Uint8Array): number => Buffer.compare(a, b)
const keySets = fc.uniqueArray(keys, { maxLength: 30, selector: textOf })

describe('gathering a leaf', () => {
  it('gives its entries and what came later in order, without what was deleted', () => {
    fc.assert(
      fc.property(keySets, keySets, fc.array(fc.nat(), { maxLength: 10 }), (early, late, gone) => {
        const engine = wideEngine()
        const model = new Map<string, Uint8Array>()
        for (const key of early) {
          put(engine, key)
          model.set(textOf(key), key)
        }
        consolidate(engine)
        for (const key of late) {
          put(engine, key, 'later')
          model.set(textOf(key), key)
        }
        for (const which of gone) {
          const victim = [...model.values()][which % Math.max(1, model.size)]
          if (victim === undefined) break
          remove(engine, victim)
          model.delete(textOf(victim))
        }
        expect(gathered(engine).keys).toEqual([...model.values()].sort(byBytes).map(textOf))
      }),
      { seed: 1, numRuns: 100 },
    )
  })

  it('gives the same of a page that is frozen', () => {
    const engine = wideEngine(6)
    for (const key of ['b', 'd', 'f']) put(engine, key)
    consolidate(engine)
    for (const key of ['a', 'e']) put(engine, key)
    remove(engine, 'd')
    const before = gathered(engine).keys
    engine.tree.context.cache.freeze(root(engine))
    expect(gathered(engine).keys).toEqual(before)
    expect(before).toEqual(['a', 'b', 'e', 'f'])
  })

  it('knows ascending inserts, whose keys all came behind the entries', () => {
    const engine = wideEngine()
    for (const key of ['b', 'd']) put(engine, key)
    expect(gathered(engine).image.ascending).toBe(true)
    consolidate(engine)
    expect(gathered(engine).image.ascending).toBe(false)
    for (const key of ['g', 'e']) put(engine, key)
    expect(gathered(engine).image.ascending).toBe(true)
    put(engine, 'c')
    expect(gathered(engine).image.ascending).toBe(false)
  })

  it('of two neighbours gives one leaf', () => {
    const engine = wideEngine()
    for (const key of ['m1', 'm2', 'm3']) put(engine, key)
    consolidate(engine)
    const left = root(engine)
    const other = wideEngine()
    expect(pageCount(engine.arena.words, left)).toBe(3)
    const image = new LeafImage(engine.tree.context, engine.tree.search)
    makeRoom(engine)
    image.gather(left, null)
    const first = image.write(2, 3, empty, { ...empty, bytes: Uint8Array.of(0x6d, 0x32), length: 2 }, 0, 1)
    const second = image.write(3, 0, { ...empty, bytes: Uint8Array.of(0x6d, 0x32), length: 2 }, null, 1, 3)
    image.clear()
    image.gather(first, null)
    image.gather(second, null)
    const base = image.write(2, 0, empty, null, 0, image.count)
    expect(entryKeys(engine, base)).toEqual(['m1', 'm2', 'm3'])
    expect(partsOf(engine, base)).toMatchObject({ prefix: 'm', low: '', high: undefined, right: 0 })
    expect(other.arena).not.toBe(engine.arena)
  })
})

describe('a leaf that is written', () => {
  it('has the prefix its keys share and the heads behind it, also where it could keep the old ones', () => {
    fc.assert(
      fc.property(keySets, keySets, fc.nat(), fc.nat(), (early, late, one, other) => {
        const engine = wideEngine()
        const { words } = engine.arena
        for (const key of early) put(engine, key)
        consolidate(engine)
        for (const key of late) put(engine, key)
        makeRoom(engine)
        const { image, keys: all } = gathered(engine)
        const [from, to] = [one % (all.length + 1), other % (all.length + 1)].sort((a, b) => a - b) as [number, number]
        for (const [first, end] of [
          [0, all.length],
          [from, to],
        ] as const) {
          const base = image.write(5, 6, empty, null, first, end)
          const { prefix, right, heads, level } = partsOf(engine, base)
          expect([right, level]).toEqual([6, 0])
          expect(entryKeys(engine, base)).toEqual(all.slice(first, end))
          expect(prefix.length).toBeLessThanOrEqual(MAX_PREFIX_BYTES)
          expect(all.slice(first, end).every((key) => key.startsWith(prefix))).toBe(true)
          const expected = all.slice(first, end).map((key) => {
            return headAt(Buffer.from(key, 'latin1'), 0, key.length, prefix.length)
          })
          expect(heads).toEqual(expected)
          expect(words.subarray(headsAt(words, base) + 2 * (end - first), base + partsOf(engine, base).size)).toEqual(
            new Int32Array(slotWords(engine.arena.layout.leafSlots)),
          )
          expect(partsOf(engine, base).size).toBeLessThanOrEqual(image.wordsNeeded(end - first, 0, NO_FENCE))
        }
      }),
      { seed: 2, numRuns: 100 },
    )
  })

  it('takes the longest prefix of a page whose ends share it', () => {
    const engine = wideEngine()
    for (const end of ['1', '22', '3\0', '']) put(engine, `common/${end}`)
    consolidate(engine)
    expect(partsOf(engine, root(engine)).prefix).toBe('common/')
    put(engine, 'coma')
    consolidate(engine)
    expect(partsOf(engine, root(engine)).prefix).toBe('com')
    // A page that has only lost keys keeps its prefix, and with it its heads.
    remove(engine, 'coma')
    consolidate(engine)
    expect(partsOf(engine, root(engine)).prefix).toBe('com')
  })

  it("has heads of its own for a half that shares more than the page, and the page's where it does not", () => {
    const engine = wideEngine()
    const all = ['a1', 'a2', 'a3', 'b1', 'b2', 'b3']
    for (const key of all) put(engine, key)
    consolidate(engine)
    expect(partsOf(engine, root(engine)).prefix).toBe('')
    makeRoom(engine)
    const { image } = gathered(engine)
    for (const [from, to, prefix] of [
      [0, 3, 'a'],
      [3, 6, 'b'],
      [2, 5, ''],
    ] as const) {
      const written = partsOf(engine, image.write(5, 6, empty, null, from, to))
      const headOf = (key: string): number => headAt(Buffer.from(key), 0, key.length, prefix.length)
      expect([written.prefix, ...written.heads]).toEqual([prefix, ...all.slice(from, to).map(headOf)])
    }
  })

  it('keeps its prefix to what bounds the size of a base', () => {
    const engine = wideEngine()
    for (const end of ['1', '2', '3']) put(engine, 'x'.repeat(1000) + end)
    consolidate(engine)
    expect(partsOf(engine, root(engine)).prefix).toBe('x'.repeat(MAX_PREFIX_BYTES))
    expect(entryKeys(engine, root(engine)).map((key) => key!.at(-1))).toEqual(['1', '2', '3'])
  })

  it('does not take over a deleted entry', () => {
    const engine = wideEngine()
    for (const key of ['a', 'b', 'c']) put(engine, key)
    consolidate(engine)
    remove(engine, 'b')
    expect(entryKeys(engine, root(engine))).toEqual(['a', undefined, 'c'])
    expect(engine.arena.words[engine.tree.context.cache.entriesAt(root(engine)) + 1]).toBe(EMPTIED)
    consolidate(engine)
    expect(entryKeys(engine, root(engine))).toEqual(['a', 'c'])
  })

  it('is written whole or not at all', () => {
    const engine = wideEngine()
    put(engine, 'a')
    const { image } = gathered(engine)
    const all = engine.log.available(1)
    const keep = engine.log.reserve(1, all - 5)
    expect(image.write(1, 0, empty, null, 0, 1)).toBe(0)
    expect(engine.tree.context.shortage).toBe(7 + 2 + slotWords(engine.arena.layout.leafSlots))
    expect(engine.log.available(1)).toBe(5)
    engine.log.abort(1, keep, all - 5)
  })
})
