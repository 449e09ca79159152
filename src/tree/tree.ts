/**
 * The B-link tree: search, insert, overwrite, remove, in a loop of attempts.
 *
 * An attempt runs inside one critical region and makes at most one visible change; if a structural change stands in the
 * way it is noted, and done in a region of its own after room for it was prepared outside of any. So nothing inside a
 * region can run out of memory half-way, and unwinding from any point is no different from dying there.
 *
 * Linearization: an overwrite or removal at the CAS of the key's entry or slot word, an insert at the CAS of the slot, a
 * read at its load of that word (or, if the page was replaced meanwhile, at the last moment before: see search.ts).
 * Progress: lock-free. Every attempt that fails does so because another thread's CAS succeeded or a half-done change was
 * finished.
 * Death: between any two steps; what is half done is finished by whoever meets it (leaf-changes.ts, merge.ts), and an
 * unlinked record that was not accounted for is found by the cleaner.
 */
import { HeddleError } from '../memory/error.ts'
import { assert } from '../memory/assert.ts'
import { ROOM_OPTIONAL, ROOM_ORDINARY, ROOM_PROMISED, STREAM_PAGES } from '../log/log.ts'
import { BASE_EXTRA, levelOf, BASE_SHAPE, countOf } from '../pagecache/base.ts'
import { EMPTIED } from '../pagecache/fragment.ts'
import type { Materializer } from '../pagecache/page-cache.ts'
import { PageCache } from '../pagecache/page-cache.ts'
import { ADDRESS_MASK, PageTable, ROOT } from '../pagecache/page-table.ts'
import { hasPassed } from '../reclaim/garbage.ts'
import { COUNTER, INTENT_PAGE, INTENT_PAGE_TWO, type Participant } from '../reclaim/participant.ts'
import { OP_FREE_BLOCK, OP_FREE_CHAIN, type Scheme } from '../reclaim/scheme.ts'
import type { Arena } from '../memory/arena.ts'
import type { Log } from '../log/log.ts'
import type { TreeContext } from './context.ts'
import { InnerChanges } from './inner-changes.ts'
import { InnerImage } from './inner-image.ts'
import { KeyBuffer } from './key.ts'
import { LeafChanges } from './leaf-changes.ts'
import { LeafImage } from './leaf-image.ts'
import { Merger } from './merge.ts'
import { lowAt, lowBytes } from './page.ts'
import { RecordWriter, unlinkRecord } from './record-writer.ts'
import { Search } from './search.ts'

/** What `put` may replace. */
export const PUT_ANY = 0
export const PUT_ABSENT = -1
/** Any positive mode is the address of the record that must still be there. */

/** Outcomes of an attempt. */
const REFUSED = 0
const DONE = 1
const AGAIN = 2

export class Tree implements Materializer {
  readonly context: TreeContext
  readonly search: Search
  readonly writer: RecordWriter
  readonly image: LeafImage
  readonly key = new KeyBuffer()
  private readonly words: Int32Array
  private readonly scheme: Scheme
  private readonly me: Participant
  private readonly leaves: LeafChanges
  private readonly inners: InnerChanges
  private readonly merger: Merger
  private readonly otherKey = new KeyBuffer()
  /** Structural work noted by an attempt. */
  private fullId = 0
  private fullBase = 0
  private blocked = false
  private underfull = false
  private readonly unposted: number[] = []
  private readonly quarter: number
  private readonly checkMask: number

  constructor(arena: Arena, scheme: Scheme, me: Participant, log: Log) {
    const table = new PageTable(arena, scheme, me)
    const cache = new PageCache(arena, table, log, this)
    this.context = { arena, scheme, me, log, table, cache, shortage: 0 }
    this.words = arena.words
    this.scheme = scheme
    this.me = me
    this.search = new Search(arena)
    this.image = new LeafImage(this.context, this.search)
    const innerImage = new InnerImage(this.context)
    this.leaves = new LeafChanges(this.context, this.image, innerImage)
    this.inners = new InnerChanges(this.context, innerImage, this.search)
    this.merger = new Merger(this.context, this.image, this.inners, this.search)
    this.inners.helper = this.merger
    this.writer = new RecordWriter(this.context)
    this.quarter = arena.layout.leafEntries >>> 2
    this.checkMask = arena.layout.leafEntries >= 64 ? 7 : 0
    scheme.register(OP_FREE_BLOCK, (block) => void log.unlink(block))
    scheme.register(OP_FREE_CHAIN, (record) => unlinkRecord(this.context, record))
    scheme.onReap((slotAt, label) => this.reap(slotAt, label))
  }

  /** Makes the empty root of a fresh arena. Nobody else can see it yet. */
  create(): void {
    const { context, image } = this
    context.log.prepare(STREAM_PAGES, image.wordsNeeded(0, 0, 0), ROOM_ORDINARY)
    this.scheme.enter()
    const id = context.table.allocate()
    assert(id === ROOT, 'the first page id is not the root')
    image.clear()
    const empty = { bytes: context.arena.bytes, at: 0, length: 0 }
    context.table.install(ROOT, image.write(ROOT, 0, empty, null, 0, 0))
    this.scheme.leave()
  }

  /** Finds `key`; the caller is pinned. @returns the record, or 0; its header is `search.header` */
  find(): number {
    this.search.locate(this.key)
    return this.search.record
  }

  /**
   * Links the writer's record under `key`.
   * @param mode PUT_ANY, PUT_ABSENT, or the record that must be there
   * @param since the epoch in which that record was found: when two have passed, its address may mean another one
   * @returns whether it was linked; otherwise the record is still the writer's, to be abandoned
   * @throws HeddleError HEDDLE_FULL; nothing has changed then
   */
  put(mode: number, since: number): boolean {
    for (;;) {
      this.scheme.enter()
      let outcome = AGAIN
      try {
        outcome = this.tryPut(mode, since)
      } finally {
        this.scheme.leave()
      }
      if (outcome === AGAIN) this.settle(ROOM_ORDINARY)
      else {
        if (this.hasWork()) this.settleQuietly(ROOM_OPTIONAL)
        return outcome === DONE
      }
    }
  }

  private tryPut(mode: number, since: number): number {
    const { search, key, context } = this
    search.locate(key)
    this.noteUnposted()
    const { record } = search
    if (record !== 0) {
      if (mode !== PUT_ANY && (mode !== record || this.hasPassed(since))) return REFUSED
      if (!this.isOpen()) return AGAIN
      if (!context.cache.overwrite(search.at, search.word, this.writer.record)) return AGAIN
      this.writer.linked()
      unlinkRecord(context, record)
      return DONE
    }
    if (mode > 0) return REFUSED
    if (search.removed) {
      this.blocked = true
      return AGAIN
    }
    if (search.freeSlot === 0) {
      this.noteFull()
      return AGAIN
    }
    const { leafSlots } = context.arena.layout
    if (!context.cache.link(search.freeSlot, leafSlots, this.writer.record, key.tag)) return AGAIN
    this.writer.linked()
    this.me.count(COUNTER.inserts, 1)
    return DONE
  }

  /**
   * Whether what was found in the epoch `since` may have been recycled. Asked after its address was met again: if not, what
   * was met is what had been found.
   */
  private hasPassed(since: number): boolean {
    return hasPassed(since, this.scheme.epoch())
  }

  /** Whether the word found may be CASed; notes what stands in the way otherwise. */
  private isOpen(): boolean {
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

  /**
   * Removes `key`.
   * @param expected the record that must be there, or 0 for any
   * @param since as for `put`
   * @returns whether there was one and it is gone
   * @throws HeddleError HEDDLE_FULL only if a change that another thread left half done needs room and there is none
   */
  remove(expected: number, since: number): boolean {
    for (;;) {
      this.scheme.enter()
      let outcome = AGAIN
      try {
        outcome = this.tryRemove(expected, since)
      } finally {
        this.scheme.leave()
      }
      if (outcome === AGAIN) this.settle(ROOM_PROMISED)
      else {
        if (this.hasWork()) this.settleQuietly(ROOM_OPTIONAL)
        return outcome === DONE
      }
    }
  }

  private tryRemove(expected: number, since: number): number {
    const { search, context } = this
    search.locate(this.key)
    this.noteUnposted()
    const { record } = search
    if (record === 0) return REFUSED
    if (expected !== 0 && (expected !== record || this.hasPassed(since))) return REFUSED
    if (!this.isOpen()) return AGAIN
    if (!context.cache.overwrite(search.at, search.word, EMPTIED)) return AGAIN
    unlinkRecord(context, record)
    this.me.count(COUNTER.deletes, 1)
    const deletions = Atomics.add(this.words, search.base + BASE_EXTRA, 1) + 1
    const left = countOf(this.words[search.base + BASE_SHAPE]) - deletions
    if (left <= this.quarter && (left <= 0 || (deletions & this.checkMask) === 0)) this.underfull = true
    return DONE
  }

  private noteFull(): void {
    this.fullId = this.search.id
    this.fullBase = this.search.base
  }

  private noteUnposted(): void {
    if (this.search.unposted !== 0) this.unposted.push(this.search.unposted)
  }

  private hasWork(): boolean {
    return this.fullId !== 0 || this.blocked || this.underfull || this.unposted.length > 0
  }

  /**
   * Does the structural work that was noted, each piece in a region of its own, taking room as needed.
   * @param worth how far to go to find room, see log.ts
   * @throws HeddleError HEDDLE_FULL; the work is forgotten then, whoever meets its traces takes it up again
   */
  private settle(worth: number): void {
    const { context } = this
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
        if (context.shortage === 0) this.findPageIds()
        else context.log.prepare(STREAM_PAGES, context.shortage, worth)
      } catch (error) {
        this.forgetWork()
        throw error
      }
    }
  }

  /** As `settle`, after an operation that has already taken effect: a shortage is nobody's business then. */
  private settleQuietly(worth: number): void {
    try {
      this.settle(worth)
    } catch (error) {
      if (!(error instanceof HeddleError) || error.code !== 'HEDDLE_FULL') throw error
    }
  }

  private forgetWork(): void {
    this.fullId = 0
    this.blocked = false
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
  private reap(slotAt: number, label: number): void {
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
