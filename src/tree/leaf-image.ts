/**
 * A leaf's content in private memory: gathered from one or two bases, written out as one or two new ones.
 *
 * Entries stay sorted by key; heads are taken over in runs where the prefix stays, and computed anew where it changes.
 */
import { STREAM_PAGES } from '../log/log.ts'
import { KIND_PAGE, blockHeader, keyBytesOf } from '../log/block.ts'
import {
  BASE_BODY,
  BASE_EXTRA,
  BASE_FENCES,
  BASE_ID,
  BASE_PREAMBLE,
  BASE_RIGHT,
  BASE_SHAPE,
  MAX_COUNT,
  countOf,
  shape,
  slotWords,
  slotsOf,
} from '../pagecache/base.ts'
import { EMPTIED, FRAGMENT_MASK, SEALED } from '../pagecache/fragment.ts'
import type { TreeContext } from './context.ts'
import { type KeyBuffer, commonPrefix, compareBytes, headAt } from './key.ts'
import { NO_FENCE, headsAt, prefixAt, prefixBytes, preambleWords } from './page.ts'
import { recordHeader, recordKeyAt } from './record.ts'
import type { Search } from './search.ts'

/** Longest prefix a page takes out of its heads: bounds the size of a base. */
export const MAX_PREFIX_BYTES = 252

/** Where a fence's bytes are: in the arena or in private memory. */
export interface Fence {
  bytes: Uint8Array
  at: number
  length: number
}

export class LeafImage {
  /** Entries gathered. */
  count = 0
  readonly records: Int32Array = new Int32Array(2 * MAX_COUNT)
  /** EMPTIED for each record that has been deleted and is kept for snapshots, else 0. */
  readonly flags: Int32Array = new Int32Array(2 * MAX_COUNT)
  /** Whether any flag may be set. */
  private anyGone = false
  /** Deleted records that the image was made without; unlinked by whoever gets it installed. */
  private readonly forgotten = new Int32Array(2 * MAX_COUNT)
  private forgottenCount = 0
  private readonly heads = new Int32Array(2 * MAX_COUNT)
  private readonly fragments = new Int32Array(MAX_COUNT)
  private readonly fragmentFlags = new Int32Array(MAX_COUNT)
  private readonly fragmentHeads = new Int32Array(MAX_COUNT)
  private readonly keyLengths = new Int32Array(MAX_COUNT)
  /** Whether all fragments have the page's prefix, so that their heads tell their order among its entries. */
  private shared = true
  /** Length of the prefix that `heads` were taken after, or -1 if they must be computed. */
  private prefix = -1
  /** Whether the last gathered base's pending fragments all came after its entries: the sign of ascending inserts. */
  ascending = false
  private readonly context: TreeContext
  private readonly search: Search
  private readonly words: Int32Array
  private readonly bytes: Uint8Array

  constructor(context: TreeContext, search: Search) {
    this.context = context
    this.search = search
    this.words = context.arena.words
    this.bytes = context.arena.bytes
  }

  clear(): void {
    this.count = 0
    this.prefix = -1
    this.ascending = false
    this.anyGone = false
    this.forgottenCount = 0
  }

  /**
   * Adds a base's content, in order. The base's range lies right of what was gathered before. O(n + s log n).
   * @param frozen its words, if the caller has just frozen it
   */
  gather(base: number, frozen: Int32Array | null): void {
    const { words, records } = this
    const shapeWord = words[base + BASE_SHAPE]
    const entries = countOf(shapeWord)
    const heads = headsAt(words, base)
    const pending = this.collectFragments(base, heads + 2 * entries, slotsOf(shapeWord), frozen, entries)
    // A page that is still growing from few entries gets its prefix anew: the first few say little about the others.
    const keepsPrefix = this.count === 0 && this.shared && entries > 2 * pending
    const first = this.count
    let from = 0
    let lowest = entries
    for (let i = 0; i < pending; i++) {
      const to = this.lowerBound(base, heads, entries, from, i)
      if (i === 0) lowest = to
      this.copyRun(heads, entries, from, to, records.length, frozen)
      this.heads[this.count] = keepsPrefix ? this.fragmentHeads[i] : 0
      this.flags[this.count] = this.fragmentFlags[i]
      records[this.count++] = this.fragments[i]
      from = to
    }
    this.copyRun(heads, entries, from, entries, records.length, frozen)
    this.ascending = pending > 0 && lowest === entries
    this.prefix = keepsPrefix && this.count > first ? prefixBytes(words, base) : -1
  }

  /** Takes no more than the first `most` records at or after a key, or, with `strictly`, after it: not to be written. */
  gatherFrom(base: number, key: KeyBuffer, strictly: boolean, most: number): void {
    const { words, records, search } = this
    const shapeWord = words[base + BASE_SHAPE]
    const entries = countOf(shapeWord)
    const heads = headsAt(words, base)
    const pending = this.collectFragments(base, heads + 2 * entries, slotsOf(shapeWord), null, 0)
    this.clear()
    let next = 0
    while (next < pending && isBefore(search.compareRecord(key, this.fragments[next]), strictly)) next++
    let from = this.entriesBefore(base, key, strictly)
    for (; next < pending && this.count < most; next++) {
      const to = this.lowerBound(base, heads, entries, from, next)
      this.copyRun(heads, entries, from, to, most, null)
      if (this.count < most) {
        this.flags[this.count] = this.fragmentFlags[next]
        records[this.count++] = this.fragments[next]
      }
      from = to
    }
    this.copyRun(heads, entries, from, entries, most, null)
  }

  /** Number of leading entries that a scan from the key passes by; it may count one too few that has no record. */
  private entriesBefore(base: number, key: KeyBuffer, strictly: boolean): number {
    const { words, bytes, search } = this
    const entries = countOf(words[base + BASE_SHAPE])
    const prefix = prefixBytes(words, base)
    const order = prefix === 0 ? 0 : key.comparePrefix(bytes, prefixAt(words, base), prefix)
    if (order !== 0) return order < 0 ? 0 : entries
    const heads = headsAt(words, base)
    const head = key.head(prefix)
    let low = 0
    let high = entries
    while (low < high) {
      const middle = (low + high) >>> 1
      if (words[heads + middle] < head) low = middle + 1
      else high = middle
    }
    for (let i = low; i < entries && words[heads + i] === head; i++) {
      const record = Atomics.load(words, heads + entries + i) & FRAGMENT_MASK
      if (record === 0) continue
      if (!isBefore(search.compareRecord(key, record), strictly)) break
      low = i + 1
    }
    return low
  }

  /**
   * Takes the records of the used slots into `fragments`, sorted by key, with their heads after the page's prefix. All
   * headers are loaded before any key, so that the processor fetches the records side by side.
   */
  private collectFragments(
    base: number,
    slotsAt: number,
    slots: number,
    frozen: Int32Array | null,
    frozenAt: number,
  ): number {
    const { words, bytes, fragments, fragmentFlags, fragmentHeads, keyLengths } = this
    let used = 0
    for (let i = 0; i < slots; i++) {
      const word = frozen === null ? Atomics.load(words, slotsAt + i) : frozen[frozenAt + i]
      if (word === 0 || word === SEALED) break
      const record = word & FRAGMENT_MASK
      if (record === 0) continue
      if ((word & EMPTIED) !== 0) this.anyGone = true
      fragmentFlags[used] = word & EMPTIED
      fragments[used++] = record
    }
    for (let i = 0; i < used; i++) keyLengths[i] = keyBytesOf(recordHeader(words, fragments[i]))
    const prefix = prefixBytes(words, base)
    const at = prefixAt(words, base)
    this.shared = true
    for (let i = 0; i < used; i++) {
      const keyAt = recordKeyAt(fragments[i])
      if (prefix > 0 && commonPrefix(bytes, at, prefix, keyAt, keyLengths[i]) < prefix) this.shared = false
      fragmentHeads[i] = headAt(bytes, keyAt, keyLengths[i], prefix)
    }
    return this.sortFragments(used)
  }

  /** Sorts by insertion. @returns how many different keys there are */
  private sortFragments(used: number): number {
    const { fragments, fragmentFlags, fragmentHeads } = this
    let count = 0
    for (let i = 0; i < used; i++) {
      const record = fragments[i]
      const flag = fragmentFlags[i]
      const head = fragmentHeads[i]
      let at = count
      let order = 1
      while (at > 0 && (order = this.orderOf(at - 1, record, head)) > 0) at--
      if (at > 0 && order === 0) {
        // Deleted in an earlier slot after that was read here, and inserted again since: the page is not frozen.
        fragments[at - 1] = record
        fragmentFlags[at - 1] = flag
        continue
      }
      for (let j = count++; j > at; j--) {
        fragments[j] = fragments[j - 1]
        fragmentFlags[j] = fragmentFlags[j - 1]
        fragmentHeads[j] = fragmentHeads[j - 1]
      }
      fragments[at] = record
      fragmentFlags[at] = flag
      fragmentHeads[at] = head
    }
    return count
  }

  /** Order of the fragment at `index` against a record with this head. */
  private orderOf(index: number, record: number, head: number): number {
    const mine = this.fragmentHeads[index]
    if (this.shared && mine !== head) return mine < head ? -1 : 1
    return this.search.compareRecords(this.fragments[index], record)
  }

  private headOf(record: number, prefix: number): number {
    return headAt(this.bytes, recordKeyAt(record), keyBytesOf(recordHeader(this.words, record)), prefix)
  }

  /** Index of the first entry from `from` on that sorts after a fragment. */
  private lowerBound(base: number, heads: number, entries: number, from: number, fragment: number): number {
    const { words, bytes } = this
    const record = this.fragments[fragment]
    const head = this.fragmentHeads[fragment]
    if (!this.shared) {
      const prefix = prefixBytes(words, base)
      const length = keyBytesOf(recordHeader(words, record))
      const keyAt = recordKeyAt(record)
      const order = compareBytes(bytes, keyAt, Math.min(length, prefix), prefixAt(words, base), prefix)
      if (order !== 0) return order < 0 ? from : entries
    }
    let low = from
    let high = entries
    while (low < high) {
      const middle = (low + high) >>> 1
      if (words[heads + middle] < head) low = middle + 1
      else high = middle
    }
    while (low < entries && words[heads + low] === head) {
      const other = Atomics.load(words, heads + entries + low) & FRAGMENT_MASK
      if (other !== 0 && this.search.compareRecords(other, record) > 0) break
      low++
    }
    return low
  }

  /** Takes the records of entries [from, to), until there are `most` altogether. */
  private copyRun(
    heads: number,
    entries: number,
    from: number,
    to: number,
    most: number,
    frozen: Int32Array | null,
  ): void {
    const { words, records, flags } = this
    let { count } = this
    let gone = 0
    for (let i = from; i < to && count < most; i++) {
      const word = frozen === null ? Atomics.load(words, heads + entries + i) : frozen[i]
      const record = word & FRAGMENT_MASK
      if (record === 0) continue
      records[count] = record
      flags[count] = word & EMPTIED
      gone |= word
      this.heads[count++] = words[heads + i]
    }
    this.count = count
    if ((gone & EMPTIED) !== 0) this.anyGone = true
  }

  /**
   * Leaves out deleted records that nobody needs any more. Whoever gets what is written then installed calls `forget`.
   * The base they were gathered from is frozen: nobody else takes them out of it.
   */
  leaveOut(): void {
    if (!this.anyGone) return
    const { records, flags, heads } = this
    const { versions } = this.context
    let kept = 0
    for (let i = 0; i < this.count; i++) {
      if (flags[i] !== 0 && versions.isGone(records[i])) {
        this.forgotten[this.forgottenCount++] = records[i]
        continue
      }
      records[kept] = records[i]
      flags[kept] = flags[i]
      heads[kept++] = heads[i]
    }
    this.count = kept
    if (kept === 0) this.prefix = -1
  }

  /** Unlinks what was left out of the base that has just been installed. */
  forget(): void {
    for (let i = 0; i < this.forgottenCount; i++) this.context.versions.forget(this.forgotten[i])
    this.forgottenCount = 0
  }

  private prefixOf(from: number, to: number): number {
    if (to - from < 2) return 0
    const { words, bytes, records } = this
    const first = records[from]
    const last = records[to - 1]
    const firstLength = keyBytesOf(recordHeader(words, first))
    const lastLength = keyBytesOf(recordHeader(words, last))
    const common = commonPrefix(bytes, recordKeyAt(first), firstLength, recordKeyAt(last), lastLength)
    return Math.min(common, MAX_PREFIX_BYTES)
  }

  /** Upper bound of the words that `write` needs for `entries` entries between fences of these lengths. */
  wordsNeeded(entries: number, low: number, high: number): number {
    return preambleWords(high, low, MAX_PREFIX_BYTES) + 2 * entries + slotWords(this.context.arena.layout.leafSlots)
  }

  /**
   * Writes entries [from, to) as a new base.
   * @returns its address, complete but not linked, or 0 if the open page segment has no room
   */
  write(id: number, right: number, low: Fence, high: Fence | null, from: number, to: number): number {
    const { context, words } = this
    const { leafSlots } = context.arena.layout
    const whole = from === 0 && to === this.count && this.prefix >= 0
    const prefix = whole ? this.prefix : this.prefixOf(from, to)
    const hasHeads = prefix === this.prefix
    const entries = to - from
    const highLength = high === null ? NO_FENCE : high.length
    const body = preambleWords(highLength, low.length, prefix)
    const size = body + 2 * entries + slotWords(leafSlots)
    const base = context.log.reserve(STREAM_PAGES, size)
    if (base === 0) {
      context.shortage = size
      return 0
    }
    // Private until the CAS of the table word that publishes it: plain stores. The slots are zero already.
    words[base + BASE_ID] = id
    words[base + BASE_SHAPE] = shape(0, leafSlots, entries)
    words[base + BASE_RIGHT] = right
    words[base + BASE_BODY] = (prefix << 16) | body
    words[base + BASE_FENCES] = (low.length << 16) | highLength
    words[base + BASE_EXTRA] = 0
    this.writePreamble(base, low, high, prefix, from)
    const heads = base + body
    for (let i = 0; i < entries; i++) {
      const record = this.records[from + i]
      words[heads + i] = hasHeads ? this.heads[from + i] : this.headOf(record, prefix)
      words[heads + entries + i] = record | this.flags[from + i]
    }
    context.log.complete(base, blockHeader(KIND_PAGE, size, 0, 0, false))
    return base
  }

  private writePreamble(base: number, low: Fence, high: Fence | null, prefix: number, from: number): void {
    let at = (base + BASE_PREAMBLE) * 4
    if (high !== null) at = copyFence(this.bytes, at, high)
    at = copyFence(this.bytes, at, low)
    if (prefix === 0) return
    const source = recordKeyAt(this.records[from])
    for (let i = 0; i < prefix; i++) this.bytes[at + i] = this.bytes[source + i]
  }
}

/** Whether a scan from a key passes a record by, to which the key has this order. */
function isBefore(order: number, strictly: boolean): boolean {
  return order > 0 || (strictly && order === 0)
}

/** Copies a fence into the arena. @returns the byte offset of the next whole word */
export function copyFence(bytes: Uint8Array, at: number, fence: Fence): number {
  for (let i = 0; i < fence.length; i++) bytes[at + i] = fence.bytes[fence.at + i]
  return at + ((fence.length + 3) & ~3)
}
