/** A durable store with ten times as much in it as its memory takes: every operation, ranges and snapshots, and opened again. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { open, type Store } from '../../src/index.ts'
import { fromEnv, random } from '../support/random.ts'
import { MIB } from '../support/stores.ts'

const MEMORY = 8 * MIB
const VALUE_BYTES = 400
const KEYS = fromEnv('LARGER_KEYS', Math.ceil((10 * MEMORY) / VALUE_BYTES))

let root = ''
const stores: Store[] = []
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'heddle-larger-'))
})
afterEach(() => {
  for (const store of stores.splice(0)) store.close()
  rmSync(root, { recursive: true })
})

function opened(): Store {
  const store = open<'utf8', 'utf8'>({ path: root, memory: MEMORY, durability: 'none' })
  stores.push(store)
  return store
}

const keyOf = (i: number): string => `key ${String(i).padStart(7, '0')}`
const valueOf = (i: number, round = 0): string => `${i} in round ${round} `.padEnd(VALUE_BYTES, '.')

it('holds ten times its memory', { timeout: 300_000 }, () => {
  const store = opened()
  const rng = random(1)
  for (let i = 0; i < KEYS; i++) store.set(keyOf(i), valueOf(i))
  expect(store.stats().partial).toBe(1)
  const snapshot = store.snapshot()
  const gone = new Set<number>()
  const changed = new Set<number>()
  for (let i = 0; i < 3000; i++) {
    const n = rng.int(KEYS)
    if (rng.chance(30)) {
      expect(store.delete(keyOf(n))).toBe(!gone.has(n))
      gone.add(n)
      changed.delete(n)
    } else if (rng.chance(40)) {
      store.set(keyOf(n), valueOf(n, 1))
      changed.add(n)
      gone.delete(n)
    } else if (rng.chance(50)) {
      expect(store.update(keyOf(n), (old) => old && valueOf(n, 1))).toBe(gone.has(n) ? undefined : valueOf(n, 1))
      if (!gone.has(n)) changed.add(n)
    } else {
      expect(store.setIfAbsent(keyOf(n), valueOf(n, 1)) === undefined).toBe(gone.has(n))
      if (gone.delete(n)) changed.add(n)
    }
  }
  const holds = (n: number): string | undefined => (gone.has(n) ? undefined : valueOf(n, changed.has(n) ? 1 : 0))
  for (let i = 0; i < 3000; i++) {
    const n = rng.int(KEYS)
    expect(store.get(keyOf(n))).toBe(holds(n))
    expect(snapshot.get(keyOf(n))).toBe(valueOf(n))
  }
  const from = rng.int(KEYS - 1000)
  const wanted = Array.from({ length: 1000 }, (_, i) => from + i).filter((n) => !gone.has(n))
  const range = { gte: keyOf(from), lt: keyOf(from + 1000) }
  expect([...store.entries(range)]).toEqual(wanted.map((n) => [keyOf(n), holds(n)]))
  expect([...store.keys({ ...range, reverse: true })]).toEqual(wanted.map(keyOf).reverse())
  expect([...snapshot.keys(range)]).toHaveLength(1000)
  expect(store.size).toBe(KEYS - gone.size)
  snapshot.close()
  store.close()
  const before = performance.now()
  const again = opened()
  expect(performance.now() - before).toBeLessThan(10_000)
  for (let i = 0; i < 1000; i++) {
    const n = rng.int(KEYS)
    expect(again.get(keyOf(n))).toBe(holds(n))
  }
  expect(again.size).toBe(KEYS - gone.size)
})
