/**
 * Whether what a transaction has read still holds, at its instant.
 *
 * Everything was as at the transaction's snapshot when that was taken; if it still is now, after the instant, then it was
 * so at the instant (Kung and Robinson 1981; Fraser 2004). A key is as it was if its newest decided version, or its death,
 * has a stamp that is not after the snapshot's; what a live snapshot may need is not let go, so no death can be missed.
 *
 * A record of another batch is met: if that has no instant yet, or a later one, it comes after this transaction, and is
 * looked past. If its instant is earlier, it is brought to a decision first. Instants are compared by their stamps, and
 * those of the same stamp by the descriptors' addresses, of which the smaller one aborts the other: with equal stamps it
 * cannot be told which was first. Instants fall from one such help to the next, so helpers never go round in circles.
 *
 * Thread safety: any number of threads may validate the same transaction; the first CAS of its status decides. Reentrant:
 * helping another transaction validates that one. Needs no room. Progress: lock-free.
 */
import { keyBytesOf } from '../log/block.ts'
import { BASE_SHAPE, countOf, slotsOf } from '../pagecache/base.ts'
import { EMPTIED, FRAGMENT_MASK, SEALED } from '../pagecache/fragment.ts'
import type { Batches } from './batches.ts'
import type { TreeContext } from './context.ts'
import {
  ABORTED_BATCH,
  BATCH_ISOLATION,
  BATCH_OPERATIONS,
  BATCH_READS,
  BATCH_SLOT,
  BATCH_SLOT_STATE,
  BATCH_STATUS,
  BATCH_TS,
  INSTALLING,
  ISOLATION_NONE,
  ISOLATION_SNAPSHOT,
  LIST_COUNT,
  LIST_ITEMS,
  LIST_NEXT,
  OPERATION_WORDS,
  READ_HAS_HIGH,
  READ_HAS_LOW,
  READ_HEAD_WORDS,
  READ_HIGH_INCLUSIVE,
  READ_LOW_INCLUSIVE,
  READ_RANGE,
  indexOfPending,
  isCommitted,
  isDecidingAt,
  isPendingPrev,
  stampOfStatus,
} from './descriptor.ts'
import { KeyBuffer, compareBytes } from './key.ts'
import { NO_FENCE, headsAt, highAt, highBytes } from './page.ts'
import { RECORD_PREV, recordHeader, recordKeyAt } from './record.ts'
import { Search } from './search.ts'
import { ABORTED, ANCIENT, STAMP_MASK } from './stamp.ts'

const HOLDS = 1
const BROKEN = 0
/** Another transaction was helped: to be looked at once more. */
const AGAIN = -1

/** The transaction that is validated. */
interface Subject {
  readonly batch: number
  readonly ts: number
  readonly stamp: number
}

export class Validation {
  private readonly context: TreeContext
  private readonly words: Int32Array
  private readonly bytes: Uint8Array
  private readonly batches: Batches
  private readonly search: Search
  private readonly key = new KeyBuffer()

  constructor(context: TreeContext, batches: Batches) {
    this.context = context
    this.words = context.arena.words
    this.bytes = context.arena.bytes
    this.batches = batches
    this.search = new Search(context.arena)
  }

  /** Whether a batch with the instant `stamp` may be committed. */
  holds(batch: number, stamp: number): boolean {
    const { words, context } = this
    const isolation = words[batch + BATCH_ISOLATION]
    if (isolation === ISOLATION_NONE) return true
    const subject = { batch, ts: words[batch + BATCH_TS], stamp }
    const holds = isolation === ISOLATION_SNAPSHOT ? this.writesHold(subject) : this.readsHold(subject)
    // An ended snapshot may have lost a death that it was broken by. While it is live, the answer was right.
    return holds && context.snapshots.state(words[batch + BATCH_SLOT]) === words[batch + BATCH_SLOT_STATE]
  }

  /** First committer wins: what its records replace must be of its snapshot. */
  private writesHold(subject: Subject): boolean {
    const { words } = this
    for (let list = words[subject.batch + BATCH_OPERATIONS]; list !== 0; list = words[list + LIST_NEXT]) {
      const end = list + LIST_ITEMS + words[list + LIST_COUNT] * OPERATION_WORDS
      for (let at = list + LIST_ITEMS; at < end; at += OPERATION_WORDS) {
        if (this.valueHolds(subject, Atomics.load(words, at + 1)) === BROKEN) return false
      }
    }
    return true
  }

  private readsHold(subject: Subject): boolean {
    const { words } = this
    for (let list = words[subject.batch + BATCH_READS]; list !== 0; list = words[list + LIST_NEXT]) {
      const end = list + LIST_ITEMS + words[list + LIST_COUNT]
      for (let at = list + LIST_ITEMS; at < end;) {
        const low = words[at + 1]
        const high = words[at + 2]
        const isRange = (words[at] & READ_RANGE) !== 0
        if (isRange ? !this.rangeHolds(subject, at, low, high) : !this.keyHolds(subject, at, low)) return false
        at += READ_HEAD_WORDS + ((low + 3) >>> 2) + ((high + 3) >>> 2)
      }
    }
    return true
  }

  private keyHolds(subject: Subject, read: number, length: number): boolean {
    const { search, key } = this
    for (;;) {
      key.copyFrom(this.bytes, (read + READ_HEAD_WORDS) * 4, length)
      search.locate(key)
      const outcome = search.record === 0 ? HOLDS : this.wordHolds(subject, search.word)
      if (outcome !== AGAIN) return outcome === HOLDS
    }
  }

  private rangeHolds(subject: Subject, read: number, low: number, high: number): boolean {
    const { words, bytes, search } = this
    const flags = words[read]
    const highFrom = (read + READ_HEAD_WORDS + ((low + 3) >>> 2)) * 4
    // Of its own: helping another transaction comes through here again.
    const from = new KeyBuffer()
    from.copyFrom(bytes, (read + READ_HEAD_WORDS) * 4, (flags & READ_HAS_LOW) !== 0 ? low : 0)
    for (;;) {
      search.descend(from, 0, false)
      const { base } = search
      const outcome = this.leafHolds(subject, base, read, low, high)
      if (outcome === BROKEN) return false
      if (outcome === AGAIN) continue
      const length = highBytes(words, base)
      if (length === NO_FENCE) return true
      if ((flags & READ_HAS_HIGH) !== 0 && compareBytes(bytes, highAt(base), length, highFrom, high) > 0) return true
      from.copyFrom(bytes, highAt(base), length)
    }
  }

  /** Looks at everything of a leaf that lies in a range, in whatever order. */
  private leafHolds(subject: Subject, base: number, read: number, low: number, high: number): number {
    const { words } = this
    const shape = words[base + BASE_SHAPE]
    const first = headsAt(words, base) + countOf(shape)
    const slots = first + countOf(shape)
    for (let at = first; at < slots + slotsOf(shape); at++) {
      const word = Atomics.load(words, at)
      if (at >= slots && (word === 0 || word === SEALED)) break
      const record = word & FRAGMENT_MASK
      if (record === 0 || !this.isWithin(record, read, low, high)) continue
      const outcome = this.wordHolds(subject, word)
      if (outcome !== HOLDS) return outcome
    }
    return HOLDS
  }

  private isWithin(record: number, read: number, low: number, high: number): boolean {
    const { words, bytes } = this
    const flags = words[read]
    const length = keyBytesOf(recordHeader(words, record))
    const lowFrom = (read + READ_HEAD_WORDS) * 4
    if ((flags & READ_HAS_LOW) !== 0) {
      const order = compareBytes(bytes, recordKeyAt(record), length, lowFrom, low)
      if (order < 0 || (order === 0 && (flags & READ_LOW_INCLUSIVE) === 0)) return false
    }
    if ((flags & READ_HAS_HIGH) === 0) return true
    const highFrom = lowFrom + ((low + 3) & ~3)
    const order = compareBytes(bytes, recordKeyAt(record), length, highFrom, high)
    return order < 0 || (order === 0 && (flags & READ_HIGH_INCLUSIVE) !== 0)
  }

  /** What a leaf's word says now. */
  private wordHolds(subject: Subject, word: number): number {
    const { words, context } = this
    const record = word & FRAGMENT_MASK
    const prev = Atomics.load(words, record + RECORD_PREV)
    const version = context.versions.stamp(record)
    if (version >= 0) return this.valueHolds(subject, word & ~(1 << 31))
    const other = -version
    // The record is linked, so what it replaces is settled; it is loaded after PREV, which is rewritten before VERSION.
    if (other === subject.batch) {
      // Rewritten: it has been decided by others, and whatever is found here comes too late.
      return isPendingPrev(prev) ? this.valueHolds(subject, this.replacedBy(other, prev)) : HOLDS
    }
    const status = this.batches.time(other)
    if (isCommitted(status)) return context.clock.precedes(subject.ts, stampOfStatus(status)) ? BROKEN : HOLDS
    if (isDecidingAt(status) && this.isEarlier(subject, other, status)) return AGAIN
    if (status === INSTALLING || isDecidingAt(status)) return this.valueHolds(subject, this.replacedBy(other, prev))
    // Aborted: it is given its own end, after which what stands behind it can be looked at.
    this.batches.finish(other)
    return AGAIN
  }

  /** Whether another transaction's instant is earlier; it is decided then. */
  private isEarlier({ batch, stamp }: Subject, other: number, status: number): boolean {
    const { clock } = this.context
    const otherStamp = stampOfStatus(status)
    if (clock.precedes(stamp, otherStamp)) return false
    if (otherStamp === stamp && batch < other) {
      Atomics.compareExchange(this.words, other + BATCH_STATUS, status, ABORTED_BATCH)
    } else this.batches.decide(other)
    return true
  }

  private replacedBy(batch: number, prev: number): number {
    return Atomics.load(this.words, this.batches.operationAt(batch, indexOfPending(prev)) + 1)
  }

  /** Whether a decided word, or what is agreed to be replaced, is of the snapshot. */
  private valueHolds({ ts }: Subject, value: number): number {
    if (value <= 0) return HOLDS
    const { words, context } = this
    const { versions, clock } = context
    let record = value & FRAGMENT_MASK
    let isGone = (value & EMPTIED) !== 0
    while (record !== 0) {
      const version = versions.stamp(record)
      if (version !== ABORTED) {
        if ((version & ANCIENT) === 0 && clock.precedes(ts, version & STAMP_MASK)) return BROKEN
        if (versions.isTombstone(record)) return HOLDS
        if (isGone) versions.stampDeath(record)
        const prev = Atomics.load(words, record + RECORD_PREV)
        return prev < 0 && clock.precedes(ts, prev & STAMP_MASK) ? BROKEN : HOLDS
      }
      isGone = false
      record = versions.behind(record, version)
    }
    return HOLDS
  }
}
