import { expect, it } from 'vitest'
import { Cleaner } from '../../../src/log/cleaner.ts'
import { everyStep, interruptAt } from '../memory/atomics-hook.ts'
import { append, appender, logArena } from './logs.ts'

function world() {
  const arena = logArena()
  const [a, b] = [appender(arena, 1), appender(arena, 2)]
  const block = append(a, arena, 10)
  a.log.sealAll()
  let moved = 0
  const cleaner = new Cleaner(arena, b.scheme, b.me, b.log, (found) => {
    moved++
    b.log.unlink(found)
    return 0
  })
  return { a: a.log.segments, b: b.log.segments, block, cleaner, moves: () => moved }
}

it('a cleaner that was asked to rest leaves segments alone, unless it has to', () => {
  const { a, cleaner, moves } = world()
  expect(a.beginRest()).toBe(true)
  expect(cleaner.clean(a.first, true)).toBe(false)
  expect([moves(), a.isClaimed(a.first), a.anyCleaning()]).toEqual([0, false, false])
  a.endRest()
  expect(a.resting()).toBe(false)
  expect(cleaner.clean(a.first, true)).toBe(true)
  expect(moves()).toBe(1)
  const urgent = world()
  urgent.a.beginRest()
  expect(urgent.cleaner.clean(urgent.a.first, false)).toBe(true)
})

it('a second request serves the first, and only the first one ends it', () => {
  const { a, b } = world()
  expect([a.beginRest(), b.beginRest()]).toEqual([true, false])
  b.endRest()
  expect(a.resting()).toBe(true)
  a.endRest()
  expect(b.resting()).toBe(false)
})

it('a request waits until cleaning has ended', () => {
  const { a, b } = world()
  b.claimCleaning(a.first)
  let looked = 0
  const { anyCleaning } = a
  a.anyCleaning = () => {
    if (++looked === 3) b.endCleaning(a.first)
    return anyCleaning.call(a)
  }
  expect(a.beginRest()).toBe(true)
  expect(looked).toBe(3)
  expect(a.isClaimed(a.first)).toBe(false)
})

it('a cleaner that is asked at any of its steps either rests or is seen at work', () => {
  const steps = everyStep((step) => {
    const { a, cleaner, moves } = world()
    let seenAtWork = false
    let before = 0
    a.anyCleaning = () => false
    const reached = interruptAt(
      step,
      () => void cleaner.clean(a.first, true),
      () => {
        a.beginRest()
        seenAtWork = a.isClaimed(a.first)
        before = moves()
      },
    )
    if (reached && !seenAtWork) expect(moves()).toBe(before)
    return reached
  })
  expect(steps).toBeGreaterThan(5)
})
