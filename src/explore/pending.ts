/** What each virtual thread is about to do: its next step, announced but not yet taken. */
import { MAX_THREADS } from './events.ts'

/** The row of code that runs outside the threads. */
export const OUTSIDE = MAX_THREADS

export type View = Int32Array

const ROWS = MAX_THREADS + 1

export const pendingOp = new Uint8Array(ROWS)
export const pendingSite = new Int32Array(ROWS)
/** First word of the shared memory that it touches; -1 if it touches none. */
export const pendingWord = new Int32Array(ROWS)
export const pendingSpan = new Int32Array(ROWS)
export const pendingIndex = new Int32Array(ROWS)
export const pendingView: (View | undefined)[] = Array.from({ length: ROWS }, () => undefined)
export const pendingA: unknown[] = Array.from({ length: ROWS }, () => undefined)
export const pendingB: unknown[] = Array.from({ length: ROWS }, () => undefined)
/** A spinning thread goes on when one of these words changes. */
export const pendingAwait: (readonly number[] | undefined)[] = Array.from({ length: ROWS }, () => undefined)
