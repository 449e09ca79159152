import { HeddleError } from '../../../src/index.ts'
import { random } from '../random.ts'
import { stopped, workerMain } from '../worker-main.ts'

export interface Journaled {
  readonly seed: number
  readonly rounds: number
  readonly keys: number
  /** Bytes of the longest value. */
  readonly most: number
}

// Sets, deletes, swaps, batches and transactions on a few keys that all threads share, with values of all lengths. Stops
// early when asked to. Gives the number of operations.
workerMain<Journaled, number>((store, { gate, thread, seed, rounds, keys, most }) => {
  const rng = random(seed * 100 + thread)
  const key = (): string => `key ${rng.int(keys)}`
  const value = (): string => String(rng.int(10)).repeat(1 + (rng.int(20) === 0 ? rng.int(most) : rng.int(40)))
  const short = (): string => String(rng.int(1000))
  let count = 0
  while (count < rounds && !stopped(gate)) {
    count++
    const way = rng.int(8)
    if (way < 2) store.set(key(), value())
    else if (way === 2) store.delete(key())
    else if (way === 3) store.update(key(), (old) => (old === undefined ? value() : undefined))
    else if (way === 4) store.setIfAbsent(key(), value())
    else if (way < 7) {
      const [one, two, three] = [key(), key(), key()]
      store.batch([
        { type: 'set', key: one, value: short() },
        { type: 'delete', key: two },
        { type: 'set', key: three, value: short() },
      ])
    } else {
      const [from, to] = [key(), key()]
      try {
        store.transaction((tx) => {
          const found = tx.get(from)
          if (found === undefined) tx.set(from, short())
          else tx.delete(from)
          tx.set(to, found ?? short())
        })
      } catch (error) {
        if (!(error instanceof HeddleError) || error.code !== 'HEDDLE_CONFLICT') throw error
      }
    }
  }
  return count
})
