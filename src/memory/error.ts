/**
 * The one error class of the package.
 *
 * It stands on the ground floor because every floor throws it; the store re-exports it as the public name.
 */

/** What went wrong, as a program can switch on it. */
export type HeddleErrorCode =
  | 'HEDDLE_FULL'
  | 'HEDDLE_INVALID_KEY'
  | 'HEDDLE_INVALID_VALUE'
  | 'HEDDLE_TOO_LARGE'
  | 'HEDDLE_INVALID_OPTION'
  | 'HEDDLE_INVALID_RANGE'
  | 'HEDDLE_BUFFER_TOO_SMALL'
  | 'HEDDLE_CLOSED'
  | 'HEDDLE_TOO_MANY_THREADS'
  | 'HEDDLE_BAD_HANDLE'
  | 'HEDDLE_IO'
  | 'HEDDLE_NO_SPACE'
  | 'HEDDLE_CORRUPT'
  | 'HEDDLE_LOCKED'
  | 'HEDDLE_USE_AFTER_FREE'
  | 'HEDDLE_INTERNAL'

/** Every error heddle throws by itself. `code` is stable; the message says what happened and what to do about it. */
export class HeddleError extends Error {
  readonly code: HeddleErrorCode

  constructor(code: HeddleErrorCode, message: string) {
    super(message)
    this.name = 'HeddleError'
    this.code = code
  }
}
