import { describe, expect, it } from 'vitest'
import type { Store } from '../../src/index.ts'
import { fromEnv } from '../support/random.ts'
import { MIB, openStore, settle, tiny } from '../support/stores.ts'
import { Storm } from '../support/storm.ts'

const kills = fromEnv('DEATH_KILLS', 55)
const seed = fromEnv('DEATH_SEED', 1)
const maxThreads = 8

describe(`${kills} workers killed at random moments leave a whole store`, () => {
  it.each([
    { name: 'alone', cleaner: false, tuning: tiny, bigValues: false },
    { name: 'with the cleaner and large values', cleaner: true, tuning: tiny, bigValues: true },
  ])('$name', { timeout: 60_000 + kills * 3000 }, async ({ cleaner, tuning, bigValues }) => {
    // More are killed than there are places for threads, so those of the dead are used again.
    expect(kills).toBeGreaterThan(maxThreads)
    const store = openStore({ memory: 16 * MIB, cleaner, tuning, maxThreads })
    await new Storm(store, { kills, seed, workers: 3, bigValues }).run()
    await settle(store)

    // The dead hold nothing up: what is deleted now is used again.
    const reused = store.stats().pageIdsReused!
    churnAlone(store)
    expect(store.stats().pageIdsReused).toBeGreaterThan(reused)
    store.clear()
    await settle(store)
    expect([...store]).toEqual([])
    store.close()
  })
})

function churnAlone(store: Store<string, string>): void {
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 200; i++) store.set(`after ${i}`, `${round}`)
    for (let i = 0; i < 200; i++) store.delete(`after ${i}`)
  }
}
