import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hasPassed } from '../../../src/reclaim/garbage.ts'
import { payloadOf, retired } from '../../../src/reclaim/ownership.ts'
import { join, retire, setEpoch, smallArena } from './participants.ts'
import { listOf } from './things.ts'

const EPOCHS = 2 ** 28

describe('around the wrap of the 28 bits of the epoch', () => {
  const starts = [4, 3, 2, 1].map((before) => EPOCHS - before)

  it.each(starts)('from %i on the epoch goes to zero', (start) => {
    const arena = smallArena()
    const { scheme } = join(arena, 1)
    setEpoch(arena, start)
    const seen = Array.from({ length: 6 }, () => (scheme.tryAdvance() ? scheme.epoch() : -1))
    expect(seen).toEqual([1, 2, 3, 4, 5, 6].map((after) => (start + after) % EPOCHS))
  })

  it.each(starts)('what is retired in %i and later runs two epochs after, each in its turn', (start) => {
    const arena = smallArena()
    const a = join(arena, 1)
    setEpoch(arena, start)
    for (let i = 0; i < 8; i++) {
      retire(a, i)
      a.scheme.collect(100)
      expect(a.ran).toEqual(Array.from({ length: Math.max(0, i - 1) }, (_, j) => j))
      a.scheme.tryAdvance()
    }
    a.scheme.flush()
    expect(a.ran).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  it.each(starts)('a pin of %i and later still holds what it may see', (start) => {
    const arena = smallArena()
    const [a, b] = [join(arena, 1), join(arena, 2)]
    setEpoch(arena, start)
    for (let round = 0; round < 6; round++) {
      a.scheme.enter()
      retire(b, round)
      for (let i = 0; i < 4; i++) b.scheme.flush()
      expect(b.ran).toHaveLength(round)
      a.scheme.leave()
      expect(b.scheme.flush()).toBe(0)
      expect(b.ran).toHaveLength(round + 1)
    }
  })

  it.each(starts)('a thing retired in %i comes back to its free list once', (start) => {
    const arena = smallArena()
    const a = join(arena, 1)
    setEpoch(arena, start)
    const list = listOf(arena, a)
    for (let round = 0; round < 8; round++) {
      expect(list.take()).toBe(1)
      expect(list.giveBack(1)).toBe(true)
      expect([list.free.countRetired(), list.top()]).toEqual([1, 0])
      a.scheme.tryAdvance()
      a.scheme.collect(100)
      list.collectStale()
      expect(list.top()).toBe(0)
      a.scheme.tryAdvance()
      // Whoever comes first: the list of garbage, or whoever looks at every thing.
      if (round % 2 === 0) list.collectStale()
      expect(a.scheme.collect(100)).toBe(1)
      list.collectStale()
      expect([...list.free.members()]).toEqual([1])
      expect(list.free.countRetired()).toBe(0)
    }
  })

  it('whether an epoch has passed depends on the distance alone', () => {
    const epochs = fc.integer({ min: 0, max: EPOCHS - 1 })
    fc.assert(
      fc.property(epochs, epochs, (epoch, distance) => {
        const now = (epoch + distance) % EPOCHS
        expect(hasPassed(epoch, now)).toBe(distance >= 2 && distance < EPOCHS / 2)
      }),
      {
        examples: [
          [EPOCHS - 1, 1],
          [EPOCHS - 1, 2],
          [EPOCHS - 2, 1],
          [0, EPOCHS - 1],
          [5, EPOCHS - 2],
        ],
        seed: 1,
      },
    )
  })

  it('the last epoch fits into an ownership word', () => {
    expect(payloadOf(retired(EPOCHS - 1))).toBe(EPOCHS - 1)
  })
})
