import { describe, expect, it } from 'vitest'
import { Engine } from '../../../src/store/engine.ts'
import { dieAt, everyStep } from '../memory/atomics-hook.ts'
import { entries, faults, firstEngine, get, put, remove, snapshot } from './engines.ts'
import { allPages } from './images.ts'
import { cleanAll } from './works.ts'

type Life = (engine: Engine) => void

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
const large = 'x'.repeat(9000)

/** A tree of some levels, with values in pieces among the others, and what it holds. */
function built(count: number) {
  const engine = firstEngine()
  for (const i of range(count)) put(engine, `k${i * 2}`, `${i}`)
  put(engine, 'k2', large)
  put(engine, 'k6', large)
  expect(faults(engine)).toEqual([])
  const before = new Map(entries(engine))
  engine.detach()
  return { arena: engine.arena, back: snapshot(engine.arena), before }
}

/** What a life changes, step after step: a key and what it is then. */
type Change = readonly [key: string, value: string | undefined]

const puts = (keys: readonly string[], value = 'new'): Change[] => keys.map((key) => [key, value])
const removes = (keys: readonly string[]): Change[] => keys.map((key) => [key, undefined])

function doing(changes: readonly Change[]): Life {
  return (engine) => {
    for (const [key, value] of changes) {
      if (value === undefined) remove(engine, key)
      else put(engine, key, value)
    }
  }
}

const shown = (value: string | undefined): string | undefined => (value === large ? `${large.length} bytes` : value)

/** Whether a tree holds what the first `n` of the changes make of it, for some n. */
function isSomePrefix(found: Map<string, string>, before: Map<string, string>, changes: readonly Change[]): boolean {
  const model = new Map(before)
  const equal = (): boolean => found.size === model.size && [...found].every(([key, value]) => model.get(key) === value)
  if (equal()) return true
  for (const [key, value] of changes) {
    if (value === undefined) model.delete(key)
    else model.set(key, shown(value)!)
    if (equal()) return true
  }
  return false
}

const tree = built(30)
const small = built(8)

const lives: Record<string, { world: ReturnType<typeof built>; changes?: Change[]; life?: Life; stride?: number }> = {
  'an insert': { world: tree, changes: puts(['k21']) },
  'an overwrite': { world: tree, changes: puts(['k20']) },
  'a removal': { world: tree, changes: removes(['k20']) },
  'inserts that split leaves and inner pages': {
    world: tree,
    changes: puts(range(10).map((i) => `k1${i}x`)),
    stride: 5,
  },
  'removals that merge leaves and inner pages': {
    world: tree,
    changes: removes(range(25).map((i) => `k${i * 2}`)),
    stride: 5,
  },
  'removals down to an empty root': { world: small, changes: removes(range(8).map((i) => `k${i * 2}`)), stride: 3 },
  'large values that come, change and go': {
    world: tree,
    changes: [...puts(['k21', 'k4', 'k6'], large), ...puts(['k2']), ...removes(['k6', 'k21'])],
  },
  'a drain': { world: tree, life: (engine) => engine.drain(), stride: 7 },
  'a cleaner': { world: tree, life: cleanAll, stride: 19 },
  'leaving of its own accord': { world: small, life: (engine) => engine.detach(), stride: 3 },
}

describe('a thread that dies at any step of', () => {
  it.each(Object.entries(lives))('%s leaves a whole tree and nothing else', (_, { world, changes, life, stride }) => {
    const { arena, back, before } = world
    const steps = everyStep((step) => {
      back()
      const [engine, dying] = [new Engine(arena, 1), new Engine(arena, 2)]
      if (!dieAt(step, () => (life ?? doing(changes!))(dying))) return false
      // Others go on before anybody knows of the death.
      put(engine, 'k23', 'other')
      expect(remove(engine, 'k23')).toBe(true)
      const found = new Map(entries(engine))
      expect(isSomePrefix(found, before, changes ?? [])).toBe(true)
      for (const [key] of changes ?? []) expect(get(engine, key)).toBe(found.get(key))
      engine.scheme.reap(2)
      expect(faults(engine)).toEqual([])
      expect(new Map(entries(engine))).toEqual(found)
      if (step % 4 === 1) {
        for (const key of found.keys()) remove(engine, key)
        expect(faults(engine)).toEqual([])
        expect(allPages(engine)).toHaveLength(1)
      }
      return true
    }, stride)
    expect(steps).toBeGreaterThan(20)
  })
})
