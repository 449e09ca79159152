import { expect, it } from 'vitest'
import { crew } from '../support/crew.ts'
import { MIB, openStore, tiny } from '../support/stores.ts'
import type { Churn } from '../support/workers/churn.ts'

interface Used {
  readonly reused: number
  readonly free: readonly number[]
}

/** How much is used again and how many segments are free after each of three runs, everything deleted and drained. */
async function runThrice(scheme: 'epoch' | 'none'): Promise<Used> {
  const store = openStore({ memory: 64 * MIB, tuning: { ...tiny, scheme } })
  const free: number[] = []
  for (const seed of [1, 2, 3]) {
    await crew<number>(store, 'churn', 2, (): Churn => ({ seed, rounds: 100, keys: 200 }))
    store.clear()
    store.drain()
    store.drain()
    expect(store.verify().problems).toEqual([])
    free.push(store.stats().segmentsFree!)
  }
  const { pageIdsReused, pageIdsRetired } = store.stats()
  expect(pageIdsRetired).toBeGreaterThan(0)
  store.close()
  return { reused: pageIdsReused!, free }
}

it('the scheme that never frees uses nothing again, where the default does', async () => {
  const epoch = await runThrice('epoch')
  const none = await runThrice('none')
  expect(epoch.reused).toBeGreaterThan(0)
  expect(none.reused).toBe(0)
  // What is free shrinks with every run, and is less than where memory is freed.
  expect(none.free[1]).toBeLessThan(none.free[0]!)
  expect(none.free[2]).toBeLessThan(none.free[1]!)
  expect(none.free[2]).toBeLessThan(epoch.free[2]!)
})
