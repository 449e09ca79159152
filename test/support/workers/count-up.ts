import type { Gate } from '../crew.ts'
import { stopped, workerMain } from '../worker-main.ts'

export interface CountUp {
  readonly gate: Gate
}

/** Sets key after key to ascending numbers, and a batch of two after each, until all are asked to stop. */
workerMain<CountUp, number>((store, { thread, gate }) => {
  let i = 0
  while (!stopped(gate)) {
    store.set(`${thread}/${String(i).padStart(8, '0')}`, `${i}`)
    store.batch([
      { type: 'set', key: `${thread}:left`, value: `${i}` },
      { type: 'set', key: `${thread}:right`, value: `${i}` },
    ])
    i++
  }
  return i
})
