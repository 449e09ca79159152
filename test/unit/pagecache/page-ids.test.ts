import { describe, expect, it } from 'vitest'
import { COUNTER, sumCounter } from '../../../src/reclaim/participant.ts'
import { ADDRESS_MASK, REMOVED, ROOT } from '../../../src/pagecache/page-table.ts'
import { everyStep, interruptAt } from '../memory/atomics-hook.ts'
import { type CacheUser, cacheArena, cacheUser, newPage } from './caches.ts'

function allocate({ scheme, table }: CacheUser): number {
  scheme.enter()
  try {
    return table.allocate()
  } finally {
    scheme.leave()
  }
}

describe('page ids', () => {
  it('begin with the root, and each is given once, until there are no more', () => {
    const arena = cacheArena({ pageIds: 16 })
    const [a, b] = [cacheUser(arena, 1), cacheUser(arena, 2)]
    const given = Array.from({ length: 15 }, (_, i) => allocate(i % 2 === 0 ? a : b))
    expect(given[0]).toBe(ROOT)
    expect(given).toEqual(Array.from({ length: 15 }, (_, i) => i + 1))
    expect([allocate(a), allocate(b)]).toEqual([0, 0])
    expect(a.table.holder(1)).toBe(a.me.label)
    expect(a.table.holder(2)).toBe(b.me.label)
  })

  it('that are shown lead to their base; nobody holds them any more', () => {
    const a = cacheUser(cacheArena())
    const { id, base } = newPage(a, [], 2)
    expect([a.table.load(id), a.table.holder(id)]).toEqual([base, -1])
    expect(a.table.countPages()).toBe(1)
    expect(a.table.cas(id, base + 1, 5)).toBe(false)
    expect(a.table.load(id)).toBe(base)
  })

  it('that were put back are given again to the same participant, at most eight; others wait for their epoch', () => {
    const arena = cacheArena()
    const [a, b] = [cacheUser(arena, 1), cacheUser(arena, 2)]
    const ids = Array.from({ length: 10 }, () => newPage(a, [], 1).id)
    for (const id of ids) a.table.putBack(id)
    expect(a.table.countPages()).toBe(0)
    expect(ids.slice(0, 8).map((id) => a.table.holder(id))).toEqual(new Array(8).fill(a.me.label))
    expect(a.table.list.countRetired()).toBe(2)
    expect(allocate(b)).toBe(11)
    expect(Array.from({ length: 9 }, () => allocate(a))).toEqual([8, 7, 6, 5, 4, 3, 2, 1, 12])
    a.scheme.flush()
    expect([allocate(a), allocate(b)].sort()).toEqual([10, 9])
    expect(sumCounter(arena, COUNTER.pageIdsReused)).toBe(2)
  })

  it('that are retired come back when their epoch has passed for everyone', () => {
    const arena = cacheArena()
    const [a, b] = [cacheUser(arena, 1), cacheUser(arena, 2)]
    const { id, base } = newPage(a, [], 1)
    b.scheme.enter()
    expect(a.table.retire(id, base)).toBe(true)
    for (let i = 0; i < 5; i++) a.scheme.flush()
    expect(allocate(a)).toBe(id + 1)
    expect(a.table.load(id)).toBeLessThan(0)
    b.scheme.leave()
    a.scheme.flush()
    expect(allocate(b)).toBe(id)
    expect(sumCounter(arena, COUNTER.pageIdsRetired)).toBe(1)
  })

  it('are retired once, by one of those who try, and only from the state they saw', () => {
    const steps = everyStep((step) => {
      const arena = cacheArena()
      const [a, b] = [cacheUser(arena, 1), cacheUser(arena, 2)]
      const { id, base } = newPage(a, [], 1)
      expect(a.table.retire(id, base | REMOVED)).toBe(false)
      a.table.cas(id, base, base | REMOVED)
      expect(a.table.retire(id, base)).toBe(false)
      const won: boolean[] = []
      const reached = interruptAt(
        step,
        () => void won.push(a.table.retire(id, base | REMOVED)),
        () => void won.push(b.table.retire(id, base | REMOVED)),
      )
      expect(won.filter(Boolean)).toHaveLength(1)
      expect(a.scheme.waiting()).toBe(1)
      expect(sumCounter(arena, COUNTER.pageIdsRetired)).toBe(1)
      a.scheme.flush()
      expect(allocate(b)).toBe(id)
      return reached
    })
    expect(steps).toBeGreaterThan(3)
  })

  it('that are being removed keep their address, and count as pages until they are retired', () => {
    const a = cacheUser(cacheArena())
    const { id, base } = newPage(a, [], 1)
    a.table.cas(id, base, base | REMOVED)
    const word = a.table.load(id)
    expect(word).toBeGreaterThanOrEqual(REMOVED)
    expect(word & ADDRESS_MASK).toBe(base)
    expect([a.table.countPages(), a.table.holder(id)]).toEqual([1, -1])
    a.table.retire(id, word)
    expect(a.table.countPages()).toBe(0)
  })
})
