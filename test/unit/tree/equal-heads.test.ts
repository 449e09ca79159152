import { describe, expect, it } from 'vitest'
import { MAX_PREFIX_BYTES } from '../../../src/tree/leaf-image.ts'
import { entries, faults, firstEngine, get, put, remove } from './engines.ts'
import { level } from './images.ts'
import { random } from '../../support/random.ts'

// Longer than the prefix that a page takes out of its heads: all heads are equal, and say nothing.
const shared = 'x'.repeat(300)

function filled(count: number) {
  const engine = firstEngine({ leafEntries: 64, leafSlots: 4, segmentWords: 16384, pageIds: 64 }, 2 ** 21)
  const keys = Array.from({ length: count }, (_, i) => `${shared}${String(i * 2).padStart(4, '0')}`)
  for (const key of keys) put(engine, key, `value of ${key.slice(300)}`)
  return { engine, keys }
}

describe('keys that share more than heads can tell', () => {
  it('make long runs of equal heads, in which each is found', () => {
    const { engine, keys } = filled(150)
    const leaves = level(engine, 0)
    for (const { heads, prefix } of leaves) {
      expect(prefix).toBe('x'.repeat(MAX_PREFIX_BYTES))
      expect(new Set(heads).size).toBe(1)
    }
    expect(Math.max(...leaves.map(({ heads }) => heads.length))).toBeGreaterThan(30)
    for (const key of keys) expect(get(engine, key)).toBe(`value of ${key.slice(300)}`)
    expect(faults(engine)).toEqual([])
  })

  it('and none that is not there: before, between, behind, shorter or with another prefix', () => {
    const { engine, keys } = filled(150)
    for (const key of keys) {
      for (const other of [`${key}\0`, key.slice(0, -1), `${key.slice(0, -1)}${Number(key.at(-1)) + 1}`]) {
        expect(get(engine, other)).toBeUndefined()
      }
    }
    for (const other of ['', 'x', 'y', shared, 'x'.repeat(252), 'x'.repeat(256), `w${shared}0002`, `${shared}9999`]) {
      expect(get(engine, other)).toBeUndefined()
    }
  })

  it('are found beside entries that were deleted, wherever in the run these stand', () => {
    const { engine, keys } = filled(120)
    const rng = random(3)
    const left = new Set(keys)
    const holes = [keys.slice(20, 50), keys.slice(0, 8), keys.slice(-8), keys.filter(() => rng.chance(30))]
    for (const hole of holes) {
      for (const key of hole) expect(remove(engine, key)).toBe(left.delete(key))
      for (const key of keys) expect(get(engine, key)).toBe(left.has(key) ? `value of ${key.slice(300)}` : undefined)
      for (const key of hole) expect(remove(engine, key)).toBe(false)
    }
    expect(entries(engine).map(([key]) => key)).toEqual([...left])
    for (const key of holes[0]!) {
      put(engine, key, 'again')
      expect(get(engine, key)).toBe('again')
    }
    expect(faults(engine)).toEqual([])
  })

  it('can all be deleted, in any order, down to an empty tree', () => {
    const { engine, keys } = filled(150)
    const rng = random(4)
    const left = [...keys]
    while (left.length > 0) {
      const [key] = left.splice(rng.int(left.length), 1)
      expect(remove(engine, key!)).toBe(true)
      expect(get(engine, key!)).toBeUndefined()
    }
    expect(entries(engine)).toEqual([])
    expect(faults(engine)).toEqual([])
    expect(engine.tree.context.table.countPages()).toBe(1)
  })

  it('make separators of inner pages that share as much, each of which leads the right way', () => {
    const engine = firstEngine({ leafEntries: 4, leafSlots: 2, innerEntries: 16, segmentWords: 16384 }, 2 ** 21)
    const keys = Array.from({ length: 120 }, (_, i) => `${shared}${String(i).padStart(3, '0')}`)
    for (const key of keys) put(engine, key, key.slice(300))
    const [inner] = level(engine, 1)
    expect(new Set(inner!.heads.slice(1)).size).toBe(1)
    expect(inner!.children.length).toBeGreaterThan(3)
    for (const key of keys) expect(get(engine, key)).toBe(key.slice(300))
    expect(get(engine, shared)).toBeUndefined()
    for (const key of keys.slice(30, 90)) remove(engine, key)
    for (const [i, key] of keys.entries()) {
      expect(get(engine, key)).toBe(i >= 30 && i < 90 ? undefined : key.slice(300))
    }
    expect(faults(engine)).toEqual([])
  })
})
