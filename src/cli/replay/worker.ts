/** One worker's part of a replay: of each block every so-and-so-manieth operation, in order. */
import type { Barrier } from './barrier.ts'
import { NOT_FOUND, type Operation } from './script.ts'

/** What a replay needs of a store. */
export interface ReplayStore {
  get(key: string): string | undefined
  set(key: string, value: string): void
  delete(key: string): boolean
}

export interface WrongAnswer {
  readonly line: number
  readonly key: string
  readonly got: string
  /** As listed in the file. */
  readonly expected: string
}

export interface Part {
  /** Which worker this is, from 0 on, and how many there are. */
  readonly worker: number
  readonly workers: number
}

/**
 * Runs its part of all blocks; waits after each one for the others.
 * @param onWrong hears of each answer that is not among those expected
 */
export function replay(
  store: ReplayStore,
  blocks: Iterable<readonly Operation[]>,
  { worker, workers }: Part,
  barrier: Barrier,
  onWrong: (answer: WrongAnswer) => void,
): void {
  for (const block of blocks) {
    let done = 0
    for (let i = worker; i < block.length; i += workers, done++) {
      const wrong = perform(store, block[i])
      if (wrong !== undefined) onWrong(wrong)
    }
    if (!barrier.arrive(done)) return
  }
}

function perform(store: ReplayStore, { kind, line, key, argument }: Operation): WrongAnswer | undefined {
  if (kind === 'PUT') store.set(key, argument)
  else if (kind === 'DELETE') store.delete(key)
  else {
    const got = store.get(key) ?? NOT_FOUND
    if (!argument.split(',').includes(got)) return { line, key, got, expected: argument }
  }
  return undefined
}
