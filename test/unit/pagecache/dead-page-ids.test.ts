import { describe, expect, it } from 'vitest'
import type { Arena } from '../../../src/memory/arena.ts'
import { dieAt, everyStep } from '../memory/atomics-hook.ts'
import { type CacheUser, cacheArena, cacheUser, newPage } from './caches.ts'

const PAGE_IDS = 30

/** Takes every id that can be had, each of which must be new; those that still lead to pages are the others. */
function expectTheRest({ scheme, table }: CacheUser, pages: readonly number[]): void {
  scheme.flush()
  table.collectStale()
  scheme.flush()
  scheme.enter()
  const got: number[] = []
  for (let id = table.allocate(); id !== 0; id = table.allocate()) {
    expect(got).not.toContain(id)
    got.push(id)
  }
  scheme.leave()
  expect([...got, ...pages].sort((a, b) => a - b)).toEqual(Array.from({ length: PAGE_IDS - 1 }, (_, i) => i + 1))
}

function two(): { arena: Arena; a: CacheUser; b: CacheUser } {
  const arena = cacheArena({ pageIds: PAGE_IDS })
  return { arena, a: cacheUser(arena, 1), b: cacheUser(arena, 2) }
}

describe('ids of one that died', () => {
  it('in its cache or in its hands come back; its pages stay', () => {
    const { a, b } = two()
    const pages = [newPage(a, [], 1).id, newPage(b, [], 1).id]
    const others = [1, 2, 3].map(() => newPage(b, [], 1).id)
    for (const id of others.slice(1)) b.table.putBack(id)
    b.scheme.enter()
    b.table.allocate()
    b.table.allocate()
    a.scheme.reap(2)
    expect(a.table.countPages()).toBe(3)
    expectTheRest(a, [...pages, others[0]!])
  })

  it('that others retired meanwhile are not brought back twice', () => {
    const { a, b } = two()
    const { id, base } = newPage(b, [], 1)
    b.scheme.enter()
    expect(a.table.retire(id, base)).toBe(true)
    a.scheme.reap(2)
    a.scheme.reap(2)
    expectTheRest(a, [])
  })

  it('come back whichever step of its life it died at', () => {
    const steps = everyStep((step) => {
      const { a, b } = two()
      const pages = new Map<number, number>()
      for (let i = 0; i < 3; i++) {
        const { id, base } = newPage(a, [], 1)
        pages.set(id, base)
      }
      for (const [id, base] of pages) if (id !== 2) a.table.retire(id, base)
      a.scheme.flush()
      const life = (): void => {
        const first = newPage(b, [], 1)
        b.table.putBack(first.id)
        const [second, third, fourth] = [newPage(b, [], 1), newPage(b, [], 1), newPage(b, [], 1)]
        b.table.retire(second.id, second.base)
        b.table.retire(third.id, third.base)
        b.scheme.flush()
        b.table.retire(fourth.id, fourth.base)
      }
      const died = dieAt(step, life)
      a.scheme.reap(2)
      const left: number[] = []
      for (let id = 1; id < a.table.list.used(); id++) if (a.table.load(id) > 0) left.push(id)
      expectTheRest(a, left)
      return died
    })
    expect(steps).toBeGreaterThan(60)
  })
})

it('ids of one that leaves of its own accord come back too', () => {
  const { a, b } = two()
  const pages = [1, 2, 3].map(() => newPage(b, [], 1))
  b.table.putBack(pages[1]!.id)
  b.table.retire(pages[2]!.id, pages[2]!.base)
  b.log.sealAll()
  b.scheme.detach()
  expectTheRest(a, [pages[0]!.id])
})
