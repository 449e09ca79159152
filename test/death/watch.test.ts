import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { endedWithoutReport, newGate, program, reportOf } from '../support/crew.ts'
import { MIB, openStore, settle, tiny } from '../support/stores.ts'
import { StormWords, type StormData } from '../support/storm-words.ts'
import { pause } from '../support/stores.ts'

it('a worker started otherwise is reaped when it is watched', async () => {
  const store = openStore({ memory: 8 * MIB, tuning: tiny, maxThreads: 3 })
  const execArgv = ['--import', new URL('../support/register-tsx.mjs', import.meta.url).href]
  const buffer = StormWords.create(1, 2)
  const words = new StormWords(buffer, 1, 2)
  let perhaps = 0
  for (let round = 0; round < 8; round++) {
    const shared = { words: buffer, slots: 1, counters: 2, slot: 0, bigValues: false }
    const data: StormData = { ...shared, seed: round, gate: newGate(1) }
    const worker = new Worker(program('mix'), { execArgv, workerData: { ...data, store: store.handle } })
    store.watch(worker)
    let ended = false
    const report = reportOf<number>(worker)
    void report.then(() => (ended = true))
    const enough = words.operations(0) + 100 + round * 37
    while (!ended && words.operations(0) < enough) await pause(1)
    await worker.terminate()
    expect(await report).toMatchObject({ error: { message: endedWithoutReport } })
    if (words.takeInFlight(0) >= 0) perhaps++
    await settle(store)
  }
  const done = words.done(0) + words.done(1)
  const value = Number(store.get('counter 0')) + Number(store.get('counter 1'))
  expect(value).toBeGreaterThanOrEqual(done)
  expect(value).toBeLessThanOrEqual(done + perhaps)
  store.close()
})
