/** What the explorer finds, or cannot do. */
export type FailureKind =
  | 'assertion'
  | 'exception'
  | 'not-linearizable'
  | 'data-race'
  | 'use-after-free'
  | 'double-free'
  | 'leak'
  | 'deadlock'
  | 'livelock'
  | 'lost-wake-up'
  | 'unbounded'
  | 'nondeterminism'
  | 'divergence'
  | 'unsupported'
  | 'no-steps'

/** Thrown inside an execution to end it; `explore` turns it into the `error` of its result. */
export class Failure extends Error {
  readonly kind: FailureKind

  constructor(kind: FailureKind, message: string) {
    super(message)
    this.name = 'Failure'
    this.kind = kind
  }
}

/** Hears of each failure before it is thrown: the code under test may catch it. */
export const watch: { onFailure: (failure: Failure) => void } = { onFailure: () => undefined }

/** Throws what ends the execution. */
export function fail(kind: FailureKind, message: string): never {
  const failure = new Failure(kind, message)
  watch.onFailure(failure)
  throw failure
}
