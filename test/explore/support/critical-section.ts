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

/**
 * Threads that enter a section and count there in a plain word.
 * @param rounds how often each thread enters
 */
export function sections(
  makeLock: (words: Int32Array, thread: number) => Lock,
  rounds: readonly number[] = [1, 1],
): ExploreOptions<Section> {
  const total = rounds.reduce((sum, count) => sum + count)
  return {
    memory: { bytes: 4096 },
    attach: (sab, thread) => {
      const words = new Int32Array(sab)
      return { words, lock: makeLock(words, thread) }
    },
    threads: rounds.map((count) => (section: Section) => enter(section, count)),
    after: (sab) => assert.equal(new Int32Array(sab)[counter], total),
  }
}

function enter({ words, lock }: Section, count: number): void {
  for (let i = 0; i < count; i++) {
    lock.lock()
    words[counter] = words[counter]! + 1
    lock.unlock()
  }
}
