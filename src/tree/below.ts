/**
 * What lies below a partial tree, as the tree sees it: a map in versions, of which one is current (residence.ts).
 *
 * Thread safety: belongs to one participant. None of it is called inside a critical region: it may read from a disk.
 */
import type { KeyBuffer } from './key.ts'

export interface Below {
  /** What the last `look` found: `value[0..length)`, until the next call. */
  readonly value: Uint8Array
  readonly length: number
  /** Whether the value's bytes are known to be all ASCII. */
  readonly ascii: boolean
  /**
   * Looks for a key in a version that is current after the call began.
   * @returns whether it is there
   */
  look(key: KeyBuffer): boolean
  /** The same in a version that is held. */
  lookAt(version: number, key: KeyBuffer): boolean
  /** Holds the version that is current after the call began. @returns its number, greater than 0 */
  hold(): number
  /**
   * Holds a version that another participant holds. The caller sees afterwards that the other one still did so.
   * @returns false if it is not to be had any more
   */
  holdAlso(version: number): boolean
  /** Gives back what was held, as often as it was held. */
  letGo(version: number): void
}
