import { HeddleError } from './error.ts'

/**
 * Throws HEDDLE_INTERNAL unless `condition` holds. For what must hold whatever the caller does; the message is a
 * constant string, so that a passing assertion allocates nothing.
 */
export function assert(condition: boolean, message: string): void {
  if (!condition) throw new HeddleError('HEDDLE_INTERNAL', `${message}; please report this as a bug of heddle`)
}

/** Throws HEDDLE_USE_AFTER_FREE: what stands at `address` is not what a live reference can lead to. */
export function failUseAfterFree(address: number, header: number): never {
  throw new HeddleError(
    'HEDDLE_USE_AFTER_FREE',
    `the block at word ${address} was read after it had been freed (header ${(header >>> 0).toString(16)}); ` +
      'with the default reclamation scheme this is a bug of heddle, please report it',
  )
}
