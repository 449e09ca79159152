/** Waiting for a bell without blocking the thread: not for the floors below, where nothing is asynchronous. */

/**
 * As `park` (memory/parking.ts), without blocking the thread. Keeps the process alive meanwhile.
 * @param budgetMs the longest wait, in milliseconds
 */
export async function parkAsync(words: Int32Array, index: number, expected: number, budgetMs: number): Promise<void> {
  const wait = Atomics.waitAsync(words, index, expected, budgetMs)
  if (!wait.async) return
  // Such a wait does not keep the process alive; the timer does.
  let timer: NodeJS.Timeout | undefined
  const timeOut = new Promise((resolve) => (timer = setTimeout(resolve, budgetMs)))
  await Promise.race([wait.value, timeOut])
  clearTimeout(timer)
}
