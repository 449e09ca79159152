import { describe, expect, it } from 'vitest'
import { PARTICIPANT_WORDS } from '../../../src/memory/layout.ts'
import { DeathLedger } from '../../../src/reclaim/death-ledger.ts'
import { COUNTER, STATE, THREAD, claimSlot, sumCounter } from '../../../src/reclaim/participant.ts'
import { reviveSlots } from '../../../src/reclaim/reaper.ts'
import { dieAt, everyStep } from '../memory/atomics-hook.ts'
import { chunksTaken, join, retire, smallArena, statuses } from './participants.ts'

describe('reaping', () => {
  it('takes every slot of the thread, and no other', () => {
    const arena = smallArena({ maxParticipants: 6 })
    const joined = [1, 2, 1, 2, 3].map((threadId) => join(arena, threadId))
    expect(joined[0]!.scheme.reap(2)).toBe(2)
    expect(statuses(arena)).toEqual(['live', 'free', 'live', 'free', 'live', 'free'])
    expect(joined[0]!.scheme.reap(2)).toBe(0)
    expect(joined[0]!.scheme.reap(99)).toBe(0)
    expect(sumCounter(arena, COUNTER.reaped)).toBe(2)
  })

  it("never takes the reaper's own slot", () => {
    const arena = smallArena()
    const a = join(arena, 1)
    expect(a.scheme.reap(1)).toBe(0)
    expect(statuses(arena)[0]).toBe('live')
  })

  it('ends a pin, whatever its depth and age', () => {
    const arena = smallArena()
    const [a, b] = [join(arena, 1), join(arena, 2)]
    b.scheme.enter()
    b.scheme.enter()
    retire(a, 1)
    for (let i = 0; i < 5; i++) expect(a.scheme.flush()).toBe(1)
    expect(a.scheme.others()).toBe(1)
    a.scheme.reap(2)
    expect(a.scheme.others()).toBe(0)
    expect(a.ran).toEqual([1])
  })

  it('runs the hooks of all floors while the pin of the dead stands', () => {
    const arena = smallArena()
    const [a, b] = [join(arena, 1), join(arena, 2)]
    b.scheme.enter()
    const seen: unknown[] = []
    for (const floor of ['log', 'tree']) {
      a.scheme.onReap((at, label) => void seen.push([floor, at, label, arena.words[b.me.at + STATE]! & 1]))
    }
    b.scheme.onReap(() => expect.unreachable())
    a.scheme.reap(2)
    expect(seen).toEqual([
      ['log', b.me.at, b.me.label, 1],
      ['tree', b.me.at, b.me.label, 1],
    ])
  })

  it('leaves the garbage of the dead to everybody, in order', () => {
    const arena = smallArena()
    const ran: number[] = []
    const [a, b, c] = [join(arena, 1, ran), join(arena, 2, ran), join(arena, 3, ran)]
    c.scheme.enter()
    for (let i = 0; i < 150; i++) retire(b, i)
    expect(a.scheme.reap(2)).toBe(1)
    expect(statuses(arena)).toEqual(['live', 'draining', 'live', 'free'])
    expect(a.scheme.waiting()).toBe(150)
    c.scheme.leave()
    expect(c.scheme.flush()).toBe(0)
    expect(ran).toEqual(Array.from({ length: 150 }, (_, i) => i))
    expect(statuses(arena)).toEqual(['live', 'free', 'live', 'free'])
    expect(chunksTaken(arena)).toBe(2)
  })

  it('is noted in the ledger of deaths; leaving of its own accord is not', () => {
    const arena = smallArena()
    const ledger = new DeathLedger(arena)
    const a = join(arena, 1)
    expect([ledger.deaths(), ledger.isSwept(), ledger.isSized()]).toEqual([0, true, true])
    join(arena, 2).scheme.detach()
    expect(ledger.deaths()).toBe(0)
    join(arena, 3)
    a.scheme.reap(3)
    expect([ledger.deaths(), ledger.isSwept(), ledger.isSized()]).toEqual([1, false, false])
    ledger.swept(1)
    expect([ledger.isSwept(), ledger.isSized()]).toEqual([true, false])
    ledger.correct(1, 5, 1)
    expect([ledger.correction(), ledger.isSized()]).toEqual([0, false])
    ledger.correct(0, 5, 1)
    expect([ledger.correction(), ledger.isSized()]).toEqual([5, true])
    join(arena, 4)
    a.scheme.reap(4)
    expect([ledger.isSwept(), ledger.isSized()]).toEqual([false, false])
  })
})

describe('a thread that dies while it joins', () => {
  it('leaves the slot to be taken again, whichever step it died at', () => {
    const steps = everyStep((step) => {
      const arena = smallArena({ maxParticipants: 2 })
      const a = join(arena, 1)
      const died = dieAt(step, () => void claimSlot(arena, 2))
      a.scheme.reap(2)
      reviveSlots(arena, 3)
      expect(arena.words[a.me.at + PARTICIPANT_WORDS + THREAD]).toBe(0)
      expect(statuses(arena)).toEqual(['live', 'free'])
      expect(join(arena, 3).me.slot).toBe(1)
      return died
    })
    expect(steps).toBeGreaterThan(3)
  })

  it('and before its first chunk of garbage too', () => {
    const steps = everyStep((step) => {
      const arena = smallArena({ maxParticipants: 2 })
      const a = join(arena, 1)
      const died = dieAt(step, () => void join(arena, 2))
      a.scheme.reap(2)
      reviveSlots(arena, 3)
      expect(statuses(arena)).toEqual(['live', 'free'])
      expect(chunksTaken(arena)).toBe(1)
      return died
    })
    expect(steps).toBeGreaterThan(8)
  })
})
