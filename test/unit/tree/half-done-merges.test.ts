import { describe, expect, it } from 'vitest'
import type { Engine } from '../../../src/store/engine.ts'
import { entries, faults, firstEngine, get, put, remove } from './engines.ts'
import { DEAD, deathsLeaving, mergeUnderWay } from './half-done.ts'
import { allPages, level, pageOf } from './images.ts'

const KEYS = 60

const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i).padStart(4, '0'))

/** A tree of three levels and more. */
function built(count: number): { engine: Engine; keys: string[] } {
  const engine = firstEngine()
  const keys = numbered(count)
  for (const key of keys) put(engine, key, key)
  engine.drain()
  return { engine, keys }
}

/** Merges of leaves and inner pages, up to the collapse of the root. */
function deleting(keys: readonly string[]): (engine: Engine) => void {
  return (engine) => {
    for (const key of keys) remove(engine, key)
    engine.drain()
  }
}

function describeMerge(engine: Engine): string {
  const merge = mergeUnderWay(engine)
  if (merge === undefined) return ''
  return `${merge.collapse ? 'collapse' : `merge of level ${merge.level}`} after ${merge.step}: page ${merge.page}`
}

const kinds = (left: readonly string[]): string[] => [...new Set(left.map((what) => what.split(':')[0]!))].sort()

const { engine: first, keys } = built(KEYS)
const deaths = deathsLeaving(first, deleting(keys), describeMerge)

it('threads that delete everything and die leave every merge half done, after each of its steps', () => {
  const collapses = ['a', 'b', 'd'].map((step) => `collapse after ${step}`)
  const merges = [0, 1, 2].flatMap((at) => ['a', 'b', 'c', 'd'].map((step) => `merge of level ${at} after ${step}`))
  expect(kinds(deaths.left)).toEqual([...collapses, ...merges])
  expect(deaths.left.length).toBeGreaterThan(20)
})

/** Puts keys between all others, and removes them, so that every leaf is written to. */
function writeEverywhere(engine: Engine): void {
  for (const key of keys) put(engine, `${key}x`)
  for (const key of keys) remove(engine, `${key}x`)
}

const finishers = {
  'a drain, once the dead one is reaped': (engine: Engine) => void engine.scheme.reap(DEAD),
  'the reaper and writers': (engine: Engine) => {
    engine.scheme.reap(DEAD)
    writeEverywhere(engine)
  },
  'writers, before the dead one is reaped': (engine: Engine) => {
    writeEverywhere(engine)
    // Between its last two steps only the dead one's intent word names the page. Inner pages that no writer has to change
    // may stay as they are until a drain.
    const merge = mergeUnderWay(engine)
    if (merge?.level === 0) expect(merge.step).toBe('d')
    engine.scheme.reap(DEAD)
  },
  'the cleaner, before the dead one is reaped': (engine: Engine) => {
    engine.log.sealAll()
    const { segments } = engine.log
    for (let segment = segments.first; segment < segments.used(); segment++) engine.cleaner.clean(segment, false)
    engine.scheme.reap(DEAD)
  },
} satisfies Record<string, (engine: Engine) => void>

describe('a merge left half done, after any of its steps,', () => {
  it('does not hide a key from readers, who help nobody', () => {
    deaths.each(({ engine, left }) => {
      const found = entries(engine).map(([key]) => key)
      expect(entries(engine, true).map(([key]) => key)).toEqual([...found].reverse())
      const there = new Set(found)
      // Keys go in order, so the dead one had removed the first ones.
      expect(found).toEqual(keys.slice(keys.length - found.length))
      for (const key of keys) expect(get(engine, key)).toBe(there.has(key) ? key : undefined)
      expect(describeMerge(engine)).toBe(left)
    })
  })

  it.each(Object.entries(finishers))('is finished by %s, and the tree is whole', (_, finish) => {
    deaths.each(({ engine }) => {
      const before = entries(engine)
      finish(engine)
      expect(faults(engine)).toEqual([])
      expect(describeMerge(engine)).toBe('')
      expect(entries(engine)).toEqual(before)
      for (const [key] of before) remove(engine, key)
      expect(faults(engine)).toEqual([])
      expect(allPages(engine)).toHaveLength(1)
    })
  })

  it('is no problem to a verifier', () => {
    const found = new Set<string>()
    deaths.each(({ engine, left }) => {
      for (const problem of engine.verify().problems) found.add(`${left.split(':')[0]}: ${problem}`)
    })
    expect([...found]).toEqual([])
  })
})

describe('a collapse of the root', () => {
  it('is called off when its only child has split meanwhile', () => {
    let splits = 0
    deaths.each(({ engine, left }) => {
      if (!left.startsWith('collapse after a')) return
      const only = pageOf(engine, 1).children[0]!
      const before = entries(engine).map(([key]) => key)
      const more: string[] = []
      for (let i = 0; i < 20 && pageOf(engine, 1).merge === -1 && pageOf(engine, only).right === 0; i++) {
        more.push(`9${i}`)
        put(engine, `9${i}`)
      }
      if (pageOf(engine, 1).level > 0 && level(engine, pageOf(engine, 1).level - 1).length > 1) splits++
      engine.scheme.reap(DEAD)
      expect(faults(engine)).toEqual([])
      expect(entries(engine).map(([key]) => key)).toEqual([...before, ...more].sort())
    })
    expect(splits).toBeGreaterThan(0)
  })
})
