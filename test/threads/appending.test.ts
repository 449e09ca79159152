import { expect, it } from 'vitest'
import { crew } from '../support/crew.ts'
import { MIB, openStore, settle, tinyPages } from '../support/stores.ts'
import type { Append } from '../support/workers/append.ts'

it.each([
  { end: 'right', growing: true },
  { end: 'left', growing: false },
])('nothing is lost when all workers insert at the $end end', async ({ growing }) => {
  const store = openStore<number, number>({ memory: 16 * MIB, keys: 'number', values: 'number', tuning: tinyPages })
  const data: Append = { count: 2000, growing }
  await crew<number>(store, 'append', 3, () => data)
  const keys = [...store.keys()]
  expect(keys).toHaveLength(3 * data.count)
  for (let i = 1; i < keys.length; i++)
    if (keys[i - 1]! >= keys[i]!) throw new Error(`${keys[i - 1]} before ${keys[i]}`)
  expect(store.stats().splits).toBeGreaterThan(100)
  await settle(store)
  store.close()
})
