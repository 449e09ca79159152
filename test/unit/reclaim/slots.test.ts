import { describe, expect, it } from 'vitest'
import { CHUNK_WORDS } from '../../../src/memory/layout.ts'
import {
  COUNTER,
  claimSlot,
  countLive,
  slotsUsed,
  sumCounter,
  tooManyThreads,
} from '../../../src/reclaim/participant.ts'
import { reviveSlots } from '../../../src/reclaim/reaper.ts'
import { Engine } from '../../../src/store/engine.ts'
import { everyStep, interruptAt } from '../memory/atomics-hook.ts'
import { chunksTaken, join, retire, smallArena, statuses } from './participants.ts'

describe('slots', () => {
  it('are taken in order, each once, until there are no more', () => {
    const arena = smallArena({ maxParticipants: 3 })
    const taken = [1, 2, 3].map((threadId) => join(arena, threadId).me)
    expect(taken.map(({ slot }) => slot)).toEqual([0, 1, 2])
    expect(new Set(taken.map(({ at }) => at)).size).toBe(3)
    expect(claimSlot(arena, 4)).toBeUndefined()
    expect(countLive(arena)).toBe(3)
  })

  it('are used again under another generation, hence another label', () => {
    const arena = smallArena()
    const labels = new Set<number>()
    for (let round = 0; round < 10; round++) {
      const a = join(arena, 1)
      expect(a.me.slot).toBe(0)
      expect(a.me.generation).toBe(round + 1)
      expect(a.scheme.label).toBe(a.me.label)
      labels.add(a.me.label)
      a.scheme.detach()
    }
    expect(labels.size).toBe(10)
    expect(slotsUsed(arena)).toBe(1)
  })

  it('that were given up in the middle are found again', () => {
    const arena = smallArena()
    const joined = [1, 2, 3].map((threadId) => join(arena, threadId))
    joined[1]!.scheme.detach()
    expect(statuses(arena)).toEqual(['live', 'free', 'live', 'free'])
    expect(join(arena, 4).me.slot).toBe(1)
    expect(slotsUsed(arena)).toBe(3)
  })

  it('two that join at once never get the same one', () => {
    const steps = everyStep((step) => {
      const arena = smallArena({ maxParticipants: 2 })
      join(arena, 9).scheme.detach()
      const slots: number[] = []
      const reached = interruptAt(
        step,
        () => void slots.push(claimSlot(arena, 1)?.slot ?? -1),
        () => void slots.push(claimSlot(arena, 2)?.slot ?? -1),
      )
      if (reached) expect(slots.sort()).toEqual([0, 1])
      expect(countLive(arena)).toBe(slots.length)
      expect(slotsUsed(arena)).toBe(slots.length)
      return reached
    })
    expect(steps).toBeGreaterThan(4)
  })

  it('one that comes and goes meanwhile leaves its successor another generation', () => {
    const steps = everyStep((step) => {
      const arena = smallArena()
      const labels: number[] = []
      const reached = interruptAt(
        step,
        () => void labels.push(claimSlot(arena, 1)!.label),
        () => {
          const guest = join(arena, 2)
          labels.push(guest.me.label)
          guest.scheme.detach()
        },
      )
      expect(new Set(labels).size).toBe(labels.length)
      return reached
    })
    expect(steps).toBeGreaterThan(4)
  })

  it('an arena without a free one says how many there are', () => {
    const error = tooManyThreads(64)
    expect(error).toMatchObject({ name: 'HeddleError', code: 'HEDDLE_TOO_MANY_THREADS' })
    expect(error.message).toContain('all 64 participant slots are taken')
  })
})

describe('counters', () => {
  it('are summed over all slots and survive their owners', () => {
    const arena = smallArena()
    for (let round = 0; round < 3; round++) {
      const [a, b] = [join(arena, 1), join(arena, 2)]
      a.me.count(COUNTER.splits, 5)
      b.me.count(COUNTER.splits, 2)
      b.me.count(COUNTER.inserts, -3)
      a.scheme.detach()
      b.scheme.detach()
    }
    expect(sumCounter(arena, COUNTER.splits)).toBe(21)
    expect(sumCounter(arena, COUNTER.inserts)).toBe(-9)
  })

  it('wrap at 32 bits together', () => {
    const arena = smallArena()
    const [a, b] = [join(arena, 1), join(arena, 2)]
    a.me.count(COUNTER.freed, 2 ** 31 - 1)
    b.me.count(COUNTER.freed, 2)
    expect(sumCounter(arena, COUNTER.freed) >>> 0).toBe(2 ** 31 + 1)
  })

  it('have a word each', () => {
    const arena = smallArena()
    const { me } = join(arena, 1)
    const names = Object.values(COUNTER)
    names.forEach((counter, i) => me.count(counter, i + 1))
    expect(names.map((counter) => sumCounter(arena, counter))).toEqual(names.map((_, i) => i + 1))
  })
})

describe('detaching', () => {
  it('frees the slot, its chunks and what had passed, when nobody else is pinned', () => {
    const arena = smallArena()
    const [a, b] = [join(arena, 1), join(arena, 2)]
    for (let i = 0; i < 200; i++) retire(a, i)
    a.scheme.detach()
    expect(a.ran).toHaveLength(200)
    expect(statuses(arena)).toEqual(['free', 'live', 'free', 'free'])
    expect(chunksTaken(arena)).toBe(1)
    expect(countLive(arena)).toBe(1)
    b.scheme.detach()
    expect(chunksTaken(arena)).toBe(0)
  })

  it('leaves garbage that somebody may still see to the others, who free the slot with it', () => {
    const arena = smallArena()
    const ran: number[] = []
    const [a, b, c] = [join(arena, 1, ran), join(arena, 2, ran), join(arena, 3, ran)]
    c.scheme.enter()
    for (let i = 0; i < 200; i++) retire(a, i)
    a.scheme.detach()
    expect(ran).toEqual([])
    expect(statuses(arena)).toEqual(['draining', 'live', 'live', 'free'])
    expect(b.scheme.flush()).toBe(200)
    c.scheme.leave()
    expect(b.scheme.flush()).toBe(0)
    expect(ran).toHaveLength(200)
    expect(statuses(arena)).toEqual(['free', 'live', 'live', 'free'])
    expect(chunksTaken(arena)).toBe(2)
  })

  it('holds the epoch up no more', () => {
    const arena = smallArena()
    const [a, b] = [join(arena, 1), join(arena, 2)]
    a.scheme.detach()
    expect([b.scheme.tryAdvance(), b.scheme.tryAdvance()]).toEqual([true, true])
    expect(b.scheme.others()).toBe(0)
  })

  it('runs the hooks inside a pin, with its own label', () => {
    const arena = smallArena()
    const [a, b] = [join(arena, 1), join(arena, 2)]
    const seen: unknown[] = []
    a.scheme.onReap((at, label) => void seen.push(['first', at, label, b.scheme.others()]))
    a.scheme.onReap((at, label) => void seen.push(['second', at, label, b.scheme.others()]))
    a.scheme.detach()
    expect(seen).toEqual([
      ['first', a.me.at, a.me.label, 1],
      ['second', a.me.at, a.me.label, 1],
    ])
  })
})

describe('a full house', () => {
  it('is let in once a slot that waited for its garbage can be given up', () => {
    const arena = smallArena({ maxParticipants: 2 })
    const [a, b] = [join(arena, 1), join(arena, 2)]
    b.scheme.enter()
    retire(a, 1)
    a.scheme.detach()
    reviveSlots(arena, 3)
    expect(claimSlot(arena, 3)).toBeUndefined()
    b.scheme.leave()
    b.scheme.tryAdvance()
    b.scheme.tryAdvance()
    // b runs the garbage, but looks at the slot no more.
    expect(b.scheme.waiting()).toBe(1)
    b.scheme.collect(1)
    reviveSlots(arena, 3)
    expect(join(arena, 3).me.slot).toBe(0)
  })

  it('refuses one more engine, and lets it in when one has gone', () => {
    const arena = smallArena({ maxParticipants: 2, segmentWords: 4096, arenaWords: 1 << 18 })
    const first = new Engine(arena, 1)
    first.tree.create()
    const second = new Engine(arena, 2)
    const refused: unknown = expect.objectContaining({ code: 'HEDDLE_TOO_MANY_THREADS' })
    expect(() => new Engine(arena, 3)).toThrow(refused)
    second.detach()
    new Engine(arena, 3).detach()
    first.detach()
    expect(statuses(arena)).toEqual(['free', 'free'])
  })

  it('never takes a slot from under one who has just got it', () => {
    const steps = everyStep((step) => {
      const arena = smallArena({ maxParticipants: 2 })
      const [a, b] = [join(arena, 1), join(arena, 2)]
      b.scheme.enter()
      retire(a, 1)
      a.scheme.detach()
      b.scheme.leave()
      b.scheme.tryAdvance()
      b.scheme.tryAdvance()
      let guest: ReturnType<typeof join> | undefined
      const reached = interruptAt(
        step,
        () => reviveSlots(arena, 3),
        () => {
          b.scheme.flush()
          if (statuses(arena)[0] === 'free') guest = join(arena, 4)
        },
      )
      if (guest !== undefined) {
        // Its thread is who it was, and the death of the one who looked for a slot in vain does not touch it.
        expect(b.scheme.reap(3)).toBe(0)
        expect(statuses(arena)[0]).toBe('live')
        expect(b.scheme.reap(4)).toBe(1)
      }
      b.scheme.flush()
      expect(statuses(arena)).toEqual(['free', 'live'])
      return reached
    })
    expect(steps).toBeGreaterThan(4)
  })
})

it('a participant that is given a slot has an empty garbage list of its own', () => {
  const arena = smallArena()
  const a = join(arena, 1)
  for (let i = 0; i < 100; i++) retire(a, i)
  a.scheme.detach()
  const { words, layout } = arena
  for (let word = layout.chunksAt; word < layout.chunksAt + CHUNK_WORDS; word++) words[word] ||= 3
  words[layout.chunksAt] = 0
  const b = join(arena, 2)
  expect(b.scheme.waiting()).toBe(0)
  retire(b, 1)
  expect(b.scheme.flush()).toBe(0)
  expect(b.ran).toEqual([1])
})
