/**
 * Where a key was found, for the change that expects what was found there: it looks there first, instead of descending.
 *
 * Safety: until two epochs have passed since the place was noted (asked while pinned again), its base is not recycled, nor
 * a record that it led to. So if the table names that base, it is still the page, and the word is one of its own; which key
 * the word leads to is looked at anew.
 * Thread safety: private to one participant.
 */
import type { KeyBuffer } from './key.ts'
import type { Search } from './search.ts'

export class KnownPlace {
  private id = 0
  /** 0 if nothing is noted. */
  private base = 0
  private at = 0

  /** Notes where a search has found a key, in the same critical region. */
  note(search: Search): void {
    this.id = search.id
    this.base = search.base
    this.at = search.at
  }

  /**
   * Finds the key, from the place noted if it may be used. It is tried once: who has to look again is to descend.
   * @param isIntact whether fewer than two epochs have passed
   */
  locate(search: Search, key: KeyBuffer, isIntact: boolean): void {
    const { base } = this
    this.base = 0
    if (base === 0 || !isIntact || !search.locateAt(key, this.id, base, this.at)) search.locate(key)
  }
}
