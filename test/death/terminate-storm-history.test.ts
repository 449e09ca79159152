import { expect, it } from 'vitest'
import { endedWithoutReport, newGate, program, reportOf } from '../support/crew.ts'
import { byKey, newHistory, assertLinearizable } from '../support/history.ts'
import { fromEnv, random } from '../support/random.ts'
import { MIB, openStore, pause, settle, tiny } from '../support/stores.ts'
import type { HotKeys } from '../support/workers/hot-keys.ts'

const threads = fromEnv('DEATH_HISTORY_THREADS', 40)
const seed = fromEnv('DEATH_SEED', 1)
const atOnce = 4

it(
  'what killed workers and survivors did to hot keys is linearizable',
  { timeout: 60_000 + threads * 3000 },
  async () => {
    const rng = random(seed)
    const store = openStore({ memory: 16 * MIB, tuning: tiny, maxThreads: 12 })
    const history = newHistory(threads, 600)
    const clock = new Int32Array(history.clock)
    const data: HotKeys = { history, threads, seed, keys: 3 }
    let next = 0
    // Each lane runs one worker after the other; most of them are killed on the way.
    const lane = async (): Promise<void> => {
      while (next < threads) {
        const worker = store.spawn(program('hot-keys'), { workerData: { gate: newGate(1), thread: next++, ...data } })
        const report = reportOf<number>(worker)
        let ended = false
        void report.then(() => (ended = true))
        const moment = Atomics.load(clock, 0) + 100 + rng.int(2400)
        while (!ended && Atomics.load(clock, 0) < moment) await pause(1)
        if (rng.chance(85)) await worker.terminate()
        const found = await report
        if ('error' in found) expect(found.error.message).toBe(endedWithoutReport)
      }
    }
    await Promise.all(Array.from({ length: atOnce }, lane))

    const operations = [...byKey(history).values()].flat()
    expect(operations.length).toBeGreaterThan(threads * 20)
    expect(new Set(operations.map(({ thread }) => thread)).size).toBeGreaterThan(threads / 2)
    expect(assertLinearizable(history)).toBe(operations.length)
    await settle(store)
    store.close()
  },
)
