import { describe, expect, it } from 'vitest'
import { Engine } from '../../../src/store/engine.ts'
import { dieAt, hookAtomics, interruptAt } from '../memory/atomics-hook.ts'
import { entries, faults, firstEngine, get, put, remove, snapshot, wrongCounts } from './engines.ts'
import { cleanAll } from './works.ts'

type Model = Map<string, string>
type Work = (engine: Engine, model: Model) => void

const DEAD = 9
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
const large = 'x'.repeat(9000)

const putting =
  (keys: readonly string[], value = 'new'): Work =>
  (engine, model) => {
    for (const key of keys) {
      put(engine, key, value)
      model.set(key, value === large ? `${large.length} bytes` : value)
    }
  }

const removing =
  (keys: readonly string[]): Work =>
  (engine, model) => {
    for (const key of keys) {
      remove(engine, key)
      model.delete(key)
    }
  }

const both =
  (one: Work, other: Work): Work =>
  (engine, model) => {
    one(engine, model)
    other(engine, model)
  }

const stopped: Record<string, Work> = {
  'an insert': putting(['k21']),
  'an overwrite': putting(['k20']),
  'a removal': removing(['k20']),
  'inserts that split': putting(range(8).map((i) => `k1${i}x`)),
  'removals that merge': removing(range(12).map((i) => `k${i * 2}`)),
  'large values': both(putting(['k20', 'k21'], large), putting(['k20'])),
  'a cleaner': cleanAll,
  leaving: (engine) => engine.detach(),
  'a drain': (engine) => engine.drain(),
  'a funeral': (engine) => void engine.scheme.reap(DEAD),
}

const others: Record<string, Work> = {
  'inserts that split': putting(range(8).map((i) => `k2${i}y`)),
  'removals that merge': removing(range(9).map((i) => `k${20 + i * 2}`)),
  'both, right beside it': both(
    putting(range(8).map((i) => `k1${i}z`)),
    removing(range(6).map((i) => `k${i * 2 + 8}`)),
  ),
  'large values': both(putting(['k22', 'k23'], large), removing(['k24', 'k50'])),
  'a cleaner': cleanAll,
  'a drain': (engine) => engine.drain(),
  'a guest': (engine, model) => {
    const guest = new Engine(engine.arena, 7)
    putting(['k1guest'])(guest, model)
    removing(['k4'])(guest, model)
    guest.detach()
  },
  'a funeral': (engine) => void engine.scheme.reap(DEAD),
  'the epoch': (engine) => range(4).forEach(() => engine.scheme.flush()),
}

/** A tree of some levels; a thread died while it was merging pages. */
function built() {
  const first = firstEngine()
  const model: Model = new Map()
  putting(range(36).map((i) => `k${i * 2}`))(first, model)
  putting(['k50', 'k52'], large)(first, model)
  putting(
    range(12).map((i) => `k${i * 2}`),
    'again',
  )(first, model)
  expect(faults(first)).toEqual([])
  first.detach()
  const { arena } = first
  const dead = new Engine(arena, DEAD)
  dieAt(130, () => removing(range(12).map((i) => `k${i * 2 + 30}`))(dead, new Map()))
  const copy = snapshot(arena)
  const engine = new Engine(arena, 1)
  const before = new Map(entries(engine))
  copy()
  return { arena, back: snapshot(arena), before }
}

const world = built()

/** What both have made of it together; undefined where both have changed a key: either may be the last. */
function together(one: Model, other: Model): Map<string, string | undefined> {
  const result = new Map<string, string | undefined>()
  for (const key of new Set([...world.before.keys(), ...one.keys(), ...other.keys()])) {
    const [was, a, b] = [world.before.get(key), one.get(key), other.get(key)]
    result.set(key, a !== was && b !== was && a !== b ? 'either' : a !== was ? a : b)
  }
  return result
}

/** Steps at which each is stopped by each other, spread over its whole work; each other gets steps of its own. */
const STOPS = 14

function stopsOf(work: Work, which: number): number[] {
  const { arena, back, before } = world
  back()
  new Engine(arena, 1)
  const engine = new Engine(arena, 2)
  let steps = 0
  hookAtomics(
    (call) => (steps = call),
    () => work(engine, new Map(before)),
  )
  const count = Object.keys(others).length
  const wanted = range(STOPS).map((i) => 1 + Math.floor(((i + which / count) * steps) / STOPS))
  return [...new Set(wanted)]
}

const pairs = Object.entries(stopped).flatMap(([one, work]) =>
  Object.keys(others).map((other, i) => ({ one, other, stops: stopsOf(work, i) })),
)

describe.each(pairs)('$one, stopped anywhere by $other,', ({ one, other, stops }) => {
  it('does what it should, and so does the other', () => {
    const { arena, back, before } = world
    expect(stops.length).toBeGreaterThan(3)
    for (const step of stops) {
      back()
      const [a, b] = [new Engine(arena, 1), new Engine(arena, 2)]
      const [mine, theirs] = [new Map(before), new Map(before)]
      const reached = interruptAt(
        step,
        () => stopped[one]!(b, mine),
        () => others[other]!(a, theirs),
      )
      expect(reached).toBe(true)
      const found = new Map(entries(a))
      for (const [key, value] of together(mine, theirs)) {
        expect(get(a, key)).toBe(found.get(key))
        if (value === 'either') expect([mine.get(key), theirs.get(key)]).toContain(found.get(key))
        else expect([key, found.get(key)]).toEqual([key, value])
      }
      a.scheme.reap(DEAD)
      expect([...faults(a), ...wrongCounts(a)]).toEqual([])
      expect(new Map(entries(a))).toEqual(found)
    }
  })
})
