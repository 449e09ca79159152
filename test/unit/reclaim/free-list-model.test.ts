import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FREE, isHeld, isRetired, payloadOf, pushing } from '../../../src/reclaim/ownership.ts'
import { join, smallArena } from './participants.ts'
import { listOf, type Things } from './things.ts'

const PEOPLE = 3
const PAGE_IDS = 12

/** What a run does: who takes, who gives back the n-th thing in use, when the epoch goes on and garbage is run. */
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('take' as const), who: fc.nat(PEOPLE - 1) }),
    fc.record({ kind: fc.constant('take' as const), who: fc.nat(PEOPLE - 1) }),
    fc.record({ kind: fc.constant('give' as const), which: fc.nat(4) }),
    fc.record({ kind: fc.constant('flush' as const), who: fc.nat(PEOPLE - 1) }),
    fc.record({ kind: fc.constant('advance' as const), who: fc.nat(PEOPLE - 1) }),
    fc.record({ kind: fc.constant('collect' as const), who: fc.nat(PEOPLE - 1) }),
  ),
  { minLength: 100, maxLength: 200 },
)

describe('random takes and returns', () => {
  it('never give a thing to two, nor lose one; each comes back two epochs after it was given back', () => {
    let reused = 0
    fc.assert(
      fc.property(steps, (run) => {
        const arena = smallArena({ pageIds: PAGE_IDS })
        const people = Array.from({ length: PEOPLE }, (_, i) => join(arena, i + 1))
        const lists = people.map((person) => listOf(arena, person))
        const holders = new Map<number, number>()
        const waiting = new Map<number, number>()
        const ever = new Set<number>()
        let epoch = 0
        for (const step of run) {
          if (step.kind === 'take') {
            const thing = lists[step.who]!.take()
            if (thing === 0) {
              expect(holders.size + waiting.size).toBe(PAGE_IDS - 1)
              continue
            }
            expect(holders.has(thing)).toBe(false)
            if (ever.has(thing)) reused++
            if (waiting.has(thing)) expect(epoch - waiting.get(thing)!).toBeGreaterThanOrEqual(2)
            waiting.delete(thing)
            ever.add(thing)
            holders.set(thing, step.who)
          } else if (step.kind === 'give') {
            const thing = [...holders.keys()][step.which]
            if (thing === undefined) continue
            const who = holders.get(thing)!
            // Only its holder can give it back, and only once.
            expect(lists[(who + 1) % PEOPLE]!.giveBack(thing)).toBe(false)
            expect(lists[who]!.giveBack(thing)).toBe(true)
            expect(lists[who]!.giveBack(thing)).toBe(false)
            holders.delete(thing)
            waiting.set(thing, epoch)
          } else {
            const { scheme } = people[step.who]!
            if (step.kind === 'flush') scheme.flush()
            else if (step.kind === 'advance') scheme.tryAdvance()
            else scheme.collect(2)
            epoch = scheme.epoch()
            if (step.kind === 'flush') waiting.clear()
          }
          expect(faultsOf(arena.words, lists[0]!, holders, ever)).toEqual([])
        }
      }),
      { numRuns: 60, seed: 1 },
    )
    expect(reused).toBeGreaterThan(500)
  })
})

/** Compares the list and every ownership word with who holds what. */
function faultsOf(words: Int32Array, { free }: Things, holders: Map<number, number>, ever: Set<number>): string[] {
  const found: string[] = []
  const listed = free.members()
  for (let thing = free.first; thing < free.used(); thing++) {
    const state = words[free.stateOf(thing)]!
    const holder = holders.get(thing)
    if (!ever.has(thing)) found.push(`${thing} was never handed out`)
    if (isHeld(state) !== (holder !== undefined)) found.push(`${thing} is held by ${holder}, its word is ${state}`)
    if (isHeld(state) && payloadOf(state) >>> 20 !== holder) found.push(`${thing} is held by another`)
    if ((state === FREE) !== listed.has(thing)) found.push(`${thing} is ${state === FREE ? 'not ' : ''}on the list`)
    if (isRetired(state) !== free.retiredEpoch(thing) >= 0) found.push(`${thing} is not sure about its epoch`)
    if (free.contains(thing) !== listed.has(thing)) found.push(`${thing} is hard to find`)
  }
  const counted = free.countFree(PAGE_IDS)
  if (counted !== PAGE_IDS - 1 - holders.size - free.countRetired()) found.push(`${counted} are free`)
  return found
}

describe('things', () => {
  it('that were never used are taken in order, up to the end', () => {
    const arena = smallArena({ pageIds: 5 })
    const list = listOf(arena, join(arena, 1))
    expect(list.free.used()).toBe(1)
    expect([1, 2, 3, 4, 5].map(() => list.take())).toEqual([1, 2, 3, 4, 0])
    expect(list.free.used()).toBe(5)
  })

  it('that were used come first, the last one given back before the others', () => {
    const arena = smallArena()
    const a = join(arena, 1)
    const list = listOf(arena, a)
    const taken = [1, 2, 3].map(() => list.take())
    for (const thing of taken) list.giveBack(thing)
    a.scheme.flush()
    expect([1, 2, 3, 4].map(() => list.take())).toEqual([3, 2, 1, 4])
  })

  it('are counted up to a limit', () => {
    const arena = smallArena({ pageIds: 8 })
    const a = join(arena, 1)
    const list = listOf(arena, a)
    for (let i = 0; i < 7; i++) list.take()
    for (const thing of [2, 4, 6]) list.giveBack(thing)
    expect(list.free.countFree(9)).toBe(0)
    expect(list.free.countRetired()).toBe(3)
    a.scheme.flush()
    expect([1, 2, 3, 9].map((limit) => list.free.countFree(limit))).toEqual([1, 2, 3, 3])
    expect(list.free.countRetired()).toBe(0)
  })

  it('are pushed only from the exact state of their retirement', () => {
    const arena = smallArena()
    const a = join(arena, 1)
    const list = listOf(arena, a)
    const thing = list.take()
    const epoch = a.scheme.epoch()
    expect(list.free.push(thing, epoch)).toBe(false)
    list.giveBack(thing)
    expect(list.free.push(thing, epoch + 1)).toBe(false)
    expect(list.top()).toBe(0)
    expect(list.free.push(thing, epoch)).toBe(true)
    expect(list.free.push(thing, epoch)).toBe(false)
    expect([...list.free.members()]).toEqual([thing])
  })

  it('are readied once, by the one who pushes them, before anybody can take them', () => {
    const arena = smallArena()
    const a = join(arena, 1)
    const list = listOf(arena, a)
    const readied: unknown[] = []
    list.free.prepare = (thing) => {
      const state = arena.words[list.free.stateOf(thing)]
      readied.push([thing, state === pushing(a.me.label), list.top()])
    }
    list.giveBack(list.take())
    expect(readied).toEqual([])
    a.scheme.flush()
    list.collectStale()
    expect(readied).toEqual([[1, true, 0]])
  })
})
