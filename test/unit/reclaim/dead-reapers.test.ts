import { describe, expect, it } from 'vitest'
import { dieAt, everyStep } from '../memory/atomics-hook.ts'
import { chunksTaken, join, retire, smallArena, statuses } from './participants.ts'
import { listOf } from './things.ts'

/** One survivor and a row of threads, each of which is to reap the one before it. */
function row(length: number) {
  const arena = smallArena({ maxParticipants: length + 1 })
  const ran: number[] = []
  const people = Array.from({ length: length + 1 }, (_, threadId) => {
    const joined = join(arena, threadId, ran)
    return { ...joined, ...listOf(arena, joined) }
  })
  const [survivor, first, ...others] = people
  first!.take()
  retire(first!, 1)
  first!.scheme.enter()
  return { arena, ran, survivor: survivor!, first: first!, others }
}

type Row = ReturnType<typeof row>

function expectAllBuried({ arena, survivor, ran }: Row): void {
  survivor.scheme.flush()
  survivor.collectStale()
  expect(survivor.scheme.flush()).toBe(0)
  expect(survivor.scheme.others()).toBe(0)
  expect(new Set(ran)).toEqual(new Set([1]))
  expect(statuses(arena)).toEqual(['live', ...statuses(arena).slice(1).fill('free')])
  expect(survivor.take()).toBe(1)
  expect(chunksTaken(arena)).toBe(1)
}

/** Reaps a dead thread whose reaper died before it had even begun: who should have known of it would ask again. */
function reapUnlessBegun({ arena, survivor }: Row, threadId: number): void {
  if (statuses(arena)[threadId] === 'live') survivor.scheme.reap(threadId)
}

/** How long a reaping takes, in steps. */
function stepsOfReaping(): number {
  return everyStep((step) => dieAt(step, () => void row(1).survivor.scheme.reap(1)))
}

describe('a funeral that is not finished because its reaper dies', () => {
  it('is finished by whoever reaps the reaper, whichever step it was', () => {
    const steps = everyStep((step) => {
      const world = row(2)
      const died = dieAt(step, () => void world.others[0]!.scheme.reap(1))
      world.survivor.scheme.reap(2)
      reapUnlessBegun(world, 1)
      expectAllBuried(world)
      return died
    })
    expect(steps).toBeGreaterThan(40)
  })

  it('is finished also after two have died over it, at any two steps', () => {
    const last = stepsOfReaping()
    // Not before the first reaper has begun: then nobody knows of the first death.
    for (let one = 15; one < last; one += 37) {
      const steps = everyStep((step) => {
        const world = row(3)
        dieAt(one, () => void world.others[0]!.scheme.reap(1))
        const died = dieAt(step, () => void world.others[1]!.scheme.reap(2))
        world.survivor.scheme.reap(3)
        reapUnlessBegun(world, 2)
        expectAllBuried(world)
        return died
      }, 3)
      expect(steps).toBeGreaterThan(20)
    }
  })
})

describe('what a dead reaper had done', () => {
  it('does not hurt who took the slot since', () => {
    const world = row(2)
    expect(world.others[0]!.scheme.reap(1)).toBe(1)
    const successor = join(world.arena, 1, world.ran)
    expect(successor.me.slot).toBe(1)
    successor.scheme.enter()
    expect(world.survivor.scheme.reap(2)).toBe(1)
    expect(world.survivor.scheme.others()).toBe(1)
    expect(statuses(world.arena)).toEqual(['live', 'live', 'free'])
  })

  it('and a reaper that lives is left alone by the funeral of another', () => {
    const world = row(3)
    const [b, c] = world.others
    // b dies at rest. While its funeral is under way, c reaps the first: the survivor does not take that over.
    const seen: string[][] = []
    world.survivor.scheme.onReap(() => {
      if (seen.length > 0) return
      seen.push(statuses(world.arena))
      c!.scheme.reap(1)
      seen.push(statuses(world.arena))
    })
    expect(world.survivor.scheme.reap(2)).toBe(1)
    expect(seen[0]).toEqual(['live', 'live', 'reaping', 'live'])
    expect(seen[1]!.slice(1)).toEqual([expect.stringMatching(/free|draining/), 'reaping', 'live'])
    expect(b!.me.slot).toBe(2)
    c!.scheme.detach()
    expectAllBuried(world)
  })
})
