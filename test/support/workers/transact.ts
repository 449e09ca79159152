/** Random transactions until the log is full, all are asked to stop, or the thread is killed. */
import { HistoryLog, type SharedHistory } from '../transactions/history-log.ts'
import { Transactor, type Mix } from '../transactions/transactor.ts'
import { viewOf, type View } from '../transactions/view.ts'
import { random } from '../random.ts'
import { stopped, workerMain } from '../worker-main.ts'

export interface Transact {
  readonly history: SharedHistory
  readonly view: View
  readonly mix: Mix
  readonly seed: number
}

workerMain<Transact, number>((store, { history, view, mix, seed, thread, gate }) => {
  const log = new HistoryLog(history, thread)
  const transactor = new Transactor(viewOf(store, view), log, mix, random(seed * 1000 + thread), thread)
  let steps = 0
  while (!stopped(gate) && transactor.step()) steps++
  return steps
})
