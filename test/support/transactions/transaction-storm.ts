import type { Store } from '../../../src/index.ts'
import { asError, endedWithoutReport, newGate, program, reportOf } from '../crew.ts'
import type { History } from '../elle/transaction.ts'
import { random } from '../random.ts'
import { pause } from '../stores.ts'
import type { Transact } from '../workers/transact.ts'
import { hasBegun, newSharedHistory, readHistory } from './history-log.ts'
import type { Mix } from './transactor.ts'
import type { View } from './view.ts'

export interface StormSetting {
  readonly view: View
  readonly mix: Mix
  readonly seed: number
  /** Workers in all, and at a time. */
  readonly threads: number
  readonly atOnce: number
  /** Of 100 workers, so many are killed at a random moment. */
  readonly killed: number
  /** Words of each worker's log: it ends when that is full. */
  readonly words: number
}

/** Lanes of workers, one after the other in each, most of them killed on the way; the history of all of them. */
export async function transactionStorm(store: Store<string, string>, setting: StormSetting): Promise<History> {
  const { threads, atOnce, killed, words, seed, view, mix } = setting
  const rng = random(seed)
  const history = newSharedHistory(threads, words)
  const clock = new Int32Array(history.clock)
  const data: Transact = { history, view, mix, seed }
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < threads) {
      const thread = next++
      const worker = store.spawn(program('transact'), { workerData: { gate: newGate(1), thread, ...data } })
      const report = reportOf<number>(worker)
      let ended = false
      void report.then(() => (ended = true))
      if (rng.chance(killed)) {
        // The clock is common to all: counted before the first transaction of its own, the moment could pass while it starts.
        while (!ended && !hasBegun(history, thread)) await pause(1)
        const moment = Atomics.load(clock, 0) + 50 + rng.int(words >> 4)
        while (!ended && Atomics.load(clock, 0) < moment) await pause(1)
        for (let i = rng.int(20_000); i > 0; i--) Math.imul(i, i)
        await worker.terminate()
      }
      const found = await report
      if ('error' in found && found.error.message !== endedWithoutReport) throw asError(found.error)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  return readHistory(history)
}
