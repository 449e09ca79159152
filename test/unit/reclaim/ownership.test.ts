import fc from 'fast-check'
import { expect, it } from 'vitest'
import * as ownership from '../../../src/reclaim/ownership.ts'
import { generationOf, ownerWord, reaperOf, statusOf } from '../../../src/reclaim/participant.ts'

const { FREE, FRESH, held, isClaimable, isHeld, isPushing, isRetired, labelOf, payloadOf, pushing, retired } = ownership
const payloads = fc.integer({ min: 0, max: 2 ** 28 - 1 })

it('an ownership word is a negative number that tells its kind and its payload', () => {
  const kinds = { held, pushing, retired }
  fc.assert(
    fc.property(payloads, (payload) => {
      for (const [name, make] of Object.entries(kinds)) {
        const word = make(payload)
        expect(word).toBeLessThan(0)
        expect(word | 0).toBe(word)
        expect(payloadOf(word)).toBe(payload)
        const is = { held: isHeld(word), pushing: isPushing(word), retired: isRetired(word) }
        expect(is).toEqual({ held: false, pushing: false, retired: false, [name]: true })
        expect(isClaimable(word)).toBe(name === 'pushing')
      }
    }),
    { seed: 1 },
  )
})

it('what is fresh, free or in use is none of these', () => {
  expect(FREE).toBeLessThan(0)
  for (const word of [FRESH, FREE, 1, 2 ** 30, 2 ** 31 - 1]) {
    expect([isHeld(word), isPushing(word), isRetired(word)]).toEqual([false, false, false])
    expect(isClaimable(word)).toBe(word === FREE)
  }
})

it('a label tells every slot and every generation apart', () => {
  const slots = fc.integer({ min: 0, max: 255 })
  const generations = fc.integer({ min: 0, max: 0xfffff })
  fc.assert(
    fc.property(slots, generations, slots, generations, (slot, generation, otherSlot, otherGeneration) => {
      const label = labelOf(slot, generation)
      expect(label).toBeGreaterThanOrEqual(0)
      expect(label).toBeLessThan(2 ** 28)
      expect(label === labelOf(otherSlot, otherGeneration)).toBe(slot === otherSlot && generation === otherGeneration)
    }),
    { seed: 1 },
  )
})

it('the owner word of a slot gives back its parts, and the generation wraps', () => {
  const parts = [fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 0xfffff })]
  fc.assert(
    fc.property(fc.tuple(...parts), ([status, by, generation]) => {
      const word = ownerWord(status!, by!, generation!)
      expect([statusOf(word), reaperOf(word), generationOf(word)]).toEqual([status, by, generation])
    }),
    { seed: 1 },
  )
  expect(generationOf(ownerWord(1, 0, 2 ** 20))).toBe(0)
})
