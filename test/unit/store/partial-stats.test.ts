/** What `stats()` tells of a store that does not have everything in memory. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { open, type Store } from '../../../src/index.ts'
import { MIB, pause } from '../../support/stores.ts'

const KEYS = 2000

let root = ''
const stores: Store[] = []
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'heddle-partial-'))
})
afterEach(() => {
  for (const store of stores.splice(0)) store.close()
  rmSync(root, { recursive: true })
})

function opened(): Store {
  const store = open<'utf8', 'utf8'>({ path: root, memory: 8 * MIB, durability: 'none', memtable: { entries: KEYS } })
  stores.push(store)
  return store
}

it('what is in memory, what is in tables, what comes back, and from where', { timeout: 60_000 }, async () => {
  const first = opened()
  const before = first.stats()
  expect([before.partial, before.tableEntries, before.cacheHits, before.cacheMisses]).toEqual([0, 0, 0, 0])
  first.batch(Array.from({ length: KEYS }, (_, i) => ({ type: 'set', key: `key ${i}`, value: `value ${i}` })))
  for (let i = 0; first.stats().flushes === 0 && i < 2000; i++) {
    await first.flush()
    await pause(5)
  }
  expect(first.stats()).toMatchObject({ partial: 0, entries: KEYS, tableEntries: KEYS })
  first.close()
  stores.pop()

  const store = opened()
  expect(store.stats()).toMatchObject({ partial: 1, entries: 0, tableEntries: KEYS, fills: 0, cacheHits: 0 })
  // The first look at a block reads it; the key beside it is found in the cache.
  expect(store.get('key 1000')).toBe('value 1000')
  const { cacheHits, cacheMisses } = store.stats()
  expect(cacheMisses).toBeGreaterThan(0)
  expect(store.get('key 1001')).toBe('value 1001')
  expect(store.stats().cacheHits).toBeGreaterThan(cacheHits)
  expect(store.stats().cacheMisses).toBe(cacheMisses)
  // An update needs the present value in memory.
  store.update('key 7', (old) => `${old} and more`)
  expect(store.stats().fills).toBeGreaterThan(0)
  expect(store.stats().entries).toBeGreaterThan(0)
  expect(store.stats().entries).toBeLessThan(10)
})
