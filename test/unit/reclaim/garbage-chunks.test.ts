import { describe, expect, it } from 'vitest'
import { OP_USER } from '../../../src/reclaim/scheme.ts'
import { ENTRIES_PER_CHUNK } from '../../../src/reclaim/garbage.ts'
import { random } from '../../support/random.ts'
import { chunksTaken, join, retire, smallArena } from './participants.ts'

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}

describe('garbage that fills many chunks', () => {
  it('comes out in order, all of it, and all chunks but the last go back to the pool', () => {
    const arena = smallArena()
    const a = join(arena, 1)
    expect(chunksTaken(arena)).toBe(1)
    const count = 10 * ENTRIES_PER_CHUNK + 1
    for (const i of upTo(count)) retire(a, i)
    expect(chunksTaken(arena)).toBe(11)
    expect(a.scheme.waiting()).toBe(count)
    expect(a.scheme.flush()).toBe(0)
    expect(a.ran).toEqual(upTo(count))
    expect(chunksTaken(arena)).toBe(1)
  })

  it.each([ENTRIES_PER_CHUNK - 1, ENTRIES_PER_CHUNK, ENTRIES_PER_CHUNK + 1, 2 * ENTRIES_PER_CHUNK])(
    'of %i entries goes on after it was emptied',
    (count) => {
      const arena = smallArena()
      const a = join(arena, 1)
      for (let round = 0; round < 5; round++) {
        for (const i of upTo(count)) retire(a, i)
        expect(a.scheme.waiting()).toBe(count)
        expect(a.scheme.flush()).toBe(0)
        expect(a.ran.splice(0)).toEqual(upTo(count))
        expect(chunksTaken(arena)).toBe(1)
      }
    },
  )

  it('uses chunks over and over: many times the pool passes through it', () => {
    const arena = smallArena()
    const a = join(arena, 1)
    const rng = random(5)
    let [retired, checked] = [0, 0]
    while (retired < 4 * arena.layout.chunks * ENTRIES_PER_CHUNK) {
      for (let i = rng.int(150); i > 0; i--) retire(a, retired++)
      a.scheme.tryAdvance()
      a.scheme.collect(rng.int(200))
      for (const argument of a.ran.splice(0)) expect(argument).toBe(checked++)
      expect(chunksTaken(arena)).toBeLessThanOrEqual(1 + Math.ceil((retired - checked) / ENTRIES_PER_CHUNK))
    }
    expect(a.scheme.flush()).toBe(0)
    expect(checked + a.ran.length).toBe(retired)
  })

  it('is taken out by a neighbour while its owner appends', () => {
    const arena = smallArena()
    const ran: number[] = []
    const [a, b] = [join(arena, 1, ran), join(arena, 2, ran)]
    for (let i = 0; i < 20 * ENTRIES_PER_CHUNK; i++) {
      retire(a, i)
      if (i % 7 === 0) b.scheme.tryAdvance()
      if (i % 11 === 0) b.scheme.collect(9)
    }
    expect(b.scheme.flush()).toBe(0)
    expect(ran).toEqual(upTo(20 * ENTRIES_PER_CHUNK))
    expect(chunksTaken(arena)).toBe(2)
  })
})

describe('the pool of chunks', () => {
  it('when it is exhausted by user opcodes, retiring throws and loses nothing that was retired before', () => {
    const arena = smallArena()
    const a = join(arena, 1)
    const [b] = [join(arena, 2)]
    b.scheme.enter()
    const most = (arena.layout.chunks - 1) * ENTRIES_PER_CHUNK
    for (let i = 0; i < most; i++) retire(a, i)
    expect(() => retire(a, most)).toThrow(expect.objectContaining({ code: 'HEDDLE_INTERNAL' }))
    expect(a.scheme.waiting()).toBe(most)
    b.scheme.leave()
    expect(a.scheme.flush()).toBe(0)
    expect(a.ran).toEqual(upTo(most))
    retire(a, most)
    expect(a.scheme.flush()).toBe(0)
    expect(a.ran.at(-1)).toBe(most)
  })

  it('is shared: what one gives back another takes', () => {
    const arena = smallArena()
    const ran: number[] = []
    const [a, b] = [join(arena, 1, ran), join(arena, 2, ran)]
    const most = (arena.layout.chunks - 2) * ENTRIES_PER_CHUNK
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < most; i++) retire(round % 2 === 0 ? a : b, i)
      expect(a.scheme.flush()).toBe(0)
      expect(ran.splice(0)).toHaveLength(most)
    }
    expect(chunksTaken(arena)).toBe(2)
  })
})

it('an action may retire others: they wait for their own epoch', () => {
  const arena = smallArena()
  const a = join(arena, 1)
  const order: number[] = []
  a.scheme.register(OP_USER + 1, (left) => {
    order.push(left)
    if (left > 0) a.scheme.retire(OP_USER + 1, left - 1, a.scheme.epoch())
  })
  a.scheme.retire(OP_USER + 1, 3, a.scheme.epoch())
  a.scheme.tryAdvance()
  a.scheme.tryAdvance()
  for (const expected of [[3], [3], [3, 2]]) {
    a.scheme.collect(100)
    expect(order).toEqual(expected)
    a.scheme.tryAdvance()
  }
  while (a.scheme.waiting() > 0) a.scheme.flush()
  expect(order).toEqual([3, 2, 1, 0])
})
