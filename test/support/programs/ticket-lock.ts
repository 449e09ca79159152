/** Scenarios for `heddle explore`: a ticket lock, and the same with a plain read where an atomic one is due. */
import type { ExploreOptions } from '../../../src/explore/index.ts'

const NEXT = 0
const SERVING = 1
const COUNT = 2

function enter(words: Int32Array, serving: () => number): void {
  const ticket = Atomics.add(words, NEXT, 1)
  while (serving() !== ticket);
  words[COUNT] = words[COUNT]! + 1
  Atomics.add(words, SERVING, 1)
}

function lock(body: (words: Int32Array) => void): ExploreOptions<Int32Array> {
  return { memory: { bytes: 64 }, attach: (memory) => new Int32Array(memory), threads: [body, body] }
}

export const rightLock = lock((words) => enter(words, () => Atomics.load(words, SERVING)))

export const wrongLock = lock((words) => enter(words, () => words[SERVING]!))
