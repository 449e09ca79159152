/** Commits a number of records to a shared log, one in four given up, waiting whenever it is full. */
import { workerData } from 'node:worker_threads'
import { SharedLog } from '../../../src/lsm/shared-log.ts'

interface Data {
  readonly buffer: SharedArrayBuffer
  readonly granules: number
  readonly owner: number
  readonly count: number
}

const { buffer, granules, owner, count } = workerData as Data
const log = new SharedLog(new Int32Array(buffer), 0, granules)

function reserve(length: number): number {
  for (;;) {
    const heard = log.listenProgress()
    const position = log.reserve(owner, length)
    if (position >= 0) return position
    log.nudge()
    log.waitProgress(heard, 50)
  }
}

for (let value = 0; value < count; value++) {
  if (value % 4 === 0) log.abort(reserve(1 + (value % 7)))
  const position = reserve(1 + (value % 5))
  const at = log.payloadAt(position)
  log.words[at] = owner
  log.words[at + 1] = value
  log.complete(position, 16, 8)
  log.nudge()
}
