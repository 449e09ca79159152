import assert from 'node:assert/strict'
import type { ExploreOptions } from '../../../src/explore/index.ts'

export interface Lock {
  lock(): void
  unlock(): void
}

export interface Section {
  readonly words: Int32Array
  readonly lock: Lock
}

/** Where locks may have their words: below. */
const counter = 512

/** Threads that each enter a section a number of times and count there in a plain word. */
export function sections(
  makeLock: (words: Int32Array, thread: number) => Lock,
  threads = 2,
  rounds = 1,
): ExploreOptions<Section> {
  const body = ({ words, lock }: Section): void => {
    for (let round = 0; round < rounds; round++) {
      lock.lock()
      words[counter] = words[counter]! + 1
      lock.unlock()
    }
  }
  return {
    memory: { bytes: 4096 },
    attach: (sab, thread) => {
      const words = new Int32Array(sab)
      return { words, lock: makeLock(words, thread) }
    },
    threads: Array.from({ length: threads }, () => body),
    after: (sab) => assert.equal(new Int32Array(sab)[counter], threads * rounds),
  }
}
