/**
 * When each thread last had an effect on anything but its own local variables: a loop iteration without one, that leaves
 * the local variables as they were, repeats itself for ever.
 */
import { MAX_THREADS } from './events.ts'

const ROWS = MAX_THREADS + 1

/** Counts the iterations of loops, by thread. */
export const ticks = new Float64Array(ROWS)
/** The tick of the last effect. */
export const effectTick = new Float64Array(ROWS)

export function markEffect(thread: number): void {
  effectTick[thread] = ticks[thread]!
}
