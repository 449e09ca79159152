import { expect, it } from 'vitest'
import { isDead } from '../../../src/log/block.ts'
import { REMOVED } from '../../../src/pagecache/page-table.ts'
import { everyStep, interruptAt } from '../memory/atomics-hook.ts'
import { cacheArena, cacheUser, newPage, writeBase } from './caches.ts'

function world() {
  const arena = cacheArena()
  const [a, b] = [cacheUser(arena, 1), cacheUser(arena, 2)]
  return { arena, a, b, ...newPage(a, [11], 2) }
}

it('a page that is replaced has the new base, and the old one is dead', () => {
  const { arena, a, id, base } = world()
  const next = writeBase(a, id, [12], 2)
  expect(a.cache.replace(id, base, next)).toBe(true)
  expect(a.table.load(id)).toBe(next)
  expect([isDead(arena.words[base]!), isDead(arena.words[next]!)]).toEqual([true, false])
})

it('of two that replace a page one succeeds, at any step of each other', () => {
  const steps = everyStep((step) => {
    const { arena, a, b, id, base } = world()
    const [mine, theirs] = [writeBase(a, id, [12], 2), writeBase(b, id, [13], 2)]
    const won: boolean[] = []
    const reached = interruptAt(
      step,
      () => void won.push(a.cache.replace(id, base, mine)),
      () => void won.push(b.cache.replace(id, base, theirs)),
    )
    expect(won.filter(Boolean)).toHaveLength(1)
    expect([mine, theirs]).toContain(a.table.load(id))
    expect(isDead(arena.words[base]!)).toBe(true)
    expect(a.log.segments.deadWords(a.log.segments.segmentOf(base))).toBe(mine - base)
    return reached
  })
  expect(steps).toBeGreaterThan(2)
})

it('a page that is being removed is not replaced', () => {
  const { arena, a, id, base } = world()
  expect(a.table.cas(id, base, base | REMOVED)).toBe(true)
  expect(a.cache.replace(id, base, writeBase(a, id, [12], 2))).toBe(false)
  expect(isDead(arena.words[base]!)).toBe(false)
})

it('the cleaner has a page consolidated if it still has the base that is in the way', () => {
  const { a, id, base } = world()
  expect(a.cache.relocate(id, base)).toBe(true)
  expect(a.asked).toEqual([id, base])
  a.cache.replace(id, base, writeBase(a, id, [12], 2))
  expect(a.cache.relocate(id, base)).toBe(true)
  expect(a.asked).toEqual([id, base])
})
