import { expect, it } from 'vitest'
import { crew } from '../support/crew.ts'
import { MIB, openStore, settle, tiny } from '../support/stores.ts'
import type { Filled } from '../support/workers/fill.ts'

it.each([
  { name: 'tiny pages', cleaner: false, tuning: tiny },
  { name: 'with the cleaner', cleaner: true, tuning: { segmentWords: 8192 } },
])('two workers fill an arena; deletes still work, and after them sets do: $name', async ({ cleaner, tuning }) => {
  const store = openStore({ memory: 3 * MIB, cleaner, tuning })
  const filled = await crew<Filled>(store, 'fill', 2, () => ({}))
  for (const { set, deleted, setAgain } of filled) {
    expect(set).toBeGreaterThan(20)
    expect(deleted).toBe(Math.ceil(set / 2))
    expect(setAgain).toBe(Math.floor(deleted / 2))
  }
  const expected = filled.reduce((sum, { set, deleted, setAgain }) => sum + set - deleted + setAgain, 0)
  expect(store.size).toBe(expected)
  await settle(store)

  store.clear()
  await settle(store)
  store.set('after', 'all')
  expect([...store]).toEqual([['after', 'all']])
  store.close()
})
