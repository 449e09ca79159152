import { workerMain } from '../worker-main.ts'

export interface Append {
  readonly count: number
  /** Whether keys grow, so that all threads insert at the right end, or shrink. */
  readonly growing: boolean
}

/** Inserts keys in order, with all other threads at the same end. */
workerMain<Append, number, number, number>((store, { thread, count, growing }) => {
  for (let i = 0; i < count; i++) {
    const key = (growing ? i : -i) + thread / 100
    store.set(key, i)
    if (store.get(key) !== i) throw new Error(`${key} was set and is not there`)
  }
  return count
})
