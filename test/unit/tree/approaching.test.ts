import { describe, expect, it } from 'vitest'
import { Cleaner } from '../../../src/log/cleaner.ts'
import { FROZEN } from '../../../src/pagecache/fragment.ts'
import { Engine } from '../../../src/store/engine.ts'
import { Approach } from '../../../src/tree/approach.ts'
import { firstEngine, put, remove, setKey } from './engines.ts'

const keys = Array.from({ length: 60 }, (_, i) => `key ${String(i).padStart(2, '0')}`)

/** The record of a key and the word that leads to it. */
function located(engine: Engine, key: string): { record: number; at: number } {
  setKey(engine, key)
  engine.scheme.enter()
  engine.tree.find()
  const { record, at } = engine.tree.search
  engine.scheme.leave()
  return { record, at }
}

/** An engine whose leaves have no pending fragments, and an approach of its own. */
function world(): { engine: Engine; approach: Approach; records: number[]; begin(): void; entries(): number[] } {
  const engine = firstEngine({ leafEntries: 8, leafSlots: 1 })
  for (const key of keys) put(engine, key, `value of ${key}`)
  const approach = new Approach(engine.tree.context, engine.tree.search)
  const records = keys.slice(0, 16).map((key) => located(engine, key).record)
  const pinned = <T>(fn: () => T): T => {
    engine.scheme.enter()
    const result = fn()
    engine.scheme.leave()
    return result
  }
  return {
    engine,
    approach,
    records,
    begin: () => pinned(() => approach.begin(Int32Array.from(records), records.length)),
    entries: () => pinned(() => records.map((record) => approach.entryOf(record))),
  }
}

describe('the approach to a group of records', () => {
  it('finds the word that leads to each, as a search does, unless it is a slot', () => {
    const { engine, begin, entries } = world()
    begin()
    const found = entries()
    expect(found.filter((at) => at !== 0).length).toBeGreaterThan(8)
    for (const [i, at] of found.entries()) if (at !== 0) expect(at).toBe(located(engine, keys[i]!).at)
  })

  it('gives no word that was overwritten, emptied or frozen since', () => {
    const { engine, begin, entries } = world()
    begin()
    const found = entries()
    const [one, two, three] = [...found.keys()].filter((i) => found[i] !== 0)
    begin()
    put(engine, keys[one!]!, 'anew')
    remove(engine, keys[two!]!)
    Atomics.or(engine.arena.words, found[three!]!, FROZEN)
    const after = entries()
    expect([after[one!], after[two!], after[three!]]).toEqual([0, 0, 0])
    expect(after.filter((at) => at !== 0).length).toBe(found.filter((at) => at !== 0).length - 3)
  })

  it('knows each record once, in the order in which they were named', () => {
    const { approach, records, begin } = world()
    begin()
    expect(approach.entryOf(records[15]!)).toBeGreaterThanOrEqual(0)
    expect(approach.entryOf(records[0]!)).toBe(0)
  })
})

describe('the cleaner', () => {
  it('ends an approach in the critical region in which it began it, also when it gives up in the midst', () => {
    const engine = firstEngine({ leafEntries: 8, leafSlots: 1 })
    for (const key of keys) put(engine, key, `value of ${key}`)
    const { log, arena, scheme, me } = engine
    log.sealAll()
    const counts: number[] = []
    const cannot = (): number => -1
    const cleaner = new Cleaner(arena, scheme, me, log, cannot, (_, count) => {
      expect(scheme.pinned()).toBe(true)
      counts.push(count)
    })
    expect(cleaner.clean(log.segments.first, false)).toBe(false)
    expect(counts).toHaveLength(2)
    expect(counts[0]).toBeGreaterThan(0)
    expect(counts[1]).toBe(0)
  })
})

describe('the place of a key of a group', () => {
  it('is looked for anew when its page was replaced meanwhile', () => {
    const { engine, approach, records } = world()
    const other = new Engine(engine.arena, 2)
    const { search, context, key } = engine.tree
    engine.scheme.enter()
    approach.begin(Int32Array.from(records), records.length)
    for (const each of keys.slice(0, 16)) for (let i = 0; i < 3; i++) put(other, `${each} ${i}`, 'between')
    for (const record of records) {
      approach.locate(record, key)
      expect(search.base).toBe(context.table.load(search.id))
      expect(search.word).toBe(record)
    }
    engine.scheme.leave()
  })
})
