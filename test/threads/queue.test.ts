import { expect, it } from 'vitest'
import { crew } from '../support/crew.ts'
import { openStore, settle, tiny } from '../support/stores.ts'

it('several workers take each job of a queue in the store exactly once', async () => {
  const store = openStore({ tuning: tiny })
  const jobs = Array.from({ length: 1500 }, (_, i) => `job ${String(i).padStart(5, '0')}`)
  for (const job of jobs) store.set(job, 'waiting')
  const taken = await crew<string[]>(store, 'take-jobs', 3, () => ({}))
  expect(taken.flat().toSorted()).toEqual(jobs)
  expect([...store.keys()]).toEqual(jobs.map((job) => `done ${job}`))
  // Each thread takes from the front, so what it takes comes in order.
  for (const mine of taken) expect(mine).toEqual(mine.toSorted())
  await settle(store)
  store.close()
})
