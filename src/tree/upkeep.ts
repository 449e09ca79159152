/**
 * Structural work: noted by an attempt that it stands in the way of, done in regions of its own.
 *
 * Room for it is prepared outside of any region. So nothing inside a region can run out of memory half-way, and unwinding
 * from any point is no different from dying there.
 *
 * Thread safety: one Upkeep belongs to one participant. Progress: lock-free; see tree.ts. Death: what is half done is
 * finished by whoever meets it (leaf-changes.ts, merge.ts); what is only noted is noted again.
 */
import { HeddleError } from '../memory/error.ts'
import { ROOM_ORDINARY, ROOM_PROMISED, STREAM_PAGES } from '../log/log.ts'
import { BASE_EXTRA, BASE_SHAPE, countOf, levelOf } from '../pagecache/base.ts'
import { ADDRESS_MASK, ROOT } from '../pagecache/page-table.ts'
import { INTENT_PAGE, INTENT_PAGE_TWO, type Participant } from '../reclaim/participant.ts'
import type { Scheme } from '../reclaim/scheme.ts'
import type { TreeContext } from './context.ts'
import { InnerChanges } from './inner-changes.ts'
import { InnerImage } from './inner-image.ts'
import { JOURNAL_SHORTAGE } from './journal.ts'
import { KeyBuffer } from './key.ts'
import { LeafChanges } from './leaf-changes.ts'
import type { LeafImage } from './leaf-image.ts'
import { Merger } from './merge.ts'
import { lowAt, lowBytes } from './page.ts'
import { RECORD_VERSION } from './record.ts'
import type { Search } from './search.ts'

export class Upkeep {
  private readonly context: TreeContext
  private readonly search: Search
  private readonly key: KeyBuffer
  private readonly words: Int32Array
  private readonly scheme: Scheme
  private readonly me: Participant
  private readonly leaves: LeafChanges
  private readonly inners: InnerChanges
  private readonly merger: Merger
  private readonly otherKey = new KeyBuffer()
  /** What was noted. */
  private fullId = 0
  private fullBase = 0
  private blocked = false
  private underfull = false
  private pending = false
  private readonly unposted: number[] = []
  private readonly quarter: number
  private readonly checkMask: number

  /** @param key the key of the operation under way */
  constructor(context: TreeContext, search: Search, image: LeafImage, key: KeyBuffer) {
    const { leafEntries } = context.arena.layout
    this.context = context
    this.search = search
    this.key = key
    this.words = context.arena.words
    this.scheme = context.scheme
    this.me = context.me
    const innerImage = new InnerImage(context)
    this.leaves = new LeafChanges(context, image, innerImage)
    this.inners = new InnerChanges(context, innerImage, search)
    this.merger = new Merger(context, image, this.inners, search)
    this.inners.helper = this.merger
    this.quarter = leafEntries >>> 2
    this.checkMask = leafEntries >= 64 ? 7 : 0
  }

  /** Whether the word found may be CASed; notes what stands in the way otherwise. */
  isOpen(): boolean {
    const { search } = this
    if (search.removed) {
      this.blocked = true
      return false
    }
    if (search.word < 0) {
      this.noteFull()
      return false
    }
    return true
  }

  /** Whether a key that was found absent may be linked; notes what stands in the way otherwise. */
  hasSlot(): boolean {
    const { search } = this
    if (search.removed) {
      this.blocked = true
      return false
    }
    if (search.freeSlot === 0) {
      this.noteFull()
      return false
    }
    return true
  }

  /** Notes that the key's head belongs to a batch, which has to come to its end first. */
  notePending(): void {
    this.pending = true
  }

  private noteFull(): void {
    this.fullId = this.search.id
    this.fullBase = this.search.base
  }

  /** Counts a deletion in the leaf found, and notes if it may be underfull now. */
  noteDeletion(): void {
    const { search, words } = this
    const deletions = Atomics.add(words, search.base + BASE_EXTRA, 1) + 1
    const left = countOf(words[search.base + BASE_SHAPE]) - deletions
    if (left <= this.quarter && (left <= 0 || (deletions & this.checkMask) === 0)) this.underfull = true
  }

  noteUnposted(): void {
    if (this.search.unposted !== 0) this.unposted.push(this.search.unposted)
  }

  hasWork(): boolean {
    return this.fullId !== 0 || this.blocked || this.pending || this.underfull || this.unposted.length > 0
  }

  /**
   * Does the structural work that was noted, each piece in a region of its own, taking room as needed.
   * @param worth how far to go to find room, see log.ts
   * @throws HeddleError HEDDLE_FULL; the work is forgotten then, whoever meets its traces takes it up again
   */
  settle(worth: number): void {
    while (this.hasWork()) {
      this.scheme.enter()
      let done = false
      try {
        done = this.step()
      } finally {
        this.clearIntent()
        this.scheme.leave()
      }
      if (done) continue
      try {
        this.makeRoom(worth)
      } catch (error) {
        this.forgetWork()
        throw error
      }
    }
  }

  /** Takes the room that a step lacked, or waits for it. @throws HeddleError HEDDLE_FULL, or as the journal's `wait` */
  makeRoom(worth: number): void {
    const { context } = this
    if (context.shortage === JOURNAL_SHORTAGE) context.journal!.wait()
    else if (context.shortage === 0) this.findPageIds()
    else context.log.prepare(STREAM_PAGES, context.shortage, worth)
  }

  /** As `settle`, after an operation that has already taken effect: a shortage is nobody's business then. */
  settleQuietly(worth: number): void {
    try {
      this.settle(worth)
    } catch (error) {
      if (!(error instanceof HeddleError) || error.code !== 'HEDDLE_FULL') throw error
    }
  }

  private forgetWork(): void {
    this.fullId = 0
    this.blocked = false
    this.pending = false
    this.underfull = false
    this.unposted.length = 0
  }

  private clearIntent(): void {
    if (Atomics.load(this.words, this.me.at + INTENT_PAGE) !== 0) Atomics.store(this.words, this.me.at + INTENT_PAGE, 0)
    if (Atomics.load(this.words, this.me.at + INTENT_PAGE_TWO) !== 0) {
      Atomics.store(this.words, this.me.at + INTENT_PAGE_TWO, 0)
    }
  }

  /** Retired ids come back when their epoch has passed. */
  private findPageIds(): void {
    const { table } = this.context
    for (let i = 0; i < 8; i++) {
      this.scheme.flush()
      table.collectStale()
      if (table.list.countFree(1) > 0) return
    }
    throw new HeddleError(
      'HEDDLE_FULL',
      'all page ids are in use; delete entries, or open the store with more memory (or a larger tuning.pageIds)',
    )
  }

  /** One piece of noted work. @returns false on a shortage; the piece stays noted */
  private step(): boolean {
    if (this.blocked) {
      const height = levelOf(this.words[(this.context.table.load(ROOT) & ADDRESS_MASK) + BASE_SHAPE])
      for (let level = 0; level < height; level++) if (!this.merger.helpRemoved(this.key, level)) return false
      this.blocked = false
      return true
    }
    if (this.pending) {
      if (!this.finishPending()) return false
      this.pending = false
      return true
    }
    if (this.fullId !== 0) {
      if (!this.consolidate(this.fullId, this.fullBase)) return false
      this.fullId = 0
      return true
    }
    const id = this.unposted.length > 0 ? this.unposted[this.unposted.length - 1] : 0
    if (id !== 0) {
      if (!this.inners.ensurePosted(id)) return false
      this.unposted.pop()
      this.takeSplits()
      return true
    }
    return this.mergeUpwards()
  }

  /** The batch may have been another one's, or be over: it is looked up again, in this critical region. */
  private finishPending(): boolean {
    const { search, words, context } = this
    search.locate(this.key)
    if (search.record === 0) return true
    const version = Atomics.load(words, search.record + RECORD_VERSION)
    return version >= 0 || context.batches.finish(-version)
  }

  private mergeUpwards(): boolean {
    this.otherKey.copyFrom(this.key.bytes, 0, this.key.length)
    for (let level = 0; ; level++) {
      if (!this.merger.tryMerge(this.otherKey, level)) return false
      if (!this.merger.parentUnderfull) break
    }
    this.underfull = false
    return true
  }

  private takeSplits(): void {
    if (this.leaves.split !== 0) this.unposted.push(this.leaves.split)
    if (this.inners.split !== 0) this.unposted.push(this.inners.split)
    this.leaves.split = 0
    this.inners.split = 0
  }

  /** See Materializer. For inner pages it is a copy. */
  consolidate(id: number, base: number): boolean {
    if (this.context.table.load(id) !== base) return true
    if (levelOf(this.words[base + BASE_SHAPE]) > 0) return this.consolidateInner(id, base)
    // A merge that has frozen it would freeze its successor again, and so on for ever: it is finished first.
    if (Atomics.load(this.words, this.context.cache.slotsAt(base)) < 0) {
      this.otherKey.copyFrom(this.context.arena.bytes, lowAt(this.words, base), lowBytes(this.words, base))
      if (!this.merger.helpRemoved(this.otherKey, 0)) return false
      if (this.context.table.load(id) !== base) return true
    }
    const done = this.leaves.consolidate(id, base)
    this.takeSplits()
    return done
  }

  private consolidateInner(id: number, base: number): boolean {
    if (this.words[base + BASE_EXTRA] !== 0) return this.merger.help(id, base)
    return this.inners.copy(id, base)
  }

  /** Finishes the merge of a page that is REMOVED. @returns false on a shortage */
  finishRemoval(base: number): boolean {
    const { bytes } = this.context.arena
    this.otherKey.copyFrom(bytes, lowAt(this.words, base), lowBytes(this.words, base))
    return this.merger.helpRemoved(this.otherKey, levelOf(this.words[base + BASE_SHAPE]))
  }

  /**
   * Finishes what is half done around the leaf that holds `key`, and merges the leaf with a neighbour if it is underfull.
   * @param entries what the leaf holds
   */
  mergeHere(entries: number): void {
    this.scheme.enter()
    try {
      this.search.descend(this.key, 0, false)
      this.noteUnposted()
      this.blocked = true
    } finally {
      this.scheme.leave()
    }
    if (entries <= this.quarter) this.underfull = true
    if (this.hasWork()) this.settleQuietly(ROOM_ORDINARY)
  }

  /** Settles what a dead participant (or this one, when it departs) was about to link or had unlinked. */
  reap(slotAt: number, label: number): void {
    const { words, context } = this
    const mine = label === this.me.label
    if (mine) context.table.dropCache()
    for (let word = INTENT_PAGE; ; word = INTENT_PAGE_TWO) {
      const id = mine ? 0 : Atomics.load(words, slotAt + word)
      while (id !== 0 && !this.merger.settleIntent(id, this.otherKey)) {
        if (!context.log.tryPrepare(STREAM_PAGES, context.shortage, ROOM_PROMISED)) break
      }
      if (word === INTENT_PAGE_TWO) break
    }
    context.table.reap(slotAt, label)
  }
}
