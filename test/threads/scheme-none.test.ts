import { expect, it } from 'vitest'
import { crew } from '../support/crew.ts'
import { MIB, openStore, settle, tiny } from '../support/stores.ts'
import type { Churn } from '../support/workers/churn.ts'

async function pagesUsedAgain(scheme: 'epoch' | 'none'): Promise<number> {
  const store = openStore({ memory: 64 * MIB, tuning: { ...tiny, scheme } })
  await crew<number>(store, 'churn', 2, (): Churn => ({ seed: 4, rounds: 100, keys: 200 }))
  expect(store.verify().problems).toEqual([])
  const { segmentsFree, pageIdsRetired } = store.stats()
  expect(pageIdsRetired).toBeGreaterThan(0)
  store.drain()
  store.drain()
  if (scheme === 'none') expect(store.stats().segmentsFree).toBe(segmentsFree)
  else await settle(store)
  const { pageIdsReused } = store.stats()
  store.close()
  return pageIdsReused!
}

it('the scheme that never frees lets no page id be used again, where the default does', async () => {
  expect(await pagesUsedAgain('epoch')).toBeGreaterThan(0)
  expect(await pagesUsedAgain('none')).toBe(0)
})
