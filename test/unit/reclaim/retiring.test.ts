import { describe, expect, it } from 'vitest'
import { COUNTER, sumCounter } from '../../../src/reclaim/participant.ts'
import { hasPassed } from '../../../src/reclaim/garbage.ts'
import { everyStep, interruptAt } from '../memory/atomics-hook.ts'
import { type Joined, join, retire, smallArena } from './participants.ts'

function advance({ scheme }: Joined, times: number): void {
  for (let i = 0; i < times; i++) expect(scheme.tryAdvance()).toBe(true)
}

describe('what was retired runs', () => {
  it('when the epoch is two ahead, and not when it is one', () => {
    const arena = smallArena()
    const a = join(arena, 1)
    retire(a, 7)
    expect(a.scheme.collect(100)).toBe(0)
    advance(a, 1)
    expect(a.scheme.collect(100)).toBe(0)
    expect(a.scheme.waiting()).toBe(1)
    advance(a, 1)
    expect(a.scheme.collect(100)).toBe(1)
    expect(a.ran).toEqual([7])
    expect(a.scheme.waiting()).toBe(0)
    expect(a.scheme.collect(100)).toBe(0)
    expect(a.ran).toEqual([7])
  })

  it('in the order in which it was retired, up to the budget', () => {
    const a = join(smallArena(), 1)
    for (let i = 0; i < 10; i++) retire(a, i)
    advance(a, 2)
    expect(a.scheme.collect(4)).toBe(4)
    expect(a.ran).toEqual([0, 1, 2, 3])
    expect(a.scheme.waiting()).toBe(6)
    expect(a.scheme.collect(100)).toBe(6)
    expect(a.ran).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('not before what was retired earlier and waits for a later epoch', () => {
    const a = join(smallArena(), 1)
    advance(a, 1)
    retire(a, 1)
    a.scheme.retire(4, 2, 0)
    advance(a, 1)
    expect(a.scheme.collect(100)).toBe(0)
    advance(a, 1)
    expect(a.scheme.collect(100)).toBe(2)
    expect(a.ran).toEqual([1, 2])
  })

  it('with all 32 bits of its argument, and the epoch it was retired in', () => {
    const a = join(smallArena(), 1)
    const given: [number, number][] = []
    a.scheme.register(15, (argument, epoch) => void given.push([argument, epoch]))
    advance(a, 5)
    for (const argument of [-1, 0, 2 ** 31 - 1, -(2 ** 31)]) a.scheme.retire(15, argument, a.scheme.epoch())
    expect(a.scheme.flush()).toBe(0)
    expect(given).toEqual([-1, 0, 2 ** 31 - 1, -(2 ** 31)].map((argument) => [argument, 5]))
  })

  it('never while somebody is pinned who may have seen it, whenever in the unlinking he came', () => {
    // b unlinks and retires; a comes in before any of its steps, reads, and stays.
    const steps = everyStep((step) => {
      const arena = smallArena()
      const [a, b] = [join(arena, 1), join(arena, 2)]
      const shared = arena.words.length - 1
      Atomics.store(arena.words, shared, 99)
      let seen = 0
      const reached = interruptAt(
        step,
        () => {
          Atomics.store(arena.words, shared, 0)
          retire(b, 99)
          b.scheme.flush()
        },
        () => {
          a.scheme.enter()
          seen = Atomics.load(arena.words, shared)
        },
      )
      for (let i = 0; i < 5; i++) b.scheme.flush()
      if (seen === 99) expect(b.ran).toEqual([])
      if (reached) a.scheme.leave()
      b.scheme.flush()
      expect(b.ran).toEqual([99])
      return reached
    })
    expect(steps).toBeGreaterThan(10)
  })

  it('not inside of a pin of its own', () => {
    const a = join(smallArena(), 1)
    a.scheme.enter()
    for (let i = 0; i < 200; i++) {
      a.scheme.enter()
      retire(a, i)
      a.scheme.leave()
    }
    expect(a.scheme.flush()).toBe(200)
    expect(a.ran).toEqual([])
    a.scheme.leave()
  })
})

describe('maintenance comes with the outermost leave', () => {
  function leaves({ scheme }: Joined, times: number): void {
    for (let i = 0; i < times; i++) {
      scheme.enter()
      scheme.leave()
    }
  }

  it('after 128 of them: the epoch goes on by one', () => {
    const a = join(smallArena(), 1)
    leaves(a, 127)
    expect(a.scheme.epoch()).toBe(0)
    leaves(a, 1)
    expect(a.scheme.epoch()).toBe(1)
    leaves(a, 127)
    expect(a.scheme.epoch()).toBe(1)
  })

  it('after 64 retirements: at once, and it runs at most 64 actions', () => {
    const a = join(smallArena(), 1)
    for (let i = 0; i < 100; i++) retire(a, i)
    leaves(a, 2)
    expect(a.scheme.epoch()).toBe(1)
    expect(a.ran).toEqual([])
    leaves(a, 127)
    expect(a.scheme.epoch()).toBe(2)
    expect(a.ran).toHaveLength(64)
    leaves(a, 128)
    expect(a.ran).toHaveLength(100)
  })

  it('inner leaves do none', () => {
    const a = join(smallArena(), 1)
    a.scheme.enter()
    leaves(a, 1000)
    expect(a.scheme.epoch()).toBe(0)
    a.scheme.leave()
    expect(a.scheme.epoch()).toBe(0)
  })

  it("every eighth round visits everybody's garbage", () => {
    const arena = smallArena()
    const ran: number[] = []
    const [idle, busy] = [join(arena, 1, ran), join(arena, 2, ran)]
    retire(idle, 5)
    leaves(busy, 7 * 128)
    expect(ran).toEqual([])
    leaves(busy, 128)
    expect(ran).toEqual([5])
  })
})

it('counts what was retired and what was freed, whoever freed it', () => {
  const arena = smallArena()
  const [a, b] = [join(arena, 1), join(arena, 2)]
  for (let i = 0; i < 70; i++) retire(a, i)
  expect([sumCounter(arena, COUNTER.retired), sumCounter(arena, COUNTER.freed)]).toEqual([70, 0])
  b.scheme.flush()
  expect([sumCounter(arena, COUNTER.retired), sumCounter(arena, COUNTER.freed)]).toEqual([70, 70])
  expect(b.ran).toHaveLength(70)
  expect(a.ran).toEqual([])
})

it('two epochs have passed, one or none have not', () => {
  expect([0, 1, 2, 3, 1000].map((now) => hasPassed(0, now))).toEqual([false, false, true, true, true])
  expect([5, 6, 7].map((now) => hasPassed(5, now))).toEqual([false, false, true])
})
