import { expect, it } from 'vitest'
import { GLOBAL_PAGE_HEAD } from '../../../src/memory/layout.ts'
import { INTENT_POP_PAGE } from '../../../src/reclaim/participant.ts'
import { everyStep, interruptAt } from '../memory/atomics-hook.ts'
import type { Arena } from '../../../src/memory/arena.ts'
import { type Joined, join, smallArena } from './participants.ts'
import { type Things, listOf } from './things.ts'

interface Person extends Joined, Things {}

const PAGE_IDS = 9

/** Two at one list: 4 and 3 are on it, 1 and 2 wait for their epoch, 5 and 6 are in use, 7 and 8 were never used. */
function twoAtOneList(): { arena: Arena; a: Person; b: Person; inUse: Set<number> } {
  const arena = smallArena({ pageIds: PAGE_IDS })
  const inUse = new Set<number>()
  const person = (threadId: number): Person => {
    const joined = join(arena, threadId)
    const things = listOf(arena, joined)
    const take = (): number => {
      const thing = things.take()
      if (inUse.has(thing)) throw new Error(`${thing} was given to two`)
      if (thing !== 0) inUse.add(thing)
      return thing
    }
    const giveBack = (thing: number): boolean => {
      inUse.delete(thing)
      return things.giveBack(thing)
    }
    return { ...joined, ...things, take, giveBack }
  }
  const [a, b] = [person(1), person(2)]
  for (let i = 0; i < 6; i++) a.take()
  for (const thing of [4, 3]) a.giveBack(thing)
  a.scheme.flush()
  for (const thing of [1, 2]) a.giveBack(thing)
  return { arena, a, b, inUse }
}

const works = {
  'takes three': ({ take }: Person) => void [take(), take(), take()],
  'gives back and takes': ({ giveBack, take }: Person) => void [giveBack(5), giveBack(6), take()],
  'runs the garbage': ({ scheme }: Person) => void scheme.flush(),
  'looks for what was missed': ({ scheme, collectStale }: Person) => {
    scheme.tryAdvance()
    scheme.tryAdvance()
    collectStale()
  },
  'looks for what was lost': ({ scheme, free }: Person) => {
    // So that others can push while this one is pinned.
    scheme.tryAdvance()
    scheme.tryAdvance()
    scheme.enter()
    free.recoverLost()
    scheme.leave()
  },
} satisfies Record<string, (person: Person) => void>

type Work = keyof typeof works
const names = Object.keys(works) as Work[]
// Only the one who holds 5 and 6 can give them back.
const others = names.filter((name) => name !== 'gives back and takes')
const pairs = names.flatMap((one) => others.map((other) => ({ one, other })))

it.each(pairs)('one $one, another comes before every step and $other', ({ one, other }) => {
  const steps = everyStep((step) => {
    const { a, b, inUse } = twoAtOneList()
    const reached = interruptAt(
      step,
      () => works[one](a),
      () => works[other](b),
    )
    a.scheme.flush()
    expect(b.scheme.flush()).toBe(0)
    // Whatever is not in use can be had now, each thing once.
    while (b.take() !== 0) expect(inUse.size).toBeLessThan(PAGE_IDS)
    expect([...inUse].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    return reached
  })
  expect(steps).toBeGreaterThan(5)
})

it('a taker who was stopped before the CAS of the head does not put an old second thing on top', () => {
  // a reads the top 3 and its link 4; meanwhile b takes both, and gives 3 back.
  const steps = everyStep((step) => {
    const { a, b, inUse } = twoAtOneList()
    const reached = interruptAt(
      step,
      () => void a.take(),
      () => {
        if (b.take() !== 3) return
        expect(b.take()).toBe(4)
        b.giveBack(3)
        for (let i = 0; i < 5; i++) b.scheme.flush()
        // As long as a is pinned, 3 is not on the list again.
        expect(a.scheme.pinned() && b.top() === 3).toBe(false)
      },
    )
    b.scheme.flush()
    while (b.take() !== 0) expect(inUse.size).toBeLessThan(PAGE_IDS)
    expect(inUse.size).toBe(PAGE_IDS - 1)
    return reached
  })
  expect(steps).toBeGreaterThan(5)
})

it('what a popper unlinked before it died is not lost, however slowly it was being pushed', () => {
  let lost = 0
  const steps = everyStep((step) => {
    const { arena, a, b, inUse } = twoAtOneList()
    const { words } = arena
    const dead = join(arena, 9)
    const reached = interruptAt(
      step,
      () => void a.scheme.flush(),
      () => {
        // The first half of a pop.
        dead.scheme.enter()
        const top = Atomics.load(words, GLOBAL_PAGE_HEAD)
        Atomics.store(words, dead.me.at + INTENT_POP_PAGE, top)
        Atomics.store(words, GLOBAL_PAGE_HEAD, Atomics.load(words, arena.layout.pageLinksAt + top))
        b.scheme.reap(9)
      },
    )
    a.scheme.flush()
    b.scheme.flush()
    if (reached && countFree(a) < FREE_AT_THE_END) lost++
    b.scheme.enter()
    b.free.recoverLost()
    b.scheme.leave()
    b.scheme.flush()
    if (reached) expect(countFree(a)).toBe(FREE_AT_THE_END)
    while (b.take() !== 0) expect(inUse.size).toBeLessThan(PAGE_IDS)
    expect([...inUse].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    return reached
  })
  expect(steps).toBeGreaterThan(5)
  expect(lost).toBeGreaterThan(0)
})

/** 1, 2, 3 and 4. */
const FREE_AT_THE_END = 4

function countFree({ free }: Person): number {
  return free.members().size
}
