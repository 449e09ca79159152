import { describe, expect, it } from 'vitest'
import { EMPTIED, FRAGMENT_MASK, FROZEN, SEALED } from '../../../src/pagecache/fragment.ts'
import { dieAt, everyStep, interruptAt } from '../memory/atomics-hook.ts'
import { type CacheUser, cacheArena, cacheUser, newPage, wordsOf } from './caches.ts'

const SLOTS = 3

/** A page with two entries, one of them emptied, and so many of its three slots linked. */
function world(linked: number) {
  const arena = cacheArena()
  const [a, b] = [cacheUser(arena, 1), cacheUser(arena, 2)]
  const { base } = newPage(a, [11, 12], SLOTS)
  const [entry, slot] = [a.cache.entriesAt(base), a.cache.slotsAt(base)]
  a.cache.overwrite(entry + 1, 12, EMPTIED)
  for (let i = 0; i < linked; i++) a.cache.link(base, slot + i, 21 + i, 77)
  return { a, b, base, entry, slot }
}

function frozen(linked: number): number[] {
  const slots = [21, 22, 23].slice(0, linked).map((fragment) => FROZEN | fragment)
  const rest = linked < SLOTS ? [SEALED, ...new Array<number>(SLOTS - linked - 1).fill(0)] : []
  return [FROZEN | 11, FROZEN | EMPTIED, ...slots, ...rest]
}

describe.each([0, 1, 2, 3])('freezing a page with %i slots in use', (linked) => {
  it('freezes every word and seals the first unused slot', () => {
    const { a, base } = world(linked)
    a.cache.freeze(base)
    expect(wordsOf(a, base, SLOTS)).toEqual(frozen(linked))
    expect([a.cache.slotsUsed(base), a.cache.countFragments(base)]).toEqual([linked, linked + 1])
    const found = Array.from(a.cache.frozen.subarray(0, 2 + linked), (word) => word | FROZEN)
    expect(found).toEqual(frozen(linked).slice(0, 2 + linked))
  })

  it('is idempotent', () => {
    const { a, b, base } = world(linked)
    for (const { cache } of [a, b, a]) {
      cache.freeze(base)
      expect(wordsOf(a, base, SLOTS)).toEqual(frozen(linked))
    }
  })

  it('leaves no words of another page behind its own', () => {
    const { a, base } = world(linked)
    a.cache.freeze(newPage(a, [31, 32, 33, 34, 35, 36, 37], 0).base)
    a.cache.freeze(base)
    expect([...a.cache.frozen.subarray(2, 3 + linked)].map(unfrozen)).toEqual([...[21, 22, 23].slice(0, linked), 0])
  })

  it('may be done by two at once, at any step of each other', () => {
    const steps = everyStep((step) => {
      const { a, b, base } = world(linked)
      const reached = interruptAt(
        step,
        () => a.cache.freeze(base),
        () => {
          b.cache.freeze(base)
          expect(wordsOf(b, base, SLOTS)).toEqual(frozen(linked))
        },
      )
      expect(wordsOf(a, base, SLOTS)).toEqual(frozen(linked))
      return reached
    })
    expect(steps).toBeGreaterThan(2 + linked)
  })

  it('is finished by another if the thread dies over it', () => {
    everyStep((step) => {
      const { a, b, base } = world(linked)
      const died = dieAt(step, () => a.cache.freeze(base))
      b.cache.freeze(base)
      expect(wordsOf(b, base, SLOTS)).toEqual(frozen(linked))
      return died
    })
  })
})

describe('a writer that comes by while a page is frozen', () => {
  const works = {
    'links a fragment': ({ cache }: CacheUser, base: number) => {
      const at = cache.slotsAt(base) + cache.slotsUsed(base)
      return cache.link(base, at, 99, 77)
    },
    'overwrites an entry': ({ cache }: CacheUser, base: number) => cache.overwrite(cache.entriesAt(base), 11, 99),
    'overwrites a slot': ({ cache }: CacheUser, base: number) => cache.overwrite(cache.slotsAt(base), 21, 99),
    'empties a slot': ({ cache }: CacheUser, base: number) => cache.overwrite(cache.slotsAt(base), 21, EMPTIED),
  } satisfies Record<string, (user: CacheUser, base: number) => boolean>

  it.each(Object.entries(works))('%s in time or not at all; what it did is in what is frozen', (name, work) => {
    const outcomes = new Set<boolean>()
    everyStep((step) => {
      const { a, b, base } = world(2)
      let done = false
      const reached = interruptAt(
        step,
        () => a.cache.freeze(base),
        () => (done = work(b, base)),
      )
      if (reached) outcomes.add(done)
      const words = wordsOf(a, base, SLOTS)
      const used = words.slice(0, 2 + a.cache.slotsUsed(base))
      expect(used.every((word) => word < 0)).toBe(true)
      const there = name === 'empties a slot' ? words[2] === (FROZEN | EMPTIED) : used.some(leadsTo99)
      expect(there).toBe(done)
      expect(work(b, base)).toBe(false)
      expect(wordsOf(a, base, SLOTS)).toEqual(words)
      return reached
    })
    expect(outcomes).toEqual(new Set([true, false]))
  })
})

function unfrozen(word: number): number {
  return word & ~FROZEN
}

function leadsTo99(word: number): boolean {
  return (word & FRAGMENT_MASK) === 99
}
