/**
 * Why the background gave up, in one word, for threads that have not seen the error: which part of it (WHY of tier-words.ts),
 * and what the error was, as far as a number says it.
 *
 * Thread safety: pure.
 */
import { constants } from 'node:os'
import { FileError } from './file-error.ts'

const WHY_BITS = 4
/** Above all numbers of the system's errors. */
const CORRUPT = 2 ** 16

/** @param why one of WHY */
export function reasonOf(why: number, error: unknown): number {
  return why | (causeOf(error) << WHY_BITS)
}

function causeOf(error: unknown): number {
  if (!(error instanceof FileError)) return 0
  if (error.code === 'HEDDLE_CORRUPT') return CORRUPT
  return (constants.errno as Readonly<Record<string, number>>)[error.errno] ?? 0
}

/** One of WHY. */
export function whyOf(reason: number): number {
  return reason & ((1 << WHY_BITS) - 1)
}

/** What the error was, to stand behind the reason; '' if that is not known. */
export function causeIn(reason: number): string {
  const cause = reason >>> WHY_BITS
  if (cause === CORRUPT) return ' (a file of the store is corrupt: `heddle verify` names it)'
  for (const [name, number] of Object.entries(constants.errno)) if (cause === number) return ` (${name})`
  return ''
}
