import { expect, it } from 'vitest'
import { random } from '../../support/random.ts'
import { assertWhole, MIB, openStore, tiny } from '../../support/stores.ts'

it.each([
  { name: 'without the cleaner', cleaner: false, tuning: {} },
  { name: 'without the cleaner, on tiny pages', cleaner: false, tuning: tiny },
  { name: 'with the cleaner', cleaner: true, tuning: {} },
])('a small arena takes overwrites of many times its size: $name', ({ cleaner, tuning }) => {
  const rng = random(9)
  const store = openStore({ memory: 2 * MIB, cleaner, tuning })
  const expected = new Map<string, string>()
  let written = 0
  for (let step = 0; written < 20 * MIB; step++) {
    // Now and then one that stays, so that no part of the log dies altogether by itself.
    const key = step % 45 === 0 ? `stays ${step}` : `key ${rng.int(800)}`
    const value = String(written).repeat(1 + rng.int(rng.chance(2) ? 600 : 40))
    store.set(key, value)
    expected.set(key, value)
    written += value.length
    if (!rng.chance(10)) continue
    const gone = `key ${rng.int(800)}`
    if (store.delete(gone) !== expected.delete(gone)) throw new Error(`${gone} was there, or was not`)
  }
  expect(new Map(store)).toEqual(expected)
  expect(store.stats().segmentsCleaned).toBeGreaterThan(0)
  assertWhole(store)
  store.close()
})
