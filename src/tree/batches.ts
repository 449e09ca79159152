/**
 * Batches and transactions: several records that take effect at one moment, or never.
 *
 * After the multi-word compare-and-swap of Harris, Fraser and Pratt (2002), with the reads of Fraser's transactions
 * (2004). The owner writes all records and a descriptor of them (batch-writer.ts), and then, like everybody who meets one
 * of the records, brings the batch to its end:
 *
 *   install   in the order of the keys, each record takes the place of the head of its key, as one whose VERSION is minus the
 *             descriptor. A head that belongs to another batch has that one finished first; keys are in order, so there
 *             are no cycles. Until all are installed, readers look past them.
 *   decide    CAS to DECIDING, then to DECIDING with the clock: its instant. A transaction is looked at again
 *             (validation.ts). CAS to COMMITTED or ABORTED. Readers help with this; it needs no room.
 *   finalise  each record gets its PREV, then its VERSION: the stamp, or ABORTED, which is looked past for ever. The old
 *             head is never put back, or heads would recur.
 *
 * What a record is to replace is agreed on in the descriptor before it is linked, by CAS. Claim: when the CAS of a leaf's
 * word from h to the record succeeds, h is what the descriptor says, then and afterwards. The owner is pinned from before the
 * first record is linked until the batch is decided, and so is the reaper in its place: what was a head since then is not
 * recycled, so heads do not recur. A head is a record's address with or without EMPTIED, or the first free slot of a base,
 * and each of them goes only once. Whoever changes the agreed value from p to h' has loaded p first, then found h', then seen
 * INSTALLING. So h' came after p as a head; if the record was linked over p, then p was the head after h': it would recur.
 *
 * Where there is a journal, a batch that is installed gets a slot there before it is DECIDING (journal.ts): whoever brings it to
 * its end reserves one and fills it, and the first of them gets it into the descriptor by CAS. When the batch is decided the
 * slot is completed or given up, by all who are there. A reader never needs one: before it has one it is not decided.
 *
 * An owner that finds no room while it installs aborts. A helper may then still be about to link a record: so every leaf
 * that lacks its record is frozen, which makes that CAS fail; whoever looks for the head again sees ABORTED.
 *
 * Thread safety: one Batches belongs to one participant, who is pinned. Progress: lock-free: helpers go through keys in
 * order or through instants in order, and an abort by validation means that another write was committed. Death: INTENT_BATCH
 * names the owner's descriptor; its reaper brings it to its end, or aborts it if there is no room.
 */
import { assert } from '../memory/assert.ts'
import { keyBytesOf } from '../log/block.ts'
import { EMPTIED, FRAGMENT_MASK } from '../pagecache/fragment.ts'
import { Approach } from './approach.ts'
import type { TreeContext } from './context.ts'
import {
  ABORTED_BATCH,
  BATCH_OPERATIONS,
  BATCH_POSITION,
  BATCH_READS,
  BATCH_STATUS,
  COMMITTED_AT,
  DECIDING,
  DECIDING_AT,
  INSTALLING,
  LIST_COUNT,
  LIST_ITEMS,
  LIST_NEXT,
  OPERATION_WORDS,
  isCommitted,
  isDecidingAt,
  stampOfStatus,
} from './descriptor.ts'
import { JOURNAL_SHORTAGE } from './journal.ts'
import { KeyBuffer } from './key.ts'
import { RECORD_VERSION, recordHeader } from './record.ts'
import { unlinkRecord } from './record-writer.ts'
import { Search } from './search.ts'
import { STAMPED } from './stamp.ts'
import { Validation } from './validation.ts'

/** Words of the operations whose lines are fetched side by side. */
const GROUP_WORDS = 16 * OPERATION_WORDS
/** Fewer than these are not worth it. */
const LEAST_FETCHED = 4

/** How the tree does what stands in the way of a batch. False on a shortage. */
export interface Obstacles {
  consolidate(id: number, base: number): boolean
  finishRemoval(base: number): boolean
}

export class Batches {
  private readonly context: TreeContext
  private readonly words: Int32Array
  private readonly search: Search
  private readonly key = new KeyBuffer()
  private readonly validation: Validation
  private readonly approach: Approach
  private readonly group = new Int32Array(GROUP_WORDS / OPERATION_WORDS)
  private readonly obstacles: Obstacles

  constructor(context: TreeContext, obstacles: Obstacles) {
    this.context = context
    this.words = context.arena.words
    this.search = new Search(context.arena)
    this.validation = new Validation(context, this)
    this.approach = new Approach(context, this.search)
    this.obstacles = obstacles
  }

  status(batch: number): number {
    return Atomics.load(this.words, batch + BATCH_STATUS)
  }

  isCommitted(batch: number): boolean {
    return isCommitted(this.status(batch))
  }

  /** Word of a batch's operation: what leads to its record; what that replaces follows. O(number of lists before it) */
  operationAt(batch: number, index: number): number {
    const { words } = this
    let list = words[batch + BATCH_OPERATIONS]
    let left = index
    while (left >= words[list + LIST_COUNT]) {
      left -= words[list + LIST_COUNT]
      list = words[list + LIST_NEXT]
    }
    return list + LIST_ITEMS + left * OPERATION_WORDS
  }

  /** Gives an installed batch its instant. @returns a status that is not DECIDING without a stamp */
  time(batch: number): number {
    const { words, context } = this
    for (;;) {
      const status = this.status(batch)
      if (status !== DECIDING) return status
      const stamp = context.clock.stampOf(context.clock.load())
      Atomics.compareExchange(words, batch + BATCH_STATUS, DECIDING, DECIDING_AT | stamp)
    }
  }

  /** Brings a batch that is installed to a decision. Needs no room. @returns INSTALLING, COMMITTED_AT or ABORTED_BATCH */
  decide(batch: number): number {
    const { words } = this
    for (;;) {
      const status = this.time(batch)
      if (!isDecidingAt(status)) return status
      const holds = this.validation.holds(batch, stampOfStatus(status))
      const outcome = holds ? COMMITTED_AT | stampOfStatus(status) : ABORTED_BATCH
      Atomics.compareExchange(words, batch + BATCH_STATUS, status, outcome)
    }
  }

  /**
   * Brings a batch to its end: installs, decides, finalises.
   * @returns false on a shortage, see the context; it is to be tried again then
   */
  finish(batch: number): boolean {
    const { journal } = this.context
    // In the middle of a transaction's validation, aborted ones are finished: the slot that is held is not theirs then.
    const isHeldBefore = journal !== null && journal.held !== -1
    try {
      return this.tryFinish(batch)
    } finally {
      if (!isHeldBefore) this.letGo(batch)
    }
  }

  private tryFinish(batch: number): boolean {
    if (this.status(batch) === INSTALLING) {
      if (Atomics.load(this.words, batch + BATCH_POSITION) === 0) {
        if (!this.installAll(batch) || !this.record(batch)) return false
      }
      Atomics.compareExchange(this.words, batch + BATCH_STATUS, INSTALLING, DECIDING)
    }
    this.decide(batch)
    this.settleSlot(batch)
    this.finaliseAll(batch)
    return true
  }

  /** Gets a batch that is installed a slot of the journal. @returns false on a shortage */
  private record(batch: number): boolean {
    const { words, context } = this
    const { journal } = context
    if (journal === null || Atomics.load(words, batch + BATCH_POSITION) !== 0) return true
    // Not for one that was aborted: nobody else would settle the slot.
    if (this.status(batch) !== INSTALLING) return true
    const position = journal.reserveBatch(batch)
    if (position < 0) {
      context.shortage = JOURNAL_SHORTAGE
      return false
    }
    if (Atomics.compareExchange(words, batch + BATCH_POSITION, 0, ~position) !== 0) journal.abort()
    return true
  }

  /** Completes the slot of a batch that is decided, or gives it up. */
  private settleSlot(batch: number): void {
    const { journal } = this.context
    if (journal === null) return
    const found = Atomics.load(this.words, batch + BATCH_POSITION)
    if (found === 0) return
    journal.settle(~found, this.isCommitted(batch))
    if (journal.held === ~found) journal.forget()
  }

  /** Parts from the slot that is held if an exception came between: others settle it, if the batch has it. */
  private letGo(batch: number): void {
    const { journal } = this.context
    if (journal === null || journal.held === -1) return
    if (Atomics.load(this.words, batch + BATCH_POSITION) === ~journal.held) journal.forget()
    else journal.abort()
  }

  private installAll(batch: number): boolean {
    const { words } = this
    for (let list = words[batch + BATCH_OPERATIONS]; list !== 0; list = words[list + LIST_NEXT]) {
      const end = list + LIST_ITEMS + words[list + LIST_COUNT] * OPERATION_WORDS
      for (let at = list + LIST_ITEMS; at < end; at += OPERATION_WORDS) {
        if ((at - list - LIST_ITEMS) % GROUP_WORDS === 0) this.fetch(at, Math.min(end, at + GROUP_WORDS))
        if (!this.install(batch, at)) return false
      }
    }
    return true
  }

  /** Has the lines fetched side by side that the next operations will need. */
  private fetch(from: number, end: number): void {
    const { words, group } = this
    let count = 0
    for (let at = from; at < end; at += OPERATION_WORDS) group[count++] = words[at] & FRAGMENT_MASK
    if (count < LEAST_FETCHED) count = 0
    this.approach.begin(group, count)
    this.approach.fetchRecords()
  }

  /** @returns false on a shortage */
  private install(batch: number, operation: number): boolean {
    const { words, search, key } = this
    const next = words[operation]
    const record = next & FRAGMENT_MASK
    for (let tries = 0; ; tries++) {
      // In this order: agreed value, head, status. See the claim above.
      const agreed = Atomics.load(words, operation + 1)
      if (tries === 0) this.approach.locate(record, key)
      else {
        // Finishing another batch has used the buffer.
        key.copyRecord(words, record, keyBytesOf(recordHeader(words, record)))
        search.locate(key)
      }
      if (search.record === record) return true
      const head = this.openHead()
      if (head === SHORT) return false
      if (this.status(batch) !== INSTALLING) return true
      if (head === CHANGED) continue
      const isAgreed = agreed === head || Atomics.compareExchange(words, operation + 1, agreed, head) === agreed
      if (isAgreed && this.link(head, next)) return true
    }
  }

  /**
   * What the key found has as its head, stamped and decided, in a word that may be CASed.
   * @returns the word, minus the free slot if there is none, SHORT, or CHANGED if it has to be found again
   */
  private openHead(): number {
    const { words, context, search, obstacles } = this
    if (search.removed) return obstacles.finishRemoval(search.base) ? CHANGED : SHORT
    if (search.record === 0) {
      if (search.freeSlot !== 0) return -search.freeSlot
      return obstacles.consolidate(search.id, search.base) ? CHANGED : SHORT
    }
    const { word } = search
    const version = Atomics.load(words, search.record + RECORD_VERSION)
    if (version < 0) return this.finishOther(-version)
    if (word < 0) return obstacles.consolidate(search.id, search.base) ? CHANGED : SHORT
    if (version < STAMPED || (word & EMPTIED) !== 0) context.versions.confirm(word)
    return word
  }

  private finishOther(batch: number): number {
    return this.finish(batch) ? CHANGED : SHORT
  }

  private link(head: number, next: number): boolean {
    const { context, search, key } = this
    if (head > 0) return context.cache.overwrite(search.at, head, next)
    return context.cache.link(search.base, -head, next, key.tag)
  }

  /** Gives every record its PREV and VERSION by the decision. Idempotent; needs no room. */
  private finaliseAll(batch: number): void {
    const { words, context } = this
    const { versions } = context
    const status = this.status(batch)
    assert(isCommitted(status) || status === ABORTED_BATCH, 'a batch is finalised before it is decided')
    // Once for all: a snapshot that is taken later sees this batch, and needs nothing that it replaced.
    const quiet = context.clock.isQuiet(context.clock.load())
    for (let list = words[batch + BATCH_OPERATIONS]; list !== 0; list = words[list + LIST_NEXT]) {
      const end = list + LIST_ITEMS + words[list + LIST_COUNT] * OPERATION_WORDS
      for (let at = list + LIST_ITEMS; at < end; at += OPERATION_WORDS) {
        versions.finalise(batch, words[at], Atomics.load(words, at + 1), status, quiet)
      }
    }
  }

  /**
   * Gives up a batch that could not be installed for want of room, unless it has been by others.
   * @returns whether it was given up
   */
  abort(batch: number): boolean {
    const { words } = this
    const found = Atomics.compareExchange(words, batch + BATCH_STATUS, INSTALLING, ABORTED_BATCH)
    if (found !== INSTALLING && found !== ABORTED_BATCH) return false
    for (let list = words[batch + BATCH_OPERATIONS]; list !== 0; list = words[list + LIST_NEXT]) {
      const end = list + LIST_ITEMS + words[list + LIST_COUNT] * OPERATION_WORDS
      for (let at = list + LIST_ITEMS; at < end; at += OPERATION_WORDS) {
        // What was never linked can never be now.
        const record = words[at] & FRAGMENT_MASK
        if (!this.forestall(record)) unlinkRecord(this.context, record)
      }
    }
    this.settleSlot(batch)
    this.finaliseAll(batch)
    return true
  }

  /**
   * Makes every CAS fail that would link the record from now on. The batch is ABORTED: whoever is about to link it found
   * his leaf before, which is the one found here, or has been replaced and is frozen. So once is enough: to freeze what
   * others put in its place would undo the work of every writer of the leaf, for ever.
   * @returns whether it has been linked, and not let go since
   */
  private forestall(record: number): boolean {
    const { words, context, search, key } = this
    key.copyRecord(words, record, keyBytesOf(recordHeader(words, record)))
    search.locate(key)
    if (search.record === record) return true
    context.cache.freeze(search.base)
    search.locate(key)
    // Others may have put newer versions before it already.
    for (let found = search.record; found !== 0;) {
      if (found === record) return true
      found = context.versions.behind(found, Atomics.load(words, found + RECORD_VERSION))
    }
    return false
  }

  /** Lets go of the descriptor of a batch that is finalised. */
  discard(batch: number): void {
    const { words, context } = this
    for (let list = words[batch + BATCH_OPERATIONS]; list !== 0; list = words[list + LIST_NEXT])
      context.log.unlink(list)
    for (let list = words[batch + BATCH_READS]; list !== 0; list = words[list + LIST_NEXT]) context.log.unlink(list)
    context.log.unlink(batch)
  }
}

/** No value of a word that may be CASed: those are positive, or minus an address. */
const SHORT = 0
const CHANGED = 1
