/**
 * Finds beforehand where records belong: the cleaner's next ones, or those of a batch. A random leaf misses the cache in
 * several lines; those of a group of leaves are fetched side by side here, and each record then needs no descent of its own.
 *
 * What is remembered is a hint, checked before its use: an entry word that holds the block's address and is not frozen
 * is current, whichever page it was found in, since a page's words are frozen before the page is replaced. Where another
 * record of the same key is looked for, the table is asked whether the page still is one, and then the keys are compared.
 * Thread safety: private; the hints are used in the critical region in which they were made.
 */
import { KIND_EXTENT_RECORD, KIND_RECORD, keyBytesOf, kindOf } from '../log/block.ts'
import type { Approach as Approaching } from '../log/cleaner.ts'
import { BASE_BODY, BASE_SHAPE, countOf } from '../pagecache/base.ts'
import { ADDRESS_MASK, type PageTable } from '../pagecache/page-table.ts'
import type { TreeContext } from './context.ts'
import { FRAGMENT_MASK } from '../pagecache/fragment.ts'
import { KeyBuffer, RECORD_KEY, equalKeys, headAt } from './key.ts'
import { childrenAt, headsAt, pageLevel, prefixBytes } from './page.ts'
import { recordHeader, recordKeyAt } from './record.ts'
import type { Search } from './search.ts'

const MOST = 64

export class Approach {
  private readonly words: Int32Array
  private readonly bytes: Uint8Array
  private readonly search: Search
  private readonly table: PageTable
  private readonly key = new KeyBuffer()
  private readonly blocks = new Int32Array(MOST)
  private readonly ids = new Int32Array(MOST)
  private readonly bases = new Int32Array(MOST)
  private readonly keyBytes = new Int32Array(MOST)
  private readonly entries = new Int32Array(MOST)
  /** What the entries lead to. */
  private readonly found = new Int32Array(MOST)
  /** Of each search: the page's first head, what is left of the heads, the head to find. */
  private readonly firsts = new Int32Array(MOST)
  private readonly lows = new Int32Array(MOST)
  private readonly highs = new Int32Array(MOST)
  private readonly heads = new Int32Array(MOST)
  private count = 0
  private next = 0
  /** Keeps the loads that only fetch lines from being optimised away. */
  private fetched = 0

  constructor(context: TreeContext, search: Search) {
    this.words = context.arena.words
    this.bytes = context.arena.bytes
    this.search = search
    this.table = context.table
  }

  /** See the cleaner's Approach. */
  readonly begin: Approaching = (blocks, count) => {
    this.descend(blocks, count)
    this.fetchPages()
    this.findEntries()
  }

  /** Finds the leaf of each record without touching it. Inner pages are mostly cached. */
  private descend(blocks: Int32Array, count: number): void {
    const { words, search, key, table } = this
    this.count = 0
    this.next = 0
    for (let i = 0; i < count && this.count < MOST; i++) {
      const block = blocks[i]
      const header = Atomics.load(words, block)
      const kind = kindOf(header)
      if (kind !== KIND_RECORD && kind !== KIND_EXTENT_RECORD) continue
      key.copyRecord(words, block, keyBytesOf(header))
      search.descend(key, 1, false)
      const { base } = search
      if (pageLevel(words, base) !== 1) continue
      const id = words[childrenAt(words, base) + search.childIndex(key, base, false)]
      const word = table.load(id)
      if (word <= 0) continue
      const at = this.count++
      this.ids[at] = id
      this.blocks[at] = block
      this.keyBytes[at] = keyBytesOf(header)
      this.bases[at] = word & ADDRESS_MASK
    }
  }

  /** Touches all pages first, so that their lines are fetched side by side. */
  private fetchPages(): void {
    const { words, bytes, bases, blocks, firsts, lows, highs, heads } = this
    let sum = 0
    for (let i = 0; i < this.count; i++) sum += words[bases[i] + BASE_BODY]
    this.fetched += sum
    for (let i = 0; i < this.count; i++) {
      firsts[i] = headsAt(words, bases[i])
      lows[i] = 0
      highs[i] = countOf(words[bases[i] + BASE_SHAPE])
      heads[i] = headAt(bytes, recordKeyAt(blocks[i]), this.keyBytes[i], prefixBytes(words, bases[i]))
    }
  }

  /** Finds the entry of each key, if it has one, by its head alone: all searches a step at a time, for the same end. */
  private findEntries(): void {
    const { words, bases, entries, found, firsts, lows, highs, heads } = this
    for (let left = this.count; left > 0;) {
      left = 0
      for (let i = 0; i < this.count; i++) {
        const low = lows[i]
        const high = highs[i]
        if (low === high) continue
        const middle = (low + high) >>> 1
        // Without a branch, which would be foretold wrongly every other time.
        const isLess = -Number(words[firsts[i] + middle] < heads[i])
        lows[i] = low + ((middle + 1 - low) & isLess)
        highs[i] = middle + ((high - middle) & isLess)
        left++
      }
    }
    for (let i = 0; i < this.count; i++) {
      const count = countOf(words[bases[i] + BASE_SHAPE])
      entries[i] = lows[i] < count ? firsts[i] + count + lows[i] : 0
      found[i] = entries[i] === 0 ? 0 : Atomics.load(words, entries[i]) & FRAGMENT_MASK
    }
  }

  /** Has the records fetched that stand where those of the group belong. */
  fetchRecords(): void {
    const { words, found } = this
    let sum = 0
    // Nothing but plain loads, of what is immutable: so many of them are under way at a time.
    for (let i = 0; i < this.count; i++) if (found[i] !== 0) sum += words[found[i] + RECORD_KEY]
    this.fetched += sum
  }

  /**
   * Finds the key of one of the group's records, in the leaf found for it if that still holds it.
   * @param key takes the key, unless it is found at once
   */
  locate(record: number, key: KeyBuffer): void {
    const { search, words } = this
    let at = -1
    while (at < 0 && this.next < this.count) if (this.blocks[this.next++] === record) at = this.next - 1
    if (at >= 0 && this.isAt(at)) return
    key.copyRecord(words, record, keyBytesOf(recordHeader(words, record)))
    if (at < 0 || !search.locateIn(key, this.ids[at], this.bases[at])) search.locate(key)
  }

  /** Whether the entry found leads to the key of a record of the group: if the page is still one, so it holds the key. */
  private isAt(i: number): boolean {
    const { words, search, entries } = this
    const at = entries[i]
    if (at === 0 || this.table.load(this.ids[i]) !== this.bases[i]) return false
    const word = Atomics.load(words, at)
    const found = word & FRAGMENT_MASK
    if (found === 0) return false
    const header = recordHeader(words, found)
    const length = this.keyBytes[i]
    if (keyBytesOf(header) !== length) return false
    if (!equalKeys(words, found + RECORD_KEY, words, this.blocks[i] + RECORD_KEY, length)) return false
    search.setFound(this.ids[i], this.bases[i], at, word, header)
    return true
  }

  /** The word that leads to a record of the group, if the hint still holds; else 0. */
  entryOf(record: number): number {
    while (this.next < this.count) {
      const i = this.next++
      if (this.blocks[i] !== record) continue
      const entry = this.entries[i]
      return entry !== 0 && Atomics.load(this.words, entry) === record ? entry : 0
    }
    return 0
  }
}
