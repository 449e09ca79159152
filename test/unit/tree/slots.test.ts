import { describe, expect, it } from 'vitest'
import { ROOT } from '../../../src/pagecache/page-table.ts'
import { entries, faults, firstEngine, get, put, remove } from './engines.ts'

/** A leaf that has nothing but its slots: all of them, so that the tags fill two words and a part of a third. */
function filled() {
  const engine = firstEngine({ leafEntries: 64, leafSlots: 11 })
  const keys = ['m', 'c', 'x', '', 'a longer key', 'c\0', 'b', 'z', 'a', 'mm', 'y']
  for (const key of keys) put(engine, key, `value of ${key}`)
  const { cache, table } = engine.tree.context
  const base = table.load(ROOT)
  expect([cache.slotsUsed(base), cache.slotsAt(base) - cache.entriesAt(base)]).toEqual([11, 0])
  return { engine, keys, base, tagsAt: cache.slotsAt(base) + 11 }
}

describe('a leaf whose keys are all in slots', () => {
  it('has each of them, and no other', () => {
    const { engine, keys } = filled()
    for (const key of keys) expect(get(engine, key)).toBe(`value of ${key}`)
    for (let i = 0; i < 1000; i++) expect(get(engine, `absent ${i}`)).toBeUndefined()
    for (const key of keys) put(engine, key, 'another value')
    for (const key of keys) expect(get(engine, key)).toBe('another value')
    expect(faults(engine)).toEqual([])
  })

  it.each(Array.from({ length: 11 }, (_, slot) => slot))(
    'has the one in slot %i, whose writer died before its tag was set',
    (slot) => {
      const { engine, keys, tagsAt } = filled()
      const tag = engine.arena.bytes.subarray(tagsAt * 4 + slot, tagsAt * 4 + slot + 1)
      expect(tag[0]).not.toBe(0)
      tag[0] = 0
      for (const key of keys) expect(get(engine, key)).toBe(`value of ${key}`)
      expect(get(engine, 'absent')).toBeUndefined()
      expect(remove(engine, keys[slot]!)).toBe(true)
      expect(get(engine, keys[slot]!)).toBeUndefined()
      expect(entries(engine)).toHaveLength(10)
      expect(faults(engine)).toEqual([])
    },
  )
})
