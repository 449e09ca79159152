import fc from 'fast-check'
import { expect, it } from 'vitest'
import { MAX_COUNT, countOf, leadsToFragment, levelOf, shape, slotsOf } from '../../../src/pagecache/base.ts'
import { EMPTIED, FRAGMENT_MASK, FROZEN, SEALED } from '../../../src/pagecache/fragment.ts'
import { cacheArena, cacheUser, newPage, wordsOf } from './caches.ts'

it('the shape word gives back level, slots and count', () => {
  const [levels, counts] = [fc.integer({ min: 0, max: 127 }), fc.integer({ min: 0, max: MAX_COUNT })]
  fc.assert(
    fc.property(levels, counts, counts, (level, slots, count) => {
      const word = new Int32Array([shape(level, slots, count)])[0]!
      expect([levelOf(word), slotsOf(word), countOf(word)]).toEqual([level, slots, count])
    }),
    { seed: 1 },
  )
})

it('a word leads to a fragment whatever its flags, and to none when it is empty, emptied or sealed', () => {
  const flags = [0, EMPTIED, FROZEN, FROZEN | EMPTIED]
  expect(flags.map((flag) => leadsToFragment(flag | 4711))).toEqual([true, true, true, true])
  expect(flags.map((flag) => (flag | (2 ** 30 - 1)) & FRAGMENT_MASK)).toEqual(new Array(4).fill(2 ** 30 - 1))
  expect(flags.map((flag) => leadsToFragment(flag))).toEqual([false, false, false, false])
  // Both flags are set, which no address has, so it is told apart from what leads somewhere.
  expect(SEALED).toBe((FROZEN | EMPTIED | 1) >> 0)
  expect(SEALED).toBeLessThan(0)
})

it('entries follow their heads, slots follow the entries', () => {
  const user = cacheUser(cacheArena())
  const { base } = newPage(user, [11, 12, 13], 4)
  expect([user.cache.entriesAt(base) - base, user.cache.slotsAt(base) - base]).toEqual([10, 13])
  expect(wordsOf(user, base, 4)).toEqual([11, 12, 13, 0, 0, 0, 0])
})
