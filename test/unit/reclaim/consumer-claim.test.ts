import { describe, expect, it } from 'vitest'
import { OP_USER } from '../../../src/reclaim/scheme.ts'
import { CONSUMER } from '../../../src/reclaim/participant.ts'
import { everyStep, interruptAt } from '../memory/atomics-hook.ts'
import { chunksTaken, join, retire, smallArena } from './participants.ts'

describe('two participants at the same garbage', () => {
  it('never run an entry twice, wherever in its work one is interrupted by the other', () => {
    const count = 130
    const steps = everyStep((step) => {
      const arena = smallArena()
      const ran: number[] = []
      const [a, b] = [join(arena, 1, ran), join(arena, 2, ran)]
      for (let i = 0; i < count; i++) retire(a, i)
      const reached = interruptAt(
        step,
        () => void a.scheme.flush(),
        () => void b.scheme.flush(),
      )
      expect(b.scheme.flush()).toBe(0)
      expect(ran).toEqual(Array.from({ length: count }, (_, i) => i))
      expect(chunksTaken(arena)).toBe(2)
      return reached
    }, 3)
    expect(steps).toBeGreaterThan(count)
  })

  it('the one that comes later passes by: it runs nothing, and waits for nothing', () => {
    const arena = smallArena()
    const ran: number[] = []
    const [a, b] = [join(arena, 1, ran), join(arena, 2, ran)]
    const collected: number[] = []
    a.scheme.register(OP_USER + 1, () => void collected.push(b.scheme.collect(100)))
    b.scheme.register(OP_USER + 1, () => expect.unreachable())
    a.scheme.retire(OP_USER + 1, 0, a.scheme.epoch())
    retire(a, 1)
    retire(b, 2)
    expect(a.scheme.flush()).toBe(0)
    // From within a's action b gets at its own list, not at a's, nor does it count a's entry as run.
    expect(collected).toEqual([1])
    expect(ran).toEqual([2, 1])
  })

  it('an action that collects itself does not run others twice', () => {
    const arena = smallArena()
    const a = join(arena, 1)
    a.scheme.register(OP_USER + 1, () => {
      expect(a.scheme.collect(100)).toBe(0)
      expect(a.scheme.flush()).toBeGreaterThan(0)
    })
    retire(a, 1)
    a.scheme.retire(OP_USER + 1, 0, a.scheme.epoch())
    retire(a, 2)
    expect(a.scheme.flush()).toBe(0)
    expect(a.ran).toEqual([1, 2])
  })

  it('an action that throws leaves the claim, and what it had not done runs again when its thread is reaped', () => {
    const arena = smallArena()
    const ran: number[] = []
    const [a, b, c] = [join(arena, 1, ran), join(arena, 2, ran), join(arena, 3, ran)]
    b.scheme.register(OP_USER, () => {
      throw new Error('against the rules')
    })
    retire(a, 1)
    expect(() => b.scheme.flush()).toThrow('against the rules')
    expect(arena.words[a.me.at + CONSUMER]).toBe(b.me.label + 1)
    expect(c.scheme.flush()).toBe(1)
    c.scheme.reap(2)
    expect(arena.words[a.me.at + CONSUMER]).toBe(0)
    expect(c.scheme.flush()).toBe(0)
    expect(ran).toEqual([1])
  })
})

describe('garbage of an idle participant', () => {
  it('is run by an active neighbour', () => {
    const arena = smallArena()
    const [idle, busy] = [join(arena, 1), join(arena, 2)]
    for (let i = 0; i < 500; i++) retire(idle, i)
    expect(busy.scheme.flush()).toBe(0)
    expect(busy.ran).toHaveLength(500)
    expect(idle.ran).toEqual([])
    expect(idle.scheme.waiting()).toBe(0)
  })

  it('counts against the same budget as that of the neighbour', () => {
    const arena = smallArena()
    const ran: number[] = []
    const [idle, busy] = [join(arena, 1, ran), join(arena, 2, ran)]
    for (let i = 0; i < 10; i++) {
      retire(idle, i)
      retire(busy, 100 + i)
    }
    busy.scheme.tryAdvance()
    busy.scheme.tryAdvance()
    expect(busy.scheme.collect(13)).toBe(13)
    expect(ran).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 100, 101, 102])
  })
})

describe('opcodes of users', () => {
  it('are run by whichever participant comes by, with its own handler', () => {
    const arena = smallArena()
    const [a, b] = [join(arena, 1), join(arena, 2)]
    const freed = { a: [] as number[], b: [] as number[] }
    for (let op = OP_USER + 1; op < OP_USER + 12; op++) {
      a.scheme.register(op, (argument) => void freed.a.push(argument))
      b.scheme.register(op, (argument) => void freed.b.push(argument))
      a.scheme.retire(op, op * 100, a.scheme.epoch())
    }
    expect(b.scheme.flush()).toBe(0)
    expect(freed).toEqual({ a: [], b: Array.from({ length: 11 }, (_, i) => (OP_USER + 1 + i) * 100) })
  })

  it('without a handler are an error that names the cause', () => {
    const arena = smallArena()
    const a = join(arena, 1)
    a.scheme.retire(OP_USER + 2, 1, a.scheme.epoch())
    expect(() => a.scheme.flush()).toThrow('a deferred action has no handler in this thread')
  })
})
