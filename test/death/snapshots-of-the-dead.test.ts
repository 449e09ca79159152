import { once } from 'node:events'
import { expect, it } from 'vitest'
import type { SnapshotHandle } from '../../src/index.ts'
import { newGate, program } from '../support/crew.ts'
import { refused } from '../support/refusals.ts'
import { openStore, settle, tiny } from '../support/stores.ts'

it('snapshots of a thread that was killed end when its death is known, and what they kept is free', async () => {
  const store = openStore<string, string>({ tuning: tiny })
  for (let i = 0; i < 100; i++) store.set(`k${i}`, 'before')
  const worker = store.spawn(program('hold-snapshot'), { workerData: { gate: newGate(1), thread: 0 } })
  const [{ handle }] = (await once(worker, 'message')) as [{ handle: SnapshotHandle }]
  for (let i = 0; i < 100; i++) store.set(`k${i}`, 'after')
  expect(store.stats().snapshotsLive).toBe(2)
  expect(store.verify().kept).toBe(100)
  const mine = store.attachSnapshot(handle)
  await worker.terminate()
  for (let i = 0; i < 100; i++) expect(mine.get(`k${i}`)).toBe('before')
  refused(() => store.attachSnapshot(handle), 'HEDDLE_SNAPSHOT_EXPIRED')
  expect(store.stats().snapshotsLive).toBe(1)
  mine.close()
  await settle(store)
  expect(store.stats().snapshotWords).toBe(0)
  store.close()
})
