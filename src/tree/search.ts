/**
 * Search in the B-link tree (Lehman and Yao 1981): from the root down, to the right whenever the key lies past the high
 * fence. A split under way never sends a search back; a page that is merged away can, see below.
 *
 * Thread safety: a Search belongs to one participant, who is pinned while its results are used.
 * Progress: lock-free, and a search never waits for a structural change to be finished:
 *  - A child named by its parent's merge word is passed by, to its left neighbour, which either has absorbed it already
 *    or links to it.
 *  - A REMOVED page that was reached over a right link (or from a root that is collapsing) may be read: the page that
 *    linked to it had not absorbed it when it was loaded, and a frozen word keeps its value until the absorption; so
 *    there is a moment within the operation at which what is read there is what the tree holds.
 *  - A REMOVED page reached over a parent that does not name it comes from a parent that has been replaced since: start
 *    again.
 */
import type { Arena } from '../memory/arena.ts'
import { FRAGMENT_MASK, SEALED } from '../pagecache/fragment.ts'
import { BASE_EXTRA, BASE_SHAPE, countOf, slotsOf } from '../pagecache/base.ts'
import { ADDRESS_MASK, REMOVED, ROOT } from '../pagecache/page-table.ts'
import { type KeyBuffer, compareBytes } from './key.ts'
import {
  COLLAPSE,
  NO_FENCE,
  childrenAt,
  endsAt,
  headsAt,
  highAt,
  highBytes,
  lowAt,
  lowBytes,
  pageCount,
  pageLevel,
  pageRight,
  prefixAt,
  prefixBytes,
  separatorsAt,
} from './page.ts'
import { recordHeader, recordKeyAt } from './record.ts'
import { keyBytesOf } from '../log/block.ts'

/** Longest run of equal heads that is searched one by one. */
const SHORT_RUN = 4
/** Words of a cache line. */
const LINE_WORDS = 16

export class Search {
  /** The page found. */
  id = 0
  base = 0
  /** Whether its table word says REMOVED: writers must help first. */
  removed = false
  /** A page that was reached over a right link at some level though no parent names it yet, or 0. */
  unposted = 0
  /** The word of the key in the leaf, and what it held when it was read. */
  at = 0
  word = 0
  /** The record, or 0 if the key is absent. */
  record = 0
  /** Header of the record. */
  header = 0
  /** If the key is absent: the first unused slot, or 0 if the page takes no more. */
  freeSlot = 0
  private readonly words: Int32Array
  private readonly bytes: Uint8Array
  private readonly table: number
  /** Keeps the loads that only fetch lines from being optimised away. */
  private fetched = 0

  constructor(arena: Arena) {
    this.words = arena.words
    this.bytes = arena.bytes
    this.table = arena.layout.pageTableAt
  }

  /**
   * Finds the page at `level` whose range holds the key (or a lower root, if the tree is not that high).
   * @param below look for the page that holds what comes right before the key: low < key <= high
   */
  descend(key: KeyBuffer, level: number, below: boolean): void {
    const { words } = this
    this.unposted = 0
    for (;;) {
      let id = ROOT
      let readable = true
      let fromParent = true
      for (;;) {
        const word = Atomics.load(words, this.table + id)
        if (word <= 0 || (word >= REMOVED && !readable)) break
        const base = word & ADDRESS_MASK
        if (this.isBeyond(key, base, below)) {
          if (fromParent) this.unposted = pageRight(words, base)
          id = pageRight(words, base)
          readable = true
          fromParent = false
          continue
        }
        if (pageLevel(words, base) <= level) {
          this.id = id
          this.base = base
          this.removed = word >= REMOVED
          return
        }
        const merging = words[base + BASE_EXTRA]
        let index = this.childIndex(key, base, below)
        if (index !== 0 && index === merging) index--
        id = words[childrenAt(words, base) + index]
        readable = merging === COLLAPSE
        fromParent = true
      }
    }
  }

  /** Finds the last leaf. */
  descendLast(): void {
    const { words } = this
    for (;;) {
      let id = ROOT
      let readable = true
      for (;;) {
        const word = Atomics.load(words, this.table + id)
        if (word <= 0 || (word >= REMOVED && !readable)) break
        const base = word & ADDRESS_MASK
        const right = pageRight(words, base)
        if (right === 0 && pageLevel(words, base) === 0) {
          this.id = id
          this.base = base
          this.removed = word >= REMOVED
          return
        }
        const merging = right === 0 ? words[base + BASE_EXTRA] : 0
        const last = pageCount(words, base) - 1
        readable = right !== 0 || merging === COLLAPSE
        if (right !== 0) id = right
        else id = words[childrenAt(words, base) + (last !== 0 && last === merging ? last - 1 : last)]
      }
    }
  }

  private isBeyond(key: KeyBuffer, base: number, below: boolean): boolean {
    const length = highBytes(this.words, base)
    if (length === NO_FENCE) return false
    const order = key.compare(this.bytes, highAt(base), length)
    return below ? order > 0 : order >= 0
  }

  /** Index of the child whose range holds the key: the last separator at or below it (`below`: strictly below). */
  childIndex(key: KeyBuffer, base: number, below: boolean): number {
    const { words } = this
    const count = pageCount(words, base)
    if (count === 1) return 0
    const prefix = prefixBytes(words, base)
    if (prefix > 0) {
      const order = key.comparePrefix(this.bytes, prefixAt(words, base), prefix)
      if (order !== 0) return order < 0 ? 0 : count - 1
    }
    const heads = headsAt(words, base)
    const head = key.head(prefix)
    let low = 1
    let high = count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (words[heads + middle] <= head) low = middle + 1
      else high = middle
    }
    let index = low - 1
    while (index > 0 && words[heads + index] === head) {
      const order = this.compareSeparator(key, base, index)
      if (below ? order > 0 : order >= 0) break
      index--
    }
    return index
  }

  /** Byte order of the key against separator `index` of an inner page. */
  compareSeparator(key: KeyBuffer, base: number, index: number): number {
    const { words } = this
    const ends = endsAt(words, base)
    const start = words[ends + index - 1]
    return key.compare(this.bytes, separatorsAt(words, base) + start, words[ends + index] - start)
  }

  /** Finds the leaf of the key and, in it, the key. Sets `record` (0 = absent), `at`, `word`, `freeSlot`. */
  locate(key: KeyBuffer): void {
    this.descend(key, 0, false)
    this.locateHere(key)
  }

  /**
   * As `locate`, in a page that was found to hold the key before.
   * @returns false if it does not, or is another one by now: it has to be looked for
   */
  locateIn(key: KeyBuffer, id: number, base: number): boolean {
    const { words, bytes } = this
    if (!this.isCurrent(id, base)) return false
    if (key.compare(bytes, lowAt(words, base), lowBytes(words, base)) < 0 || this.isBeyond(key, base, false))
      return false
    this.id = id
    this.base = base
    this.removed = false
    this.unposted = 0
    this.locateHere(key)
    return true
  }

  /** Whether a base is that of its page now. */
  isCurrent(id: number, base: number): boolean {
    return Atomics.load(this.words, this.table + id) === base
  }

  /**
   * As `locateIn`, in a page that was seen to be current in this critical region, with the word in it that led to the key
   * before: if it still does, the page holds the key.
   */
  locateAt(key: KeyBuffer, id: number, base: number, at: number): boolean {
    if (!this.tryWord(key, at)) return this.locateIn(key, id, base)
    this.id = id
    this.base = base
    this.removed = false
    this.unposted = 0
    return true
  }

  /** Takes over what was found otherwise, in this critical region: a word of a current leaf that leads to a record. */
  setFound(id: number, base: number, at: number, word: number, header: number): void {
    this.id = id
    this.base = base
    this.removed = false
    this.unposted = 0
    this.at = at
    this.word = word
    this.record = word & FRAGMENT_MASK
    this.header = header
  }

  private locateHere(key: KeyBuffer): void {
    const { words, base } = this
    const shape = words[base + BASE_SHAPE]
    const count = countOf(shape)
    const heads = headsAt(words, base)
    // A leaf is mostly not in the cache: all lines of heads are fetched side by side, before the bisection asks for them.
    let sum = 0
    for (let i = 0; i < count; i += LINE_WORDS) sum += words[heads + i]
    this.fetched += sum & 1
    if (this.inEntries(key, heads, count)) return
    this.inSlots(key, heads + 2 * count, slotsOf(shape))
  }

  private inEntries(key: KeyBuffer, heads: number, count: number): boolean {
    const { words } = this
    const head = key.head(prefixBytes(words, this.base))
    let low = 0
    let high = count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (words[heads + middle] < head) low = middle + 1
      else high = middle
    }
    // A key that lacks the page's prefix may meet equal heads too; the full comparison tells.
    let end = low
    while (end < count && end - low <= SHORT_RUN && words[heads + end] === head) end++
    if (end - low > SHORT_RUN) return this.inLongRun(key, heads, low, count, head)
    for (let i = low; i < end; i++) if (this.tryWord(key, heads + count + i)) return true
    return false
  }

  /** Bisects a run of equal heads by whole keys; entries without a record are passed by. */
  private inLongRun(key: KeyBuffer, heads: number, from: number, count: number, head: number): boolean {
    const { words } = this
    let high = count
    for (let low = from + 1; low < high;) {
      const middle = (low + high) >>> 1
      if (words[heads + middle] === head) low = middle + 1
      else high = middle
    }
    let low = from
    while (low < high) {
      const middle = (low + high) >>> 1
      let probe = middle
      while (probe < high && (Atomics.load(words, heads + count + probe) & FRAGMENT_MASK) === 0) probe++
      if (probe === high) {
        high = middle
        continue
      }
      if (this.tryWord(key, heads + count + probe)) return true
      // Emptied since it was probed: the entry cannot be told from its neighbours, so look at what remains one by one.
      if (this.record === 0 && this.word !== 0 && (this.word & FRAGMENT_MASK) === 0)
        return this.oneByOne(key, heads + count, low, high)
      if (this.order < 0) high = middle
      else low = probe + 1
    }
    return false
  }

  private oneByOne(key: KeyBuffer, entries: number, low: number, high: number): boolean {
    for (let i = low; i < high; i++) if (this.tryWord(key, entries + i)) return true
    return false
  }

  /** Order of the key against the record last tried. */
  private order = 0

  private tryWord(key: KeyBuffer, at: number): boolean {
    const { words } = this
    const word = Atomics.load(words, at)
    const record = word & FRAGMENT_MASK
    this.word = word
    this.record = 0
    if (record === 0) return false
    const header = recordHeader(words, record)
    if (key.equalsRecord(words, record, header)) {
      this.at = at
      this.record = record
      this.header = header
      return true
    }
    this.order = key.compare(this.bytes, recordKeyAt(record), keyBytesOf(header))
    return false
  }

  private inSlots(key: KeyBuffer, slotsAt: number, slots: number): void {
    const { words } = this
    const { tag } = key
    this.record = 0
    this.freeSlot = 0
    let tags = 0
    for (let i = 0; i < slots; i++) {
      tags = (i & 3) === 0 ? Atomics.load(words, slotsAt + slots + (i >>> 2)) : tags >>> 8
      const known = tags & 0xff
      if (known !== 0 && known !== tag) continue
      const at = slotsAt + i
      const word = Atomics.load(words, at)
      if (word === 0) {
        this.freeSlot = at
        return
      }
      if (word === SEALED) return
      if (this.tryWord(key, at)) return
    }
  }

  /** Byte order of two records' keys. */
  compareRecords(a: number, b: number): number {
    const { words, bytes } = this
    const aLength = keyBytesOf(recordHeader(words, a))
    const bLength = keyBytesOf(recordHeader(words, b))
    return compareBytes(bytes, recordKeyAt(a), aLength, recordKeyAt(b), bLength)
  }

  /** Byte order of the key against a record's. */
  compareRecord(key: KeyBuffer, record: number): number {
    return key.compare(this.bytes, recordKeyAt(record), keyBytesOf(recordHeader(this.words, record)))
  }
}
