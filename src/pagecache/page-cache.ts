/**
 * Fragmented pages in shared memory: a page is a base in the log plus the fragments (records) that its words lead to.
 *
 *   overwrite   CAS of an entry or slot word from the old fragment to the new one
 *   link        CAS of the first unused slot from 0 to a fragment
 *   freeze      SEALED into the first unused slot, then FROZEN into every word; done before any replacement
 *   replace     CAS of the table word from the old base to a new one
 *
 * Thread safety: all of it may be done by any pinned thread at any time; freezing is idempotent and helps itself.
 * Invariants: a key has one word per base: an entry word keeps its key for the life of the base, a slot word from its
 * first CAS on. A frozen page's content is the page's content until its table word changes.
 * Publication: the CAS in `link` and `overwrite` publishes a fragment, the CAS in `replace` a base; readers follow the
 * word they loaded atomically, so plain loads of what it leads to are ordered after the plain stores that filled it.
 * Death: a page that was frozen and not replaced is replaced by the next writer that meets it; readers do not care.
 *
 * After rsdb/sled's page cache (link, replace, consolidate over a log) and OpenBwTree (deltas beside their base).
 */
import type { Arena } from '../memory/arena.ts'
import type { Log } from '../log/log.ts'
import { BASE_BODY, BASE_SHAPE, MAX_COUNT, countOf, slotsOf } from './base.ts'
import { FROZEN, FRAGMENT_MASK, SEALED } from './fragment.ts'
import type { PageTable } from './page-table.ts'

/**
 * What the structure above gives to the cache: how pages are made. The cache itself knows neither keys nor fences.
 */
export interface Materializer {
  /**
   * Replaces the page's base by one without pending fragments (or splits it). Called by a pinned thread.
   * @returns false if there was no room for the new base; the page is unchanged or frozen then
   */
  consolidate(id: number, base: number): boolean
}

/** Whether a slot word has led to a fragment. */
function isUsed(word: number): boolean {
  return word !== 0 && word !== SEALED
}

export class PageCache {
  readonly table: PageTable
  readonly materializer: Materializer
  /** The words of the base that was frozen last, flags included. */
  readonly frozen: Int32Array = new Int32Array(2 * MAX_COUNT)
  private readonly words: Int32Array
  private readonly log: Log

  constructor(arena: Arena, table: PageTable, log: Log, materializer: Materializer) {
    this.words = arena.words
    this.table = table
    this.log = log
    this.materializer = materializer
  }

  /** Word of a base's first entry. */
  entriesAt(base: number): number {
    return base + (this.words[base + BASE_BODY] & 0xffff) + countOf(this.words[base + BASE_SHAPE])
  }

  /** Word of a base's first slot; the tags follow the slots. */
  slotsAt(base: number): number {
    return base + (this.words[base + BASE_BODY] & 0xffff) + 2 * countOf(this.words[base + BASE_SHAPE])
  }

  /**
   * Links a fragment into a slot of a base that was seen unused.
   * @param at word of the slot
   * @param tag a byte of the hash of the fragment's key, not 0; lets readers pass by without touching the fragment
   * @returns false if the slot was taken or the page sealed meanwhile
   */
  link(base: number, at: number, fragment: number, tag: number): boolean {
    const { words } = this
    if (Atomics.compareExchange(words, at, 0, fragment) !== 0) return false
    const slotsAt = this.slotsAt(base)
    const slot = at - slotsAt
    Atomics.or(words, slotsAt + slotsOf(words[base + BASE_SHAPE]) + (slot >>> 2), tag << ((slot & 3) << 3))
    return true
  }

  /** Changes an entry or slot word from what was read to a fragment or EMPTIED; fails if frozen or changed meanwhile. */
  overwrite(at: number, expected: number, next: number): boolean {
    return Atomics.compareExchange(this.words, at, expected, next) === expected
  }

  /**
   * Freezes a base: nothing in it changes afterwards. Idempotent; any thread may finish it. O(entries + slots).
   * Leaves its entry words, then those of its used slots, then 0 in `frozen`.
   */
  freeze(base: number): void {
    const { words } = this
    const shapeWord = words[base + BASE_SHAPE]
    const count = countOf(shapeWord)
    const slots = slotsOf(shapeWord)
    const slotsAt = this.slotsAt(base)
    // Slots are used in order, and most pages are frozen when all are: then the last one tells.
    let used = isUsed(Atomics.load(words, slotsAt + slots - 1)) ? slots : 0
    while (used < slots) {
      const word = Atomics.compareExchange(words, slotsAt + used, 0, SEALED)
      if (!isUsed(word)) break
      used++
    }
    const entriesAt = slotsAt - count
    // Entries and slots lie one after the other. Most are not frozen yet, so looking first would cost more than it saves.
    const { frozen } = this
    for (let at = entriesAt, i = 0; at < slotsAt + used; at++, i++) frozen[i] = Atomics.or(words, at, FROZEN)
    frozen[count + used] = 0
  }

  /** Slots of a base that have been used. */
  slotsUsed(base: number): number {
    const slots = slotsOf(this.words[base + BASE_SHAPE])
    const slotsAt = this.slotsAt(base)
    let used = 0
    while (used < slots && isUsed(Atomics.load(this.words, slotsAt + used))) used++
    return used
  }

  /** Fragments a base leads to now. */
  countFragments(base: number): number {
    const first = this.entriesAt(base)
    const end = this.slotsAt(base) + this.slotsUsed(base)
    let count = 0
    for (let at = first; at < end; at++) if ((Atomics.load(this.words, at) & FRAGMENT_MASK) !== 0) count++
    return count
  }

  /** Swaps a page's base and accounts for the old one. @returns false if the page had another state meanwhile */
  replace(id: number, base: number, next: number): boolean {
    if (!this.table.cas(id, base, next)) return false
    this.log.unlink(base)
    return true
  }

  /** Consolidates the page if it still has this base: how the cleaner gets a base out of a segment. */
  relocate(id: number, base: number): boolean {
    if (this.table.load(id) !== base) return true
    return this.materializer.consolidate(id, base)
  }
}
