import { describe, expect, it } from 'vitest'
import { HeddleError, type Store } from '../../../src/index.ts'
import { random } from '../../support/random.ts'
import { refused } from '../../support/refusals.ts'
import { assertWhole, MIB, openStore, tiny } from '../../support/stores.ts'

type Text = Store<string, string>

/** Sets numbered keys until the store stays full; gives how many it holds. */
function fill(store: Text, length: number): number {
  let refusals = 0
  for (let number = 0; ; number++) {
    while (!trySet(store, `key ${number}`, valueOf(number, length))) {
      // What was freed a moment ago may make room yet.
      if (++refusals > 10) return number
      store.drain()
    }
  }
}

function trySet(store: Text, key: string, value: string): boolean {
  try {
    store.set(key, value)
    return true
  } catch (error) {
    if (error instanceof HeddleError && error.code === 'HEDDLE_FULL') return false
    throw error
  }
}

function valueOf(number: number, length: number): string {
  return String.fromCharCode(97 + (number % 26)).repeat(length)
}

describe.each([
  { what: 'small values on tiny pages', memory: MIB, length: 40, tuning: tiny },
  { what: 'values of a few kilobytes', memory: 2 * MIB, length: 3000, tuning: { segmentWords: 8192 } },
  { what: 'large values', memory: 2 * MIB, length: 100_000, tuning: {} },
])('an arena full of $what', ({ memory, length, tuning }) => {
  const open = (): Text => openStore({ memory, tuning })

  it('refuses more, says what to do, and keeps what it holds', () => {
    const store = open()
    const count = fill(store, length)
    // A good part of the memory is there for values.
    expect(count * length).toBeGreaterThan(memory / 8)
    const next = `key ${count}`
    const value = valueOf(count, length * 5)
    expect(refused(() => store.set(next, value), 'HEDDLE_FULL').message).toMatch(/memory|delete/i)
    refused(() => store.setIfAbsent(next, value), 'HEDDLE_FULL')
    refused(() => store.update(next, () => value), 'HEDDLE_FULL')
    refused(() => store.compareAndSet(next, undefined, value), 'HEDDLE_FULL')
    expect(store.size).toBe(count)
    expect(store.has(next)).toBe(false)
    for (let number = 0; number < count; number++) expect(store.get(`key ${number}`)).toBe(valueOf(number, length))
    expect([...store.keys()]).toHaveLength(count)
    assertWhole(store)
    store.close()
  })

  it('loses nothing by refusing, however often', () => {
    const store = open()
    const count = fill(store, length)
    // Also the leaf that the refused ones belong to takes no more.
    for (let i = 0; trySet(store, `another key, ${i}`, valueOf(i, length * 5)); i++);
    store.drain()
    const { liveWords } = store.stats()
    for (let i = 0; i < 60; i++) {
      const key = `another key ${i}`
      refused(() => store.set(key, valueOf(i, length * 5)), 'HEDDLE_FULL')
      refused(() => store.update(key, () => valueOf(i, length * 5)), 'HEDDLE_FULL')
    }
    store.drain()
    expect(store.stats().liveWords).toBeLessThanOrEqual(liveWords! + 1024)
    for (let number = 0; number < count; number += 2) store.delete(`key ${number}`)
    for (let number = 0; number < count * 0.7; number += 2) store.set(`key ${number}`, valueOf(number, length))
    assertWhole(store)
    store.close()
  })

  it('takes new values again once some were deleted, any number of times', () => {
    const store = open()
    const count = fill(store, length)
    const evens = Array.from({ length: Math.ceil(count / 2) }, (_, i) => i * 2)
    const odds = evens.map((number) => number + 1).filter((number) => number < count)
    for (let round = 0; round < 6; round++) {
      const [going, staying] = round % 2 === 0 ? [evens, odds] : [odds, evens.slice(0, evens.length * 0.7)]
      for (const number of going) store.delete(`key ${number}`)
      // Most of the room that was made can be used: not all of it, since pages have changed their places.
      const coming = going.slice(0, going.length * 0.7)
      for (const number of coming) store.set(`key ${number}`, valueOf(number, length))
      for (const number of [...coming, ...staying.slice(0, staying.length * 0.7)]) {
        expect(store.get(`key ${number}`)).toBe(valueOf(number, length))
      }
      assertWhole(store)
    }
    store.close()
  })

  it('can be emptied entry by entry, and filled as before', () => {
    const store = open()
    const count = fill(store, length)
    for (let number = count - 1; number >= 0; number--) expect(store.delete(`key ${number}`)).toBe(true)
    expect([...store]).toEqual([])
    assertWhole(store)
    expect(fill(store, length)).toBeGreaterThanOrEqual(Math.floor(count * 0.9))
    store.clear()
    assertWhole(store)
    expect(fill(store, length)).toBeGreaterThanOrEqual(Math.floor(count * 0.9))
    assertWhole(store)
    store.close()
  })
})

it('a store that is nearly full takes overwrites, although many cleanings gain one segment', () => {
  const store = openStore<string, Uint8Array>({ memory: 8 * MIB, values: 'binary', tuning: { pageIds: 2048 } })
  const value = new Uint8Array(100)
  const key = (i: number): string => String(i).padStart(16, '0')
  let records = 0
  // Of 8 MiB some is bookkeeping, and 3 % of the segments are kept for the cleaner.
  while (store.stats().bytesLive < 0.91 * 8 * MIB) for (let i = 0; i < 100; i++) store.set(key(records++), value)
  const rng = random(1)
  for (let i = 0; i < 60_000; i++) store.set(key(rng.int(records)), value)
  assertWhole(store)
  store.close()
})
