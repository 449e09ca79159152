/**
 * Where a key was found, for the change that expects what was found there: it looks there first, instead of descending.
 *
 * Safety: the table is seen to name the base noted, and only then the epoch is asked for. If two have not passed since
 * before it was noted, the base has not been recycled until then; it was the page when the table was looked at, so whoever
 * replaces it retires it later, within the caller's critical region, and it is not recycled before the end of that. In the
 * other order the base could be another use of the same memory by the time that the table names it.
 * Thread safety: private to one participant.
 */
import { hasPassed } from '../reclaim/garbage.ts'
import type { Scheme } from '../reclaim/scheme.ts'
import type { KeyBuffer } from './key.ts'
import type { Search } from './search.ts'

export class KnownPlace {
  private readonly scheme: Scheme
  private readonly search: Search
  private id = 0
  /** 0 if nothing is noted. */
  private base = 0
  private at = 0
  private since = 0

  constructor(scheme: Scheme, search: Search) {
    this.scheme = scheme
    this.search = search
  }

  /**
   * Notes where the search has found a key, in the same critical region.
   * @param since the epoch before that
   */
  note(since: number): void {
    const { search } = this
    this.id = search.id
    this.base = search.base
    this.at = search.at
    this.since = since
  }

  /** Finds the key, from the place noted if it may be used. It is tried once: who has to look again is to descend. */
  locate(key: KeyBuffer): void {
    const { search, base } = this
    this.base = 0
    const isIntact = base !== 0 && search.isCurrent(this.id, base) && !hasPassed(this.since, this.scheme.epoch())
    if (!isIntact || !search.locateAt(key, this.id, base, this.at)) search.locate(key)
  }
}
