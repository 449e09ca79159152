import { describe, expect, it } from 'vitest'
import type { Arena } from '../../../src/memory/arena.ts'
import { EMPTIED, FROZEN } from '../../../src/pagecache/fragment.ts'
import { everyStep, interruptAt } from '../memory/atomics-hook.ts'
import { cacheArena, cacheUser, newPage, wordsOf } from './caches.ts'

const SLOTS = 3

/** The tags of the slots from a word on, one for each. */
function tagsOf(arena: Arena, slot: number, slots: number): number[] {
  return [...arena.bytes.subarray((slot + slots) * 4, (slot + slots) * 4 + slots)]
}

function world(entries = [11, 12], slots = SLOTS) {
  const arena = cacheArena()
  const [a, b] = [cacheUser(arena, 1), cacheUser(arena, 2)]
  const { id, base } = newPage(a, entries, slots)
  return { arena, a, b, id, base, slot: a.cache.slotsAt(base), entry: a.cache.entriesAt(base) }
}

describe('linking', () => {
  it('puts the fragment into an unused slot and its tag beside it', () => {
    const { arena, a, base, slot } = world()
    expect(a.cache.link(base, slot, 21, 77)).toBe(true)
    expect(wordsOf(a, base, SLOTS)).toEqual([11, 12, 21, 0, 0])
    expect(tagsOf(arena, slot, SLOTS)).toEqual([77, 0, 0])
    expect([a.cache.slotsUsed(base), a.cache.countFragments(base)]).toEqual([1, 3])
  })

  it('fails where another was faster', () => {
    const { arena, a, b, base, slot } = world()
    expect(b.cache.link(base, slot, 21, 77)).toBe(true)
    expect(a.cache.link(base, slot, 31, 78)).toBe(false)
    expect(wordsOf(a, base, SLOTS)).toEqual([11, 12, 21, 0, 0])
    expect(tagsOf(arena, slot, SLOTS)).toEqual([77, 0, 0])
  })

  it('fails on a page that is sealed, also in the slots after the seal', () => {
    const { a, b, base, slot } = world()
    a.cache.link(base, slot, 21, 77)
    b.cache.freeze(base)
    const before = wordsOf(a, base, SLOTS)
    expect(a.cache.link(base, slot, 31, 78)).toBe(false)
    expect(a.cache.link(base, slot + 1, 31, 78)).toBe(false)
    expect(wordsOf(a, base, SLOTS)).toEqual(before)
  })

  it('shows the fragment before its tag: never a tag without a fragment', () => {
    const { arena, a, base, slot } = world()
    const seen: number[] = []
    const look = (): void => void seen.push(arena.words[slot]!, ...tagsOf(arena, slot, SLOTS))
    expect(interruptAt(2, () => void a.cache.link(base, slot, 21, 77), look)).toBe(true)
    expect(seen).toEqual([21, 0, 0, 0])
  })

  it('leaves the tags of other slots alone, also of one that another links meanwhile', () => {
    const slots = 6
    const steps = everyStep((step) => {
      const { arena, a, b, base, slot } = world([11, 12], slots)
      for (let i = 0; i < 4; i++) expect(a.cache.link(base, slot + i, 21 + i, 252 + i)).toBe(true)
      expect(tagsOf(arena, slot, slots)).toEqual([252, 253, 254, 255, 0, 0])
      const reached = interruptAt(
        step,
        () => void a.cache.link(base, slot + 4, 31, 1),
        () => void b.cache.link(base, slot + 5, 32, 128),
      )
      if (!reached) b.cache.link(base, slot + 5, 32, 128)
      expect(tagsOf(arena, slot, slots)).toEqual([252, 253, 254, 255, 1, 128])
      return reached
    })
    expect(steps).toBe(2)
  })
})

describe('overwriting', () => {
  it('changes the word that was read, an entry or a slot, also to nothing', () => {
    const { a, b, base, entry, slot } = world()
    expect(a.cache.overwrite(entry + 1, 12, 32)).toBe(true)
    a.cache.link(base, slot, 21, 77)
    expect(b.cache.overwrite(slot, 21, 22)).toBe(true)
    expect(b.cache.overwrite(entry, 11, EMPTIED)).toBe(true)
    expect(wordsOf(a, base, SLOTS)).toEqual([EMPTIED, 32, 22, 0, 0])
    expect([a.cache.slotsUsed(base), a.cache.countFragments(base)]).toEqual([1, 2])
  })

  it('fails when the word is another by now', () => {
    const { a, b, base, entry } = world()
    expect(a.cache.overwrite(entry, 11, 31)).toBe(true)
    expect(b.cache.overwrite(entry, 11, 41)).toBe(false)
    expect(wordsOf(a, base, 0)).toEqual([31, 12])
  })

  it('fails once the word is frozen, whatever it leads to', () => {
    const { a, b, base, entry, slot } = world()
    a.cache.link(base, slot, 21, 77)
    a.cache.overwrite(entry + 1, 12, EMPTIED)
    b.cache.freeze(base)
    const before = wordsOf(a, base, SLOTS)
    expect(before.slice(0, 3)).toEqual([FROZEN | 11, FROZEN | EMPTIED, FROZEN | 21])
    for (const [at, read] of [
      [entry, 11],
      [entry + 1, EMPTIED],
      [slot, 21],
    ] as const) {
      expect(a.cache.overwrite(at, read, 99)).toBe(false)
    }
    expect(wordsOf(a, base, SLOTS)).toEqual(before)
  })

  it('does not fill an emptied slot again by linking', () => {
    const { a, base, slot } = world()
    a.cache.link(base, slot, 21, 77)
    a.cache.overwrite(slot, 21, EMPTIED)
    expect(a.cache.link(base, slot, 31, 78)).toBe(false)
    expect(a.cache.slotsUsed(base)).toBe(1)
    expect(a.cache.countFragments(base)).toBe(2)
  })
})
