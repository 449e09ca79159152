import { describe, expect, it } from 'vitest'
import { LeafChanges } from '../../../src/tree/leaf-changes.ts'
import { LeafImage } from '../../../src/tree/leaf-image.ts'
import { InnerImage } from '../../../src/tree/inner-image.ts'
import { Engine } from '../../../src/store/engine.ts'
import { batchOf, entries, faults, firstEngine, get, put, remove } from './engines.ts'
import { DEAD, deathsLeaving, unposted } from './half-done.ts'
import { level, makeRoom, pageOf } from './images.ts'

const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i * 10).padStart(4, '0'))

/** A tree whose last leaf was split without telling its parent, by calling the split and dropping the posting. */
function withoutPosting() {
  const engine = firstEngine({ leafEntries: 4, leafSlots: 5, innerEntries: 8 })
  const keys = numbered(10)
  for (const key of keys) put(engine, key, key)
  const changes = new LeafChanges(
    engine.tree.context,
    new LeafImage(engine.tree.context, engine.tree.search),
    new InnerImage(engine.tree.context),
  )
  const last = level(engine, 0).at(-1)!
  makeRoom(engine)
  engine.scheme.enter()
  expect(changes.consolidate(last.id, last.base)).toBe(true)
  engine.scheme.leave()
  return { engine, keys, split: changes.split }
}

describe('a split that was never posted', () => {
  it('is a page that its neighbour links to and no parent names', () => {
    const { engine, keys, split } = withoutPosting()
    expect(split).toBeGreaterThan(1)
    expect(unposted(engine).map(({ id }) => id)).toEqual([split])
    expect(pageOf(engine, 1).children).not.toContain(split)
    expect(engine.verify().problems).toEqual([])
    for (const key of keys) expect(get(engine, key)).toBe(key)
    expect(entries(engine).map(([key]) => key)).toEqual(keys)
    expect(entries(engine, true).map(([key]) => key)).toEqual([...keys].reverse())
    // Readers help nobody.
    expect(unposted(engine)).toHaveLength(1)
  })

  const writers = {
    'puts a new key into it': (engine: Engine) => void put(engine, '0091'),
    'overwrites a key in it': (engine: Engine) => void put(engine, '0090', 'new'),
    'removes a key from it': (engine: Engine) => void remove(engine, '0090'),
    'removes a key that is not there': (engine: Engine) => void remove(engine, '0099'),
  } satisfies Record<string, (engine: Engine) => void>

  it.each(Object.entries(writers))('is posted by the next writer who comes over the link and %s', (_, write) => {
    const { engine, split } = withoutPosting()
    write(engine)
    expect(unposted(engine)).toEqual([])
    expect(pageOf(engine, 1).children).toContain(split)
    expect(faults(engine)).toEqual([])
  })

  it.each([
    ['new', ['0005', '0055', '0065', '0083', '0087', '0092', '0095', '0097']],
    ['known', ['0000', '0050', '0060', '0070', '0080', '0090']],
  ])(
    'is where a batch finds what belongs there, though its leaves were looked up by their parents: %s keys',
    (_, keys) => {
      const { engine, keys: there } = withoutPosting()
      batchOf(engine, keys)
      expect(engine.verify().problems).toEqual([])
      for (const key of keys) expect(get(engine, key)).toBe(`batch ${key}`)
      expect(entries(engine).map(([key]) => key)).toEqual([...new Set([...there, ...keys])].sort())
      engine.drain()
      expect(faults(engine)).toEqual([])
    },
  )

  it('is posted by another participant, and by a drain', () => {
    const { engine, split } = withoutPosting()
    const other = new Engine(engine.arena, 2)
    put(other, '0095')
    expect(pageOf(engine, 1).children).toContain(split)
    other.detach()
    const again = withoutPosting()
    again.engine.drain()
    expect(unposted(again.engine)).toEqual([])
    expect(faults(again.engine)).toEqual([])
  })

  it('is not posted by a writer who does not come by', () => {
    const { engine } = withoutPosting()
    put(engine, '0001')
    expect(unposted(engine)).toHaveLength(1)
  })

  it('does not keep its left half from being merged away, nor its parent from splitting', () => {
    const { engine, keys } = withoutPosting()
    for (const key of keys.slice(0, -1)) remove(engine, key)
    expect(entries(engine).map(([key]) => key)).toEqual(keys.slice(-1))
    expect(faults(engine)).toEqual([])
    const other = withoutPosting()
    for (let i = 0; i < 60; i++) put(other.engine, `000${i}`)
    expect(faults(other.engine)).toEqual([])
  })
})

describe('threads that die right after the split', () => {
  it('of a leaf or an inner page leave it to the next writer', () => {
    const engine = firstEngine()
    const keys = numbered(30)
    for (const key of keys) put(engine, key, key)
    const fresh = Array.from({ length: 3 }, (_, i) => `0${i}55x`)
    const deaths = deathsLeaving(
      engine,
      (dying) => {
        for (const key of fresh) for (const end of 'abcd') put(dying, `${key}${end}`)
      },
      (survivor) =>
        unposted(survivor)
          .map(({ id, level: at }) => `page ${id} of level ${at}`)
          .join(),
    )
    expect(deaths.left.filter((what) => what.endsWith('level 0')).length).toBeGreaterThan(3)
    expect(deaths.left.filter((what) => what.endsWith('level 1')).length).toBeGreaterThan(0)
    deaths.each(({ engine: survivor }) => {
      expect(survivor.verify().problems).toEqual([])
      const before = entries(survivor).map(([key]) => key)
      const { low } = unposted(survivor)[0]!
      put(survivor, Buffer.from(`${low}!`, 'latin1'))
      expect(unposted(survivor)).toEqual([])
      expect(entries(survivor).map(([key]) => key)).toEqual([...before, `${low}!`].sort())
      survivor.scheme.reap(DEAD)
      expect(faults(survivor)).toEqual([])
    })
  })
})
