import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Engine } from '../../../src/store/engine.ts'
import { Scan } from '../../../src/tree/scan.ts'
import { everyStep, interruptAt } from '../memory/atomics-hook.ts'
import { entries, firstEngine, put, remove, snapshot, stepOf } from './engines.ts'
import { keys, textOf } from './keys.ts'

const keySets = fc.uniqueArray(keys, { minLength: 1, maxLength: 40, selector: textOf })

function filled(all: readonly (Uint8Array | string)[]): Engine {
  const engine = firstEngine()
  for (const key of all) put(engine, key)
  return engine
}

/** All keys from `from` on, or down from it. */
function keysFrom(engine: Engine, reverse: boolean, from: Uint8Array, inclusive: boolean, limit: number): string[] {
  const scan = new Scan(engine.tree, reverse, false)
  scan.from.copyFrom(from, 0, from.length)
  scan.inclusive = inclusive
  const found: string[] = []
  while (!scan.done) found.push(...stepOf(engine, scan, limit).map(([key]) => key))
  return found
}

describe('a scan', () => {
  it('gives all keys in order, in both directions, however few it takes at a time', () => {
    fc.assert(
      fc.property(keySets, fc.integer({ min: 1, max: 6 }), (all, limit) => {
        const engine = filled(all)
        const expected = all.map(textOf).sort()
        expect(entries(engine, false, limit).map(([key]) => key)).toEqual(expected)
        expect(entries(engine, true, limit).map(([key]) => key)).toEqual(expected.reverse())
      }),
      { seed: 1, numRuns: 40 },
    )
  })

  it('begins where it is told to, at a key, right behind it or right before it', () => {
    fc.assert(
      fc.property(keySets, keys, fc.boolean(), fc.boolean(), fc.integer({ min: 1, max: 5 }), (all, from, ...how) => {
        const [reverse, inclusive, limit] = how
        const engine = filled(all)
        for (const start of [from, all[0]!]) {
          const text = textOf(start)
          const expected = all
            .map(textOf)
            .sort()
            .filter((key) => (key === text ? inclusive : reverse ? key < text : key > text))
          if (reverse) expected.reverse()
          expect(keysFrom(engine, reverse, start, inclusive, limit)).toEqual(expected)
        }
      }),
      { seed: 2, numRuns: 60 },
    )
  })

  it('of an empty tree is over at once', () => {
    const engine = firstEngine()
    expect([entries(engine), entries(engine, true)]).toEqual([[], []])
  })

  it('passes over leaves that have become empty', () => {
    const numbered = Array.from({ length: 60 }, (_, i) => String(i).padStart(3, '0'))
    const engine = filled(numbered)
    const left = numbered.filter((_, i) => i < 3 || i > 50)
    for (const key of numbered) if (!left.includes(key)) remove(engine, key)
    expect(entries(engine).map(([key]) => key)).toEqual(left)
    expect(entries(engine, true).map(([key]) => key)).toEqual(left.reverse())
  })

  it('holds no pin between its steps', () => {
    const engine = filled(['a', 'b', 'c', 'd', 'e', 'f'])
    const scan = new Scan(engine.tree, false, false)
    stepOf(engine, scan, 1)
    expect(engine.scheme.pinned()).toBe(false)
    const epoch = engine.scheme.epoch()
    engine.scheme.flush()
    expect(engine.scheme.epoch()).toBeGreaterThan(epoch + 1)
  })
})

const stays = Array.from({ length: 12 }, (_, i) => `s${String(i).padStart(2, '0')}`)

describe.each([false, true])('a scan whose pages change between its steps (reverse: %s)', (reverse) => {
  const changes = {
    'they split': (engine: Engine) => {
      for (const key of stays) for (const end of ['a', 'b', 'c']) put(engine, `${key}${end}`)
    },
    'they merge': (engine: Engine) => {
      for (const key of entries(engine).map(([found]) => found)) if (!stays.includes(key)) remove(engine, key)
      engine.drain()
    },
    'their records move': (engine: Engine) => {
      const { segments } = engine.log
      engine.log.sealAll()
      for (let segment = segments.first; segment < segments.used(); segment++) engine.cleaner.clean(segment, false)
      engine.scheme.flush()
    },
    'their values change': (engine: Engine) => {
      for (const key of stays) put(engine, key, 'changed')
    },
  } satisfies Record<string, (engine: Engine) => void>

  it.each(Object.entries(changes))('gives what stays, once and in order: %s', (_, change) => {
    for (let moment = 0; moment < 12; moment++) {
      const engine = filled([...stays, ...stays.map((key) => `${key}x`), ...stays.map((key) => `${key}y`)])
      const other = new Engine(engine.arena, 2)
      const scan = new Scan(engine.tree, reverse, true)
      const found: string[] = []
      for (let step = 0; !scan.done; step++) {
        if (step === moment) change(other)
        found.push(...stepOf(engine, scan, 3).map(([key]) => key))
      }
      const sorted = [...new Set(found)].sort()
      expect(found).toEqual(reverse ? sorted.reverse() : sorted)
      expect(found.filter((key) => stays.includes(key)).sort()).toEqual(stays)
    }
  })
})

describe.each([false, true])('a scan that is stopped anywhere in a step (reverse: %s)', (reverse) => {
  it('gives what stays, once and in order, and a key that comes and goes at most once', () => {
    const first = filled([...stays, ...stays.map((key) => `${key}x`)])
    first.detach()
    const { arena } = first
    const back = snapshot(arena)
    const change = (other: Engine): void => {
      for (const key of ['s03x', 's05x', 's06x']) {
        remove(other, key)
        put(other, key, 'again')
        remove(other, key)
      }
      put(other, 's05x', 'and again')
      for (const end of 'abcdef') put(other, `s06${end}`)
      for (const key of ['s08x', 's09x']) remove(other, key)
    }
    const steps = everyStep((step) => {
      back()
      const [engine, other] = [new Engine(arena, 1), new Engine(arena, 2)]
      let found: string[] = []
      const reached = interruptAt(
        step,
        () => (found = entries(engine, reverse, 5).map(([key]) => key)),
        () => change(other),
      )
      const sorted = [...new Set(found)].sort()
      expect(found).toEqual(reverse ? sorted.reverse() : sorted)
      expect(found.filter((key) => stays.includes(key)).sort()).toEqual(stays)
      return reached
    }, 3)
    expect(steps).toBeGreaterThan(100)
  })
})
