/** Work that one engine does from begin to end, for tests in which another one stops it or is stopped by it. */
import type { Engine } from '../../../src/store/engine.ts'

/** Cleans every sealed segment there is. */
export function cleanAll({ log: { segments }, cleaner }: Engine): void {
  const used = segments.used()
  for (let segment = segments.first; segment < used; segment++) {
    if (segments.isSealed(segment)) cleaner.clean(segment, false)
  }
}
