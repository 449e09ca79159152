import { expect, it } from 'vitest'
import { crew } from '../support/crew.ts'
import { fromEnv } from '../support/random.ts'
import { MIB, openStore, settle, tiny } from '../support/stores.ts'
import type { PatternCounts, PatternedValues } from '../support/workers/patterned-values.ts'

const rounds = fromEnv('PATTERN_ROUNDS', 4000)

it.each([
  { name: 'tiny pages', cleaner: false, tuning: { ...tiny, inlineBytes: 64 } },
  { name: 'ordinary pages and the cleaner', cleaner: true, tuning: {} },
])('values read while others overwrite them are whole: $name', async ({ cleaner, tuning }) => {
  const store = openStore<string, Uint8Array>({ memory: 24 * MIB, values: 'binary', cleaner, tuning })
  const data: PatternedValues = { seed: 3, keys: 6, rounds }
  const counts = await crew<PatternCounts>(store, 'patterned-values', 3, () => data)
  for (const { read, written } of counts) {
    expect(read).toBeGreaterThan(rounds / 10)
    expect(written).toBeGreaterThan(rounds / 10)
  }
  await settle(store)
  store.clear()
  await settle(store)
  store.close()
})
