/** An eviction, while a snapshot is taken and a flush is done: what the snapshot needs of the tree stays. */
import { expect, it } from 'vitest'
import type { Snapshot } from '../../../src/index.ts'
import { MIB, tiny } from '../../support/stores.ts'
import { attachPartial, evictAll, flush, openPartial } from '../../support/partial-store.ts'
import { SimulatedDisk } from '../../support/simulated-disk.ts'

it('both come right after the evictor has looked at the snapshots', () => {
  const disk = new SimulatedDisk()
  const tuning = { ...tiny, pageIds: 64 }
  const evicting = openPartial<string, string>({ memory: MIB, maxThreads: 4, tuning }, disk)
  const other = attachPartial<string, string>(evicting.engine.arena.buffer, {}, disk)
  other.store.set('a', '1')
  const { snapshots } = evicting.engine.tree.context
  const collect = snapshots.collectNeeds.bind(snapshots)
  let snapshot: Snapshot<string, string> | undefined
  snapshots.collectNeeds = () => {
    const ready = collect()
    snapshots.collectNeeds = collect
    // It holds tables that do not have the key, which is clean only after the flush.
    snapshot = other.store.snapshot()
    flush(other)
    return ready
  }
  evictAll(evicting)
  expect(snapshot?.get('a')).toBe('1')
  expect([...snapshot!]).toEqual([['a', '1']])
  snapshot!.close()
  expect(evictAll(evicting)).toBeGreaterThan(0)
  expect(evicting.store.get('a')).toBe('1')
})
