/**
 * Chains of versions: what a record replaced stays behind it for as long as a snapshot may need it.
 *
 * A head is what an entry or slot word leads to; behind it stand older versions, by PREV. A head is stamped before
 * anything replaces it, so only a head may be without a stamp, and stamps grow from the tail to the head. A version is
 * needed if some live snapshot is at its stamp or later and before the stamp of the next newer version (or the death).
 *
 *   overwrite   new record with PREV = the old head; CAS of the word; then the stamp. While the clock says that no
 *               snapshot is live, stamp and NOPREV are set by one CAS, and the old one is unlinked by whose CAS it was.
 *   delete      CAS of the word to the same record with EMPTIED, then the death into its PREV; the word loses the record
 *               when nobody needs it. If something stands behind it, a tombstone is put in front of it instead.
 *   cut         CAS of PREV to 0: nothing behind is needed. The winner marks and unlinks what stood there, one by one.
 *   splice      a version in the middle that nobody needs: its PREV is HELD, then the PREV before it is CASed past it.
 *
 * Why nobody who walks a chain meets recycled memory. Everyone is pinned. Claim: each record that he meets was not yet
 * unlinked at some moment of his pin. The head was not: he found its word leading to it. Let it hold for X, and let him
 * load PREV of X, or rather find no NOPREV in its VERSION first: NOPREV comes with the stamp or never. If Y stood there
 * already at the moment in question, it was as little unlinked as X. Otherwise it was put there later, by a CAS of PREV
 * of X, and is unlinked later still: what a splice puts there stood behind, and what a mover puts there is new. So Y is
 * unlinked within the pin at the earliest, or before it never; and its segment waits for two epochs. This holds also for
 * readers whose snapshot has been ended.
 *
 * HELD is Harris's mark (2001): after it PREV of a record does not change, so what a splice or a move has read there stays
 * true. It never goes away; a record that is HELD and neither moved nor spliced out (whoever held it has died, or has
 * lost to an overwrite) is replaced by a copy when it stands in the way (relocation.ts). Unlike a mark it does not say
 * that the record is to go: whether a version is needed is looked at anew.
 *
 * Thread safety: one Versions belongs to one participant, who is pinned. Progress: lock-free; a CAS that fails has lost
 * to a change of the same chain. Nothing here allocates. Death: after the CAS of a word, a head without a stamp, which
 * whoever meets it stamps; after a cut, versions that nothing leads to, which the cleaner finds; kept versions wait for
 * the next overwrite, for the cleaner or for tidy.ts.
 */
import { KIND_EXTENT_RECORD, kindOf } from '../log/block.ts'
import { EMPTIED, FRAGMENT_MASK } from '../pagecache/fragment.ts'
import { COUNTER } from '../reclaim/participant.ts'
import type { Clock } from './clock.ts'
import type { TreeContext } from './context.ts'
import { ABORTED_BATCH, INSTALLING, indexOfPending, isCommitted, isPendingPrev, stampOfStatus } from './descriptor.ts'
import { RECORD_PREV, RECORD_VERSION, TOMBSTONE, extentListAt, recordHeader, weightOf } from './record.ts'
import { unlinkKnownRecord, unlinkRecord } from './record-writer.ts'
import type { SnapshotTable } from './snapshot-table.ts'
import { ABORTED, ANCIENT, DEATH, HELD, NOPREV, STAMPED, STAMP_MASK, previousOf } from './stamp.ts'

export class Versions {
  /** After `current` or `at` gave 0: whether that is because nothing more stands in the tree, not even a deletion. */
  unknown = false
  private readonly context: TreeContext
  private readonly words: Int32Array
  private readonly clock: Clock
  private readonly table: SnapshotTable

  constructor(context: TreeContext, clock: Clock, table: SnapshotTable) {
    this.context = context
    this.words = context.arena.words
    this.clock = clock
    this.table = table
  }

  /** VERSION of a record, stamped now if nobody has done it yet. */
  stamp(record: number): number {
    const version = Atomics.load(this.words, record + RECORD_VERSION)
    if (version !== 0) return version
    const stamped = this.clock.version()
    const found = Atomics.compareExchange(this.words, record + RECORD_VERSION, 0, stamped)
    return found === 0 ? stamped : found
  }

  isTombstone(record: number): boolean {
    const header = recordHeader(this.words, record)
    return kindOf(header) === KIND_EXTENT_RECORD && this.words[extentListAt(record, header)] === TOMBSTONE
  }

  /** Whether nothing stands behind a record that has this VERSION. */
  isVoid(record: number, version: number): boolean {
    return (version & NOPREV) !== 0 || previousOf(Atomics.load(this.words, record + RECORD_PREV)) === 0
  }

  /** The version behind a record that has this VERSION, 0 if there is none. */
  behind(record: number, version: number): number {
    if (version >= STAMPED && (version & NOPREV) !== 0) return 0
    if (version < 0) return this.replacedBy(record, -version) & FRAGMENT_MASK
    return previousOf(Atomics.load(this.words, record + RECORD_PREV))
  }

  /** Stamps the death of a record whose word says EMPTIED. @returns the stamp */
  stampDeath(record: number): number {
    const at = record + RECORD_PREV
    for (;;) {
      const prev = Atomics.load(this.words, at)
      if (prev < 0) return prev & STAMP_MASK
      Atomics.compareExchange(this.words, at, prev, DEATH | this.clock.stampOf(this.clock.load()))
    }
  }

  /** Sees to it that absence that was found in a word that leads to a record stays true for snapshots to come. */
  private confirmAbsence(head: number): void {
    if (this.isTombstone(head)) this.stamp(head)
    else this.stampDeath(head)
  }

  /**
   * What a word of a leaf holds now.
   * @returns the record of the key's value, or 0 if the key is absent
   */
  current(word: number): number {
    const head = word & FRAGMENT_MASK
    const version = this.stamp(head)
    this.unknown = false
    if (version < 0) return this.currentOf(head, -version)
    if (version === ABORTED) return this.behindAborted(head)
    if ((word & EMPTIED) === 0) return head
    this.confirmAbsence(head)
    return 0
  }

  /** As `current`, for a head of a batch that is not finalised. */
  private currentOf(head: number, batch: number): number {
    // Before the status: once it is committed and finalised, PREV leads to what snapshots need, not to what was there.
    const prev = Atomics.load(this.words, head + RECORD_PREV)
    if (isCommitted(this.context.batches.decide(batch))) return this.isTombstone(head) ? 0 : head
    if (!isPendingPrev(prev)) return this.behindAborted(previousOf(prev))
    const word = this.agreedOn(prev, batch)
    return word === 0 ? this.nothing() : this.current(word)
  }

  /**
   * What a record of a batch that is not finalised has replaced, or will have: a leaf's word, or 0; once PREV has it,
   * without EMPTIED. The record is linked, so that is agreed on; PREV gets it when the batch has been decided.
   */
  private replacedBy(record: number, batch: number): number {
    const prev = Atomics.load(this.words, record + RECORD_PREV)
    return isPendingPrev(prev) ? this.agreedOn(prev, batch) : previousOf(prev)
  }

  /** What a linked record is to replace by its batch's descriptor: a leaf's word, or 0. */
  private agreedOn(pending: number, batch: number): number {
    const agreed = Atomics.load(this.words, this.context.batches.operationAt(batch, indexOfPending(pending)) + 1)
    return agreed > 0 ? agreed : 0
  }

  /** Sees to it that a head is stamped, and its death if it has one, before something is installed over it. */
  confirm(word: number): void {
    const head = word & FRAGMENT_MASK
    if (this.stamp(head) !== ABORTED && (word & EMPTIED) !== 0) this.confirmAbsence(head)
  }

  /**
   * Gives a record of a decided batch its PREV and its VERSION. Idempotent; whose CAS it is counts, and lets go of what
   * nobody needs.
   * @param next what leads to the record, and
   * @param agreed what it was to replace, see descriptor.ts
   * @param quiet whether no snapshot was live at some moment after the decision
   */
  finalise(batch: number, next: number, agreed: number, status: number, quiet: boolean): void {
    const { words } = this
    const record = next & FRAGMENT_MASK
    const isTombstone = (next & EMPTIED) !== 0
    const old = agreed > 0 ? agreed & FRAGMENT_MASK : 0
    const prev = Atomics.load(words, record + RECORD_PREV)
    if (isPendingPrev(prev)) Atomics.compareExchange(words, record + RECORD_PREV, prev, old)
    const at = record + RECORD_VERSION
    if (status === ABORTED_BATCH) {
      if (Atomics.compareExchange(words, at, -batch, ABORTED) !== -batch) return
      // What stands behind it is counted until the record that was in front of it is gone: then it goes, or is restored.
      if (isTombstone) this.countKept(record)
      if (old !== 0 && (agreed & EMPTIED) === 0) this.countKept(old)
      this.skipAborted(record)
      return
    }
    // Before the CAS: afterwards others may let go of what was replaced.
    const oldVersion = old === 0 ? 0 : this.stamp(old)
    const gone = (agreed & EMPTIED) !== 0
    const was = oldVersion === ABORTED ? this.behindAborted(old) !== 0 : old !== 0 && !gone
    const version = STAMPED | stampOfStatus(status) | (quiet ? NOPREV : 0)
    if (Atomics.compareExchange(words, at, -batch, version) !== -batch) return
    if (was === isTombstone) this.context.me.count(was ? COUNTER.deletes : COUNTER.inserts, 1)
    if (isTombstone) this.countKept(record)
    if (old === 0) return
    if (quiet) this.letGo(old, oldVersion, gone)
    else {
      if (!gone) this.countKept(old)
      this.trim(record, version)
    }
  }

  /** Takes aborted records out from behind an aborted one: else those that never have luck would pile up on a key. */
  private skipAborted(head: number): void {
    const { words } = this
    const at = head + RECORD_PREV
    for (;;) {
      const prev = Atomics.load(words, at)
      const next = previousOf(prev)
      if (next === 0 || (prev & HELD) !== 0 || Atomics.load(words, next + RECORD_VERSION) !== ABORTED) return
      if (Atomics.compareExchange(words, at, prev, previousOf(this.hold(next))) === prev) this.drop(next)
    }
  }

  /** The first record behind an aborted one that was not aborted, or 0; none on the way to it changes its PREV any more. */
  holdAborted(head: number): number {
    let record = head
    while (record !== 0 && this.stamp(record) === ABORTED) record = previousOf(this.hold(record))
    return record
  }

  /** Unlinks an aborted head whose word has been given back to `restored`, what `holdAborted` gave, or a copy of it. */
  dropAborted(head: number, restored: number, isGone: boolean): void {
    for (let record = head; record !== restored;) {
      const next = previousOf(Atomics.load(this.words, record + RECORD_PREV))
      if (record !== head || this.isTombstone(record)) this.drop(record)
      else unlinkRecord(this.context, record)
      record = next
    }
    if (restored !== 0 && !isGone) this.context.me.count(COUNTER.unkeptWords, weightOf(this.words, restored))
  }

  /** What stands behind a record that was aborted, or 0 if its key was absent then. */
  private behindAborted(head: number): number {
    for (let record = head; record !== 0;) {
      const version = this.stamp(record)
      if (version !== ABORTED) {
        const dead = Atomics.load(this.words, record + RECORD_PREV) < 0
        return dead || this.isTombstone(record) ? 0 : record
      }
      record = this.behind(record, version)
    }
    return this.nothing()
  }

  private nothing(): number {
    this.unknown = true
    return 0
  }

  /**
   * What a word of a leaf held for a snapshot.
   * @returns the record, or 0 if the key was absent
   */
  at(word: number, ts: number): number {
    const { words, clock } = this
    this.unknown = false
    for (let record = word & FRAGMENT_MASK; record !== 0;) {
      const version = this.stamp(record)
      if (version < 0) {
        if (this.isCommittedBy(-version, ts)) return this.isTombstone(record) ? 0 : record
        const replaced = this.replacedBy(record, -version)
        return replaced === 0 ? this.nothing() : this.at(replaced, ts)
      }
      if (version >= STAMPED && ((version & ANCIENT) !== 0 || !clock.precedes(ts, version & STAMP_MASK))) {
        if (this.isTombstone(record)) return 0
        if ((word & FRAGMENT_MASK) === record && (word & EMPTIED) !== 0) this.stampDeath(record)
        const prev = Atomics.load(words, record + RECORD_PREV)
        return prev < 0 && !clock.precedes(ts, prev & STAMP_MASK) ? 0 : record
      }
      record = this.behind(record, version)
    }
    return this.nothing()
  }

  /** Whether a batch has taken effect for a snapshot. One that is still to be decided, and comes later, is left alone. */
  private isCommittedBy(batch: number, ts: number): boolean {
    const { batches } = this.context
    const status = batches.time(batch)
    if (status === INSTALLING || status === ABORTED_BATCH) return false
    return !this.clock.precedes(ts, stampOfStatus(status)) && isCommitted(batches.decide(batch))
  }

  /** Counts what stands behind a head, or says that its key is absent. */
  countKept(record: number): void {
    this.context.me.count(COUNTER.keptWords, weightOf(this.words, record))
  }

  /** Unlinks a version that was counted as kept. Called once for each, by whose CAS it was; the cleaner may be faster. */
  private drop(record: number): void {
    this.context.me.count(COUNTER.unkeptWords, weightOf(this.words, record))
    unlinkRecord(this.context, record)
  }

  /** Makes PREV of a record immutable. @returns what it is then, without HELD unless there was a death before */
  hold(record: number): number {
    const at = record + RECORD_PREV
    for (;;) {
      const prev = Atomics.load(this.words, at)
      if ((prev & HELD) !== 0) return prev & ~HELD
      if (Atomics.compareExchange(this.words, at, prev, prev | HELD) === prev) return prev
    }
  }

  /** Unlinks a version that nothing leads to any more, and all behind it. */
  private dropAll(first: number): void {
    for (let record = first; record !== 0;) {
      const version = Atomics.load(this.words, record + RECORD_VERSION)
      const next = this.behind(record, version) === 0 ? 0 : previousOf(this.hold(record))
      this.drop(record)
      record = next
    }
  }

  /**
   * After an insert or an overwrite: stamps the new head, and lets go of what nobody needs.
   * @param old what it replaced, with its VERSION and its header; 0 if nothing was there
   * @param gone whether its word said EMPTIED: it has been counted as kept then
   */
  finishPut(head: number, old: number, oldVersion: number, header: number, gone: boolean): void {
    const { words, clock } = this
    const now = clock.load()
    if (clock.isQuiet(now)) {
      const version = STAMPED | NOPREV | clock.stampOf(now)
      if (Atomics.compareExchange(words, head + RECORD_VERSION, 0, version) === 0) {
        if (old === 0) return
        if (gone || (oldVersion & NOPREV) === 0) this.letGo(old, oldVersion, gone)
        else unlinkKnownRecord(this.context, old, header)
        return
      }
    }
    const version = this.stamp(head)
    if (old === 0) return
    if (!gone) this.countKept(old)
    this.trim(head, version)
  }

  private letGo(old: number, version: number, gone: boolean): void {
    const next = this.behind(old, version) === 0 ? 0 : previousOf(this.hold(old))
    if (next !== 0) this.dropAll(next)
    if (gone) this.drop(old)
    else unlinkRecord(this.context, old)
  }

  /**
   * After the CAS that marked a head as deleted: stamps the death, and takes the record out if nobody needs it.
   * @param at its word
   * @param header its header, loaded since the caller was pinned
   */
  finishDelete(at: number, record: number, header: number): void {
    const { words, clock } = this
    const prev = Atomics.load(words, record + RECORD_PREV)
    const now = clock.load()
    const mine =
      prev >= 0 &&
      Atomics.compareExchange(words, record + RECORD_PREV, prev, DEATH | clock.stampOf(now)) === prev &&
      clock.isQuiet(now)
    if (mine || this.isGone(record)) {
      if (Atomics.compareExchange(words, at, record | EMPTIED, EMPTIED) === (record | EMPTIED)) {
        unlinkKnownRecord(this.context, record, header)
        return
      }
    }
    this.countKept(record)
  }

  /** After a tombstone was put in front of `old`: stamps it, and takes it away again if nobody needs what is behind. */
  finishTombstone(at: number, tombstone: number, old: number, gone: boolean): void {
    const version = this.stamp(tombstone)
    if (!gone) this.countKept(old)
    this.countKept(tombstone)
    if (this.trim(tombstone, version)) this.release(at, tombstone | EMPTIED)
  }

  /** Whether nobody needs the record of a word that says EMPTIED. */
  isGone(record: number): boolean {
    const version = this.stamp(record)
    if (version < STAMPED) return false
    const { table, context } = this
    if (this.isTombstone(record)) return this.trim(record, version) && context.residence.mayForget(version)
    const death = this.stampDeath(record)
    if (!table.collect() || !context.residence.mayForget(STAMPED | death)) return false
    return (version & ANCIENT) !== 0 ? !table.anyBefore(death) : !table.anyWithin(version & STAMP_MASK, death)
  }

  /** Takes the record out of a word that says EMPTIED, if nobody needs it. @returns whether it is out */
  release(at: number, word: number): boolean {
    const record = word & FRAGMENT_MASK
    if (!this.isGone(record) || word < 0) return false
    if (Atomics.compareExchange(this.words, at, word, EMPTIED) !== word) return false
    this.drop(record)
    return true
  }

  /** Unlinks a deleted record that a new base was made without. */
  forget(record: number): void {
    this.drop(record)
  }

  /**
   * Drops versions behind a stamped head that no live snapshot needs.
   * @returns whether nothing is left behind it
   */
  trim(head: number, version: number): boolean {
    const { words, table } = this
    if (version < STAMPED) return false
    if (this.behind(head, version) === 0) return true
    if (!table.collect()) return false
    let newer = version
    for (let record = head; ;) {
      const at = record + RECORD_PREV
      const prev = Atomics.load(words, at)
      const next = previousOf(prev)
      if (next === 0) break
      const held = (prev & HELD) !== 0
      if ((newer & ANCIENT) !== 0 || !table.anyBefore(newer & STAMP_MASK)) {
        if (held) return false
        if (Atomics.compareExchange(words, at, prev, 0) !== prev) continue
        this.dropAll(next)
        break
      }
      const older = Atomics.load(words, next + RECORD_VERSION)
      // What stands behind it is what its key held: for whoever has found it as a head it must stay so.
      if (held && older === ABORTED) break
      if (held || this.isNeeded(next, older, newer & STAMP_MASK)) {
        if (older >= STAMPED) newer = older
        if ((older & NOPREV) !== 0) break
        record = next
        continue
      }
      const beyond = this.behind(next, older) === 0 ? 0 : previousOf(this.hold(next))
      if (Atomics.compareExchange(words, at, prev, beyond) === prev) this.drop(next)
    }
    return this.behind(head, version) === 0
  }

  /** Whether a snapshot that was collected needs a version that stands behind one with the stamp `newer`. */
  private isNeeded(record: number, version: number, newer: number): boolean {
    if (version < STAMPED) return false
    const prev = Atomics.load(this.words, record + RECORD_PREV)
    const end = prev < 0 ? prev & STAMP_MASK : newer
    return (version & ANCIENT) !== 0 ? this.table.anyBefore(end) : this.table.anyWithin(version & STAMP_MASK, end)
  }

  /** Whether PREV of a record does not change any more. */
  isHeld(record: number): boolean {
    return (Atomics.load(this.words, record + RECORD_PREV) & HELD) !== 0
  }

  /**
   * Marks a version as older than every snapshot, if its stamp is before `horizon`, which no snapshot is, and the sweep
   * has not been outrun. If it is HELD then, a mover may have read the old stamp: it must be replaced by a copy.
   */
  age(record: number, horizon: number): void {
    for (;;) {
      const version = this.stamp(record)
      if (version < STAMPED || (version & ANCIENT) !== 0) return
      if (!this.clock.precedes(version & STAMP_MASK, horizon) || this.table.isOutrun()) return
      const aged = STAMPED | ANCIENT | (version & NOPREV)
      if (Atomics.compareExchange(this.words, record + RECORD_VERSION, version, aged) === version) return
    }
  }
}
