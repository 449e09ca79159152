/**
 * Waiting. Nothing in heddle waits without a limit: a waiter that is never woken goes on by itself.
 */

/**
 * Parks the thread until `words[index]` is no longer `expected`, somebody rings, or the time is over.
 * @param budgetMs the longest wait, in milliseconds
 * @returns whether the time ran out
 */
export function park(words: Int32Array, index: number, expected: number, budgetMs: number): boolean {
  return Atomics.wait(words, index, expected, budgetMs) === 'timed-out'
}

/** Changes the bell's word and wakes everyone parked on it. */
export function ring(words: Int32Array, index: number): void {
  Atomics.add(words, index, 1)
  Atomics.notify(words, index)
}

/** Raises a flag that is never lowered. */
export function raise(words: Int32Array, index: number): void {
  Atomics.store(words, index, 1)
}

/** Whether a flag has been raised. */
export function isRaised(words: Int32Array, index: number): boolean {
  return Atomics.load(words, index) !== 0
}

/** The bell's present word: what to give to `park` after having looked for work. */
export function listen(words: Int32Array, index: number): number {
  return Atomics.load(words, index)
}
