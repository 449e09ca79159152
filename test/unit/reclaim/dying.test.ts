import { describe, expect, it } from 'vitest'
import { CONSUMER } from '../../../src/reclaim/participant.ts'
import { FREE, isPushing } from '../../../src/reclaim/ownership.ts'
import { dieAt, everyStep } from '../memory/atomics-hook.ts'
import { type Joined, chunksTaken, join, retire, smallArena, statuses } from './participants.ts'
import { type Things, listOf } from './things.ts'
import type { Arena } from '../../../src/memory/arena.ts'

interface Person extends Joined, Things {}

const PAGE_IDS = 9

function person(arena: Arena, threadId: number, ran: number[]): Person {
  const joined = join(arena, threadId, ran)
  return { ...joined, ...listOf(arena, joined) }
}

/** The survivor, one who is about to die, and a third; 3 things are on the list, 2 wait, the one to die has 1. */
function three(ofThird: readonly number[] = []): { arena: Arena; a: Person; b: Person; c: Person; ran: number[] } {
  const arena = smallArena({ pageIds: PAGE_IDS, maxParticipants: 3 })
  const ran: number[] = []
  const [a, b, c] = [1, 2, 3].map((threadId) => person(arena, threadId, ran)) as [Person, Person, Person]
  const taken = Array.from({ length: 6 }, () => b.take())
  for (const thing of taken.slice(0, 3)) b.giveBack(thing)
  b.scheme.flush()
  for (const thing of taken.slice(3, 5)) b.giveBack(thing)
  for (let i = 0; i < 5; i++) retire(b, i)
  for (const argument of ofThird) retire(c, argument)
  return { arena, a, b, c, ran }
}

/** What must hold once the dead are reaped: every thing can be had again, once; every slot and chunk but those of a. */
function expectAllBack(arena: Arena, a: Person, ran: number[], retired: readonly number[]): void {
  a.scheme.flush()
  a.collectStale()
  expect(a.scheme.flush()).toBe(0)
  const taken: number[] = []
  for (let thing = a.take(); thing !== 0; thing = a.take()) {
    expect(taken).not.toContain(thing)
    taken.push(thing)
  }
  expect(taken.sort()).toEqual(Array.from({ length: PAGE_IDS - 1 }, (_, i) => i + 1))
  expect(statuses(arena)).toEqual(['live', 'free', 'free'])
  expect(chunksTaken(arena)).toBe(1)
  // In order; one that ran and was not ticked off runs again, right after.
  expect([...new Set(ran)]).toEqual(retired)
  expect(ran.length).toBeLessThanOrEqual(retired.length + 1)
}

const lives = {
  'taking things': ({ take }: Person) => void [take(), take(), take(), take(), take(), take()],
  'giving things back': ({ giveBack, take }: Person) => void [giveBack(6), giveBack(take())],
  'running garbage': ({ scheme }: Person) => void scheme.flush(),
  'retiring, deep in a pin': (b: Person) => {
    b.scheme.enter()
    b.scheme.enter()
    b.giveBack(6)
    b.scheme.leave()
    b.scheme.repin()
  },
  'looking for what was missed': (b: Person) => {
    b.scheme.tryAdvance()
    b.scheme.tryAdvance()
    b.collectStale()
  },
} satisfies Record<string, (b: Person) => void>

describe('one that dies at any step of', () => {
  it.each(Object.entries(lives))('%s leaves nothing behind', (_, life) => {
    const steps = everyStep((step) => {
      const { arena, a, b, c, ran } = three()
      if (!dieAt(step, () => life(b))) return false
      expect(a.scheme.reap(2)).toBe(1)
      c.scheme.detach()
      expectAllBack(arena, a, ran, [0, 1, 2, 3, 4])
      return true
    })
    expect(steps).toBeGreaterThan(8)
  })

  it('reaping another is taken over by whoever reaps it', () => {
    const steps = everyStep((step) => {
      const { arena, a, b, c, ran } = three()
      b.scheme.enter()
      b.take()
      if (!dieAt(step, () => void c.scheme.reap(2))) return false
      a.scheme.reap(3)
      // Unless the dead reaper had not even begun.
      a.scheme.reap(2)
      expectAllBack(arena, a, ran, [0, 1, 2, 3, 4])
      return true
    })
    expect(steps).toBeGreaterThan(40)
  })
})

type World = ReturnType<typeof three>

/** The world after b died at the first step of its life at which `where` holds. */
function died(life: (b: Person) => void, where: (world: World) => boolean, ofThird: readonly number[] = []): World {
  for (let step = 1; ; step++) {
    const world = three(ofThird)
    if (!dieAt(step, () => life(world.b))) throw new Error('it never came to that')
    if (where(world)) return world
  }
}

describe('the reaper brings back', () => {
  function stateOf({ arena, a }: World, thing: number): number {
    return arena.words[a.free.stateOf(thing)]!
  }

  it('a thing that was taken off the list and not claimed', () => {
    const top = three().b.top()
    const world = died(lives['taking things'], (now) => now.b.top() !== top)
    expect(stateOf(world, top)).toBe(FREE)
    world.a.scheme.reap(2)
    // Somebody else may be about to claim it, so it waits for its epoch like any other.
    expect(world.a.free.retiredEpoch(top) >= 0 || world.a.free.contains(top)).toBe(true)
    world.c.scheme.detach()
    expectAllBack(world.arena, world.a, world.ran, [0, 1, 2, 3, 4])
  })

  it.each([true, false])('a thing that was being pushed, on the list by then: %s', (linked) => {
    const isPushed = (world: World): number => {
      return [4, 5].find((thing) => isPushing(stateOf(world, thing)) && world.a.free.contains(thing) === linked) ?? 0
    }
    const world = died(lives['running garbage'], (now) => isPushed(now) !== 0)
    const thing = isPushed(world)
    world.a.scheme.reap(2)
    expect(isPushing(stateOf(world, thing))).toBe(false)
    world.c.scheme.detach()
    expectAllBack(world.arena, world.a, world.ran, [0, 1, 2, 3, 4])
  })

  it('a thing that was retired and noted nowhere', () => {
    const world = died(lives['giving things back'], ({ a }) => a.free.countRetired() === 3)
    expect(world.a.scheme.waiting()).toBe(7)
    world.a.scheme.reap(2)
    world.c.scheme.detach()
    expectAllBack(world.arena, world.a, world.ran, [0, 1, 2, 3, 4])
  })

  it('the claim on the garbage of a third, whose last action then runs again', () => {
    const claim = ({ arena, c }: World): number => arena.words[c.me.at + CONSUMER]!
    const life = (b: Person): void => void b.scheme.flush()
    const world = died(life, (now) => claim(now) !== 0 && now.ran.at(-1) === 77, [77])
    expect(claim(world)).toBe(world.b.me.label + 1)
    world.a.scheme.reap(2)
    expect(claim(world)).toBe(0)
    world.a.scheme.flush()
    expect(world.ran).toEqual([0, 1, 2, 3, 4, 77, 77])
  })
})
