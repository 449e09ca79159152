import type { Store } from '../../../src/index.ts'
import { random, type Random } from '../random.ts'
import { stopped, workerMain } from '../worker-main.ts'

export interface Churn {
  readonly seed: number
  readonly rounds: number
  readonly keys: number
}

const name = (number: number): string => `churn ${String(number).padStart(6, '0')}`
const value = (number: number): string => `${number}`.repeat(1 + (number % 9))

// Fills and empties runs of keys that all threads share, so that pages split, merge and are used again, with readers among
// them. Stops early when asked to. Gives the number of operations.
workerMain<Churn, number>((store, { gate, thread, seed, rounds, keys }) => {
  const rng = random(seed * 100 + thread)
  let count = 0
  for (let round = 0; round < rounds && !stopped(gate); round++) count += turn(store, rng, keys)
  return count
})

function turn(store: Store<string, string>, rng: Random, keys: number): number {
  const way = rng.int(5)
  const from = rng.int(keys)
  const to = Math.min(keys, from + 10 + rng.int(60))
  if (way === 4) {
    let last = ''
    for (const [key, found] of store.entries({ gte: name(from), lt: name(to) })) {
      if (key <= last || found !== value(Number(key.slice(6)))) throw new Error(`${key} = ${found} after ${last}`)
      last = key
    }
    return 1
  }
  for (let number = from; number < to; number++) {
    if (way < 2) store.set(name(number), value(number))
    else if (way === 2) store.delete(name(number))
    else {
      const found = store.get(name(number))
      if (found !== undefined && found !== value(number)) throw new Error(`${name(number)} = ${found}`)
    }
  }
  return to - from
}
