import { expect, it } from 'vitest'
import { COUNTER, sumCounter } from '../../../src/reclaim/participant.ts'
import { join, retire, smallArena } from './participants.ts'
import { listOf } from './things.ts'

it.each(['epoch', 'none', 'unsafe'] as const)('%s knows its name, and whether it frees', (scheme) => {
  const made = join(smallArena({ scheme }), 1).scheme
  expect(made.name).toBe(scheme)
  expect(made.reclaims).toBe(scheme !== 'none')
})

it('none never frees, however far the epoch goes on, and whoever flushes', () => {
  const arena = smallArena({ scheme: 'none' })
  const [a, b] = [join(arena, 1), join(arena, 2)]
  for (let i = 0; i < 1000; i++) {
    retire(a, i)
    b.scheme.flush()
  }
  expect([a.ran, b.ran]).toEqual([[], []])
  expect(a.scheme.waiting()).toBe(0)
  expect(a.scheme.epoch()).toBeGreaterThan(1000)
  expect([sumCounter(arena, COUNTER.retired), sumCounter(arena, COUNTER.freed)]).toEqual([1000, 0])
})

it('under none a thing that was given back is never taken again', () => {
  const arena = smallArena({ scheme: 'none', pageIds: 10 })
  const a = join(arena, 1)
  const list = listOf(arena, a)
  const taken: number[] = []
  for (let thing = list.take(); thing !== 0; thing = list.take()) {
    taken.push(thing)
    list.giveBack(thing)
    a.scheme.flush()
    list.collectStale()
  }
  expect(taken).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect(list.free.countRetired()).toBe(9)
})

it('unsafe frees at once, under the feet of everybody who is pinned', () => {
  const arena = smallArena({ scheme: 'unsafe' })
  const [a, b] = [join(arena, 1), join(arena, 2)]
  a.scheme.enter()
  b.scheme.enter()
  retire(b, 5)
  expect(b.ran).toEqual([5])
  expect(sumCounter(arena, COUNTER.freed)).toBe(1)
  expect(b.scheme.waiting()).toBe(0)
})

it('under unsafe a pinned taker meets a thing again, which under epochs it never does', () => {
  const again = (['unsafe', 'epoch'] as const).map((scheme) => {
    const arena = smallArena({ scheme })
    const [a, b] = [join(arena, 1), join(arena, 2)]
    const [mine, theirs] = [listOf(arena, a), listOf(arena, b)]
    const thing = mine.take()
    a.scheme.enter()
    mine.giveBack(thing)
    for (let i = 0; i < 3; i++) b.scheme.flush()
    return theirs.take() === thing
  })
  expect(again).toEqual([true, false])
})

it('both detach and are reaped like the real one', () => {
  for (const scheme of ['none', 'unsafe'] as const) {
    const arena = smallArena({ scheme, maxParticipants: 2 })
    for (let round = 0; round < 5; round++) {
      const [a, b] = [join(arena, 1), join(arena, 2)]
      retire(b, 1)
      b.scheme.enter()
      expect(a.scheme.reap(2)).toBe(1)
      expect(a.scheme.others()).toBe(0)
      a.scheme.detach()
    }
  }
})
