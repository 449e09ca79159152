import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Pair } from './codec-pairs.ts'
import { assertSame, command, type StoreCommand } from './command.ts'
import { ranges } from './reading-commands.ts'
import { show } from './show.ts'

/** As many as may be live at the same time. */
const MOST = 4

/** Snapshots that are taken, read and closed between all other commands; each sees what the model was. */
export function snapshotCommands<K, V>(pair: Pair<K, V>): fc.Arbitrary<StoreCommand<K, V>> {
  const which = fc.integer({ min: 0, max: MOST - 1 })
  const take = fc.constantFrom('snapshot()', 'snapshot() and attachSnapshot(), closing the first').map((text) =>
    command<K, V>(text, (model, store) => {
      if (model.snapshots.length === MOST) return
      let snapshot = store.snapshot()
      if (text !== 'snapshot()') {
        const first = snapshot
        snapshot = store.attachSnapshot(structuredClone(first.handle))
        first.close()
      }
      model.snapshots.push({ snapshot, then: model.copy() })
    }),
  )
  const close = which.map((i) =>
    command<K, V>(`close of snapshot ${i}`, (model) => model.snapshots.splice(i, 1)[0]?.snapshot.close()),
  )
  const get = fc.tuple(which, pair.keys.arbitrary).map(([i, k]) =>
    command<K, V>(`get(${show(k)}) of snapshot ${i}`, (model) => {
      if (model.snapshots[i] === undefined) return
      const { snapshot, then } = model.snapshots[i]
      assertSame(snapshot.get(k), then.get(k))
      assert.equal(snapshot.has(k), then.has(k))
    }),
  )
  const scan = fc.tuple(which, ranges(pair)).map(([i, range]) =>
    command<K, V>(`entries(${show(range)}) of snapshot ${i}`, (model) => {
      if (model.snapshots[i] === undefined) return
      const { snapshot, then } = model.snapshots[i]
      assertSame([...snapshot.entries(range)], then.entries(range))
      assert.equal(snapshot.size, then.size)
    }),
  )
  return fc.oneof(take, close, get, scan)
}
