/** The kinds of steps that a virtual thread takes. */

/** Threads of one scenario at most, a reaper included: a set of threads is a bit mask, a clock is a row of this length. */
export const MAX_THREADS = 8

export const LOAD = 1
export const STORE = 2
export const COMPARE_EXCHANGE = 3
export const ADD = 4
export const SUB = 5
export const AND = 6
export const OR = 7
export const XOR = 8
export const EXCHANGE = 9
export const WAIT = 10
export const NOTIFY = 11
export const WAIT_ASYNC = 12
/** A parked thread goes on: it was notified, or its time is over. */
export const WAKE = 13
/** The call of an operation of the history, and its return. */
export const CALL = 14
export const RETURN = 15
/** Announcements of a block's allocation and of its release. */
export const ALLOCATE = 16
export const FREE = 17
/** A reaper sees that its victim is dead. */
export const BEGIN = 18

const NAMES = [
  '',
  'load',
  'store',
  'compareExchange',
  'add',
  'sub',
  'and',
  'or',
  'xor',
  'exchange',
  'wait',
  'notify',
  'waitAsync',
  'wake',
  'call',
  'return',
  'allocate',
  'free',
  'begin',
]

/** One letter for each kind, by which a replayed schedule notices that it no longer fits. */
const LETTERS = ' lscabnoxewtyzCRAFB'

export function nameOf(op: number): string {
  return NAMES[op] ?? ''
}

export function letterOf(op: number): string {
  return LETTERS[op] ?? '?'
}

export function opOfLetter(letter: string): number {
  return LETTERS.indexOf(letter)
}

/** Whether the step changes who waits for a word, and not the word: a notification, or the end of a wait. */
export function isWaking(op: number): boolean {
  return op === NOTIFY || op === WAKE
}

/** Whether the step is one of the history, and touches no memory. */
export function isHistoryStep(op: number): boolean {
  return op === CALL || op === RETURN
}
