import { expect, it } from 'vitest'
import { crew } from '../support/crew.ts'
import { fromEnv } from '../support/random.ts'
import { MIB, openStore, settle, tiny } from '../support/stores.ts'
import type { ScanCounts, ScanOrWrite } from '../support/workers/scan-or-write.ts'

const scans = fromEnv('SCANS', 250)
const keys = 600

it.each([
  { name: 'tiny pages', tuning: tiny },
  { name: 'ordinary pages', tuning: {} },
])('scans while others write are sorted, without duplicates, and see all that stayed: $name', async ({ tuning }) => {
  const store = openStore({ memory: 16 * MIB, tuning })
  for (let number = 0; number < keys; number += 3) {
    const key = `key ${String(number).padStart(5, '0')}`
    store.set(key, key)
  }
  const data: ScanOrWrite = { seed: 5, scanners: 2, scans, keys }
  const counts = await crew<ScanCounts>(store, 'scan-or-write', 4, () => data)
  const total = (of: keyof ScanCounts): number => counts.reduce((sum, each) => sum + each[of], 0)
  expect(total('stayed')).toBeGreaterThan(scans * 100)
  expect(total('passing')).toBeGreaterThan(scans)
  expect(total('written')).toBeGreaterThan(10)
  await settle(store)
  store.close()
})
