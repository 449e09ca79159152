/**
 * Snapshots of a partial store hold versions of its tables, of which there are only so many: what is open between flushes is
 * readable, the store goes on, and one too many is told so.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { open, type OpenOptions, type Snapshot, type Store } from '../../../src/index.ts'
import { MIB, pause } from '../../support/stores.ts'

const KEYS = 60

let root = ''
const stores: Store[] = []
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'heddle-many-'))
})
afterEach(() => {
  for (const store of stores.splice(0)) store.close()
  rmSync(root, { recursive: true })
})

function opened(options: OpenOptions<'utf8', 'utf8'> = {}): Store {
  const store = open<'utf8', 'utf8'>({
    path: root,
    memory: 8 * MIB,
    durability: 'none',
    memtable: { entries: KEYS },
    ...options,
  })
  stores.push(store)
  return store
}

const keyOf = (i: number): string => `key ${i}`

/** Changes every key, and waits until that is in a table. */
async function round(store: Store, number: number): Promise<void> {
  const { flushes } = store.stats()
  // One write, so that it is held up once at most.
  store.batch(Array.from({ length: KEYS }, (_, i) => ({ type: 'set', key: keyOf(i), value: `${number}` })))
  for (let i = 0; store.stats().flushes === flushes && i < 3000; i++) {
    await store.flush()
    await pause(2)
  }
  expect(store.stats().flushes).toBeGreaterThan(flushes)
}

/** A store that has all it had in tables, and nothing in its tree. */
async function partialStore(options?: OpenOptions<'utf8', 'utf8'>): Promise<Store> {
  const first = opened()
  await round(first, 0)
  first.close()
  stores.pop()
  const store = opened(options)
  expect(store.stats().partial).toBe(1)
  return store
}

it('twenty of them, each of another version, and a flush between any two', { timeout: 120_000 }, async () => {
  const store = await partialStore()
  const snapshots: Snapshot[] = []
  for (let i = 1; i <= 20; i++) {
    snapshots.push(store.snapshot(), store.snapshot())
    await round(store, i)
  }
  for (const [i, snapshot] of snapshots.entries()) {
    expect(snapshot.get(keyOf(i))).toBe(`${i >>> 1}`)
    expect([...snapshot.values()]).toEqual(Array.from({ length: KEYS }, () => `${i >>> 1}`))
    snapshot.close()
  }
  expect(store.get(keyOf(1))).toBe('20')
})

it.each([
  ['of all threads', 8, 5],
  ['of this thread', 64, 29],
])(
  'one too many %s is refused, and told what to do; everything else goes on',
  async (_, maxVersions, most) => {
    const store = await partialStore({ tuning: { maxVersions } })
    const snapshots: Snapshot[] = []
    let refusal: unknown
    let last = 0
    while (refusal === undefined && last < 60) {
      try {
        snapshots.push(store.snapshot())
        await round(store, ++last)
      } catch (error) {
        refusal = error
      }
    }
    expect(refusal).toMatchObject({ code: 'HEDDLE_TOO_MANY_SNAPSHOTS', message: expect.stringMatching(/close some/) })
    expect(snapshots).toHaveLength(most)
    // A snapshot of the newest version needs no other one; but the version goes on, and flushes must go on too.
    for (let i = 0; i < 4; i++) await round(store, ++last)
    expect(store.get(keyOf(3))).toBe(`${last}`)
    for (const [i, snapshot] of snapshots.entries()) expect(snapshot.get(keyOf(3))).toBe(`${i}`)
    expect(store.stats().backgroundFailures).toBe(0)
    snapshots.shift()!.close()
    const again = store.snapshot()
    expect(again.get(keyOf(3))).toBe(`${last}`)
    expect(store.attachSnapshot(again.handle).get(keyOf(3))).toBe(`${last}`)
    for (const snapshot of [again, ...snapshots]) snapshot.close()
  },
  60_000,
)
