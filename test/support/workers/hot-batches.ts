import { Recorder, type History } from '../history.ts'
import type { OperationName } from '../linearizability.ts'
import { random } from '../random.ts'
import { workerMain } from '../worker-main.ts'

export interface HotBatches {
  readonly history: History
  readonly threads: number
  readonly seed: number
  /** Keys that all threads use: batches change all of them, single operations only the upper half. */
  readonly keys: number
}

const names: readonly OperationName[] = ['get', 'compareAndSet', 'update', 'set', 'delete', 'setIfAbsent', 'has']

// Single operations, batches and scans of snapshots on a few keys, each written down. The lower half of the keys is changed by
// batches only, all of it at once and to one number, so at any moment all of them hold the same.
workerMain<HotBatches, number>((store, { history, threads, thread, seed, keys }) => {
  const rng = random(seed * 1000 + thread)
  const recorder = new Recorder(store, history, thread)
  const all = Array.from({ length: keys }, (_, key) => key)
  const seen = new Array<number>(keys).fill(0)
  let [count, mixed] = [0, 0]
  while (recorder.room >= keys) {
    const value = ++count * threads + thread
    const what = rng.int(10)
    if (what < 3) recorder.batch(all.map((key) => [key, rng.chance(20) && key >= keys / 2 ? 0 : value]))
    else if (what < 5) {
      const found = recorder.scan(all)
      const same = found.filter((_, key) => key < keys / 2)
      if (new Set(same).size > 1) throw new Error(`a snapshot saw a part of a batch: ${found.join(' ')}`)
      found.forEach((result, key) => (seen[key] = result))
      if (new Set(found).size > 1) mixed++
    } else {
      const name = rng.pick(names)
      const isRead = name === 'get' || name === 'has'
      const key = isRead ? rng.int(keys) : keys - 1 - rng.int(Math.floor(keys / 2))
      const next = (name === 'compareAndSet' || name === 'update') && rng.chance(20) ? 0 : value
      const result = recorder.run(name, key, next, seen[key]!)
      if (name === 'get') seen[key] = result
    }
    const beside = `hot ${rng.int(keys)} ${thread} ${rng.int(8)}`
    if (rng.chance(50)) store.set(beside, 'x')
    else store.delete(beside)
  }
  return mixed
})
