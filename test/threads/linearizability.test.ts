import { describe, expect, it } from 'vitest'
import { crew } from '../support/crew.ts'
import { assertLinearizable, newHistory } from '../support/history.ts'
import { fromEnv } from '../support/random.ts'
import { MIB, openStore, settle, tiny } from '../support/stores.ts'
import type { HotBatches } from '../support/workers/hot-batches.ts'
import type { HotKeys } from '../support/workers/hot-keys.ts'

const rounds = fromEnv('HISTORY_ROUNDS', 2)
const firstSeed = fromEnv('HISTORY_SEED', 1)
const threads = 4
const operations = 1500

const variants = [
  { name: 'on tiny pages', cleaner: false, tuning: tiny },
  {
    name: 'on tiny pages, with values out of line and the cleaner',
    cleaner: true,
    tuning: { ...tiny, inlineBytes: 16 },
  },
  { name: 'on ordinary pages, with freed memory poisoned', cleaner: false, tuning: { paranoid: true } },
]

describe('operations of several workers on a few hot keys are linearizable', () => {
  for (const { name, cleaner, tuning } of variants) {
    it(name, { timeout: 60_000 * rounds }, async () => {
      for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
        const store = openStore({ memory: 16 * MIB, cleaner, tuning })
        const history = newHistory(threads, operations)
        const data: HotKeys = { history, threads, seed, keys: 3 }
        await crew<number>(store, 'hot-keys', threads, () => data)
        expect(assertLinearizable(history)).toBe(threads * operations)
        await settle(store)
        store.close()
      }
    })
  }
})

describe('operations, batches and snapshots of several workers on a few hot keys are linearizable', () => {
  for (const { name, cleaner, tuning } of variants) {
    it(name, { timeout: 60_000 * rounds }, async () => {
      for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
        const store = openStore({ memory: 16 * MIB, cleaner, tuning })
        const history = newHistory(threads, operations)
        const data: HotBatches = { history, threads, seed, keys: 4 }
        const mixed = await crew<number>(store, 'hot-batches', threads, () => data)
        expect(mixed.reduce((a, b) => a + b)).toBeGreaterThan(50)
        expect(assertLinearizable(history)).toBeGreaterThan(threads * (operations - 4))
        await settle(store)
        store.close()
      }
    })
  }
})
