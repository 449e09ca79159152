import { describe, expect, it } from 'vitest'
import { assertLevel } from '../support/elle/check.ts'
import { fromEnv } from '../support/random.ts'
import { MIB, openStore, settle, tiny } from '../support/stores.ts'
import type { Workload } from '../support/transactions/layout.ts'
import { transactionStorm } from '../support/transactions/transaction-storm.ts'
import { soundViews } from '../support/transactions/view.ts'

const rounds = fromEnv('TRANSACTION_ROUNDS', 1)
const seed = fromEnv('TRANSACTION_SEED', 1)
const words = fromEnv('TRANSACTION_WORDS', 30_000)
const threads = fromEnv('TRANSACTION_THREADS', 8)

const workloads: readonly Workload[] = ['lists', 'registers']
const cases = soundViews.flatMap((view) =>
  workloads.flatMap((workload) =>
    (['values', 'rows'] as const).flatMap((layout) =>
      (['serializable', 'snapshot'] as const).map((isolation) => ({ view, workload, layout, isolation })),
    ),
  ),
)

describe(`what ${threads} workers did, most of them killed, is possible under their isolation level`, () => {
  it.each(cases)(
    '$workload as $layout, $isolation ($view)',
    { timeout: 60_000 + rounds * threads * 10_000 },
    async ({ view, workload, layout, isolation }) => {
      const level = isolation === 'serializable' ? 'strict serializable' : 'strong snapshot'
      let aborted = 0
      for (let round = 0; round < rounds; round++) {
        const store = openStore({ memory: 64 * MIB, tuning: tiny, maxThreads: 12 })
        const mix = { workload, layout, isolation, keys: 4, keysLast: 400 }
        const crew = { threads, atOnce: 4, killed: 70, words }
        const history = await transactionStorm(store, { view, mix, seed: seed + round, ...crew })
        assertLevel(history, level)
        expect(history.filter(({ status }) => status === 'ok').length).toBeGreaterThan(100)
        expect(new Set(history.map(({ process }) => process)).size).toBe(threads)
        aborted += history.filter(({ status }) => status === 'aborted').length
        await settle(store)
        store.close()
      }
      expect(aborted).toBeGreaterThan(0)
    },
  )
})
