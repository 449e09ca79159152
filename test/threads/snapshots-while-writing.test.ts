import { expect, it } from 'vitest'
import { crew } from '../support/crew.ts'
import { fromEnv } from '../support/random.ts'
import { MIB, openStore, settle, tiny } from '../support/stores.ts'
import type { SnapshotOrWrite } from '../support/workers/snapshot-or-write.ts'

const snapshots = fromEnv('SNAPSHOTS', 300)

it.each([
  { name: 'tiny pages', cleaner: false, tuning: tiny, deletes: false },
  { name: 'tiny pages, keys that come and go, the cleaner', cleaner: true, tuning: tiny, deletes: true },
  {
    name: 'tiny pages, poison, values out of line',
    cleaner: true,
    tuning: { ...tiny, paranoid: true, inlineBytes: 16 },
    deletes: true,
  },
  { name: 'ordinary pages', cleaner: true, tuning: {}, deletes: false },
])('snapshots while others write are each of one moment: $name', { timeout: 120_000 }, async (variant) => {
  const { cleaner, tuning, deletes } = variant
  const store = openStore({ memory: 16 * MIB, cleaner, tuning })
  const data: SnapshotOrWrite = { seed: 7, takers: 2, threads: 4, snapshots, keys: 40, deletes }
  const counts = await crew<number>(store, 'snapshot-or-write', 4, () => data)
  expect(counts[0]).toBeGreaterThan(snapshots / 20)
  expect(store.stats().snapshots).toBeGreaterThan(snapshots)
  await settle(store)
  expect(store.stats().snapshotWords).toBe(0)
  store.close()
})
