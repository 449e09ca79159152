import { describe, expect, it } from 'vitest'
import { checkLevel } from '../elle/check.ts'
import type { AnomalyName } from '../elle/anomaly.ts'
import type { History } from '../elle/transaction.ts'
import { MIB, openStore } from '../stores.ts'
import { transactionStorm, type StormSetting } from './transaction-storm.ts'

const mix = { workload: 'lists', layout: 'values', isolation: 'serializable', keys: 4, keysLast: 400 } as const
const setting: StormSetting = { view: 'none', mix, seed: 1, threads: 6, atOnce: 3, killed: 50, words: 30_000 }

async function historyOf(changes: Partial<StormSetting>): Promise<History> {
  const store = openStore({ memory: 32 * MIB, maxThreads: 12 })
  try {
    return await transactionStorm(store, { ...setting, ...changes })
  } finally {
    store.close()
  }
}

describe('a fault of the store shows in what real threads did', () => {
  it.each([
    ['lost updates', ['lost update']],
    ['write skew', ['G2']],
    ['torn commits', ['G-single']],
    ['old snapshots', ['G-single-realtime']],
  ] as const)('%s', async (view, expected) => {
    const found = new Set<AnomalyName>()
    for (let seed = 1; seed <= 10 && !expected.every((name) => found.has(name)); seed++) {
      const history = await historyOf({ view, seed })
      for (const { name } of checkLevel(history, 'strict serializable').violations) found.add(name)
    }
    expect([...found]).toEqual(expect.arrayContaining([...expected]))
  })
})
