import type { Store } from '../../../src/index.ts'
import { Recorder, sized, type History } from '../history.ts'
import type { OperationName } from '../linearizability.ts'
import { random, type Random } from '../random.ts'
import { workerMain } from '../worker-main.ts'

export interface HotKeys {
  readonly history: History
  readonly threads: number
  readonly seed: number
  readonly keys: number
}

const often: readonly OperationName[] = ['get', 'get', 'get', 'compareAndSet', 'compareAndSet', 'update', 'update']
const names: readonly OperationName[] = [...often, 'set', 'delete', 'setIfAbsent', 'has']

// Every operation on a few keys that all threads use, each written down; and between them, on keys that lie beside those
// and are this thread's own, what makes their pages split and merge.
workerMain<HotKeys, number>((store, { history, threads, thread, seed, keys }) => {
  const rng = random(seed * 1000 + thread)
  const recorder = new Recorder(store, history, thread)
  const seen = new Array<number>(keys).fill(0)
  const own = new Map<string, string>()
  let count = 0
  while (!recorder.full) {
    const key = rng.int(keys)
    const name = rng.pick(names)
    const fresh = ++count * threads + thread
    const value = (name === 'compareAndSet' || name === 'update') && rng.chance(20) ? 0 : fresh
    const expected = rng.chance(90) ? seen[key]! : 0
    const result = recorder.run(name, key, value, expected)
    if (name === 'get' || name === 'setIfAbsent') seen[key] = result === 0 && name !== 'get' ? value : result
    else if (name === 'set' || name === 'update' || (name === 'compareAndSet' && result === 1)) seen[key] = value
    for (let i = rng.int(4); i > 0; i--) neighbour(store, own, rng, `hot ${rng.int(keys)} ${thread} ${rng.int(8)}`)
  }
  return own.size
})

/** One operation on a key of this thread alone, which must behave as if nobody else were there. */
function neighbour(store: Store<string, string>, own: Map<string, string>, rng: Random, key: string): void {
  const expected = own.get(key)
  if (rng.chance(30)) {
    const found = store.get(key)
    if (found !== expected) throw new Error(`${key} holds ${found} instead of ${expected}`)
  } else if (rng.chance(50)) {
    const value = sized(rng.int(1000) + 1)
    store.set(key, value)
    own.set(key, value)
  } else if (store.delete(key) !== own.delete(key)) {
    throw new Error(`delete of ${key} found ${expected === undefined ? 'a value nobody set' : 'nothing'}`)
  }
}
