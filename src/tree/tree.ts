/**
 * The B-link tree: search, insert, overwrite, remove, in a loop of attempts.
 *
 * An attempt runs inside one critical region and makes at most one visible change; if a structural change stands in the
 * way it is noted, and done in a region of its own after room for it was prepared outside of any (upkeep.ts). Where there is
 * a journal, the attempt reserves and completes its slot there (journal.ts).
 *
 * Linearization: an overwrite, insert or removal takes effect at the load of the clock whose stamp its record gets, right
 * after the CAS of the key's entry or slot word (versions.ts): whoever sees it sees to it that it has a stamp. A read
 * takes effect at its load of that word (or, if the page was replaced meanwhile, at the last moment before: see
 * search.ts), or at the stamp that it gave to what it found.
 * Progress: lock-free. Every attempt that fails does so because another thread's CAS succeeded or a half-done change was
 * finished.
 * Death: between any two steps; what is half done is finished by whoever meets it, and an unlinked record that was not
 * accounted for is found by the cleaner.
 */
import { assert } from '../memory/assert.ts'
import { keyBytesOf } from '../log/block.ts'
import { ROOM_OPTIONAL, ROOM_ORDINARY, ROOM_PROMISED, STREAM_PAGES } from '../log/log.ts'
import { EMPTIED } from '../pagecache/fragment.ts'
import type { Materializer } from '../pagecache/page-cache.ts'
import { ROOT } from '../pagecache/page-table.ts'
import { hasPassed } from '../reclaim/garbage.ts'
import { COUNTER, type Participant } from '../reclaim/participant.ts'
import { OP_FREE_BLOCK, OP_FREE_CHAIN, type Scheme } from '../reclaim/scheme.ts'
import type { Arena } from '../memory/arena.ts'
import type { Log } from '../log/log.ts'
import { BatchWriter } from './batch-writer.ts'
import { Commits } from './commits.ts'
import { type TreeContext, makeContext } from './context.ts'
import { Filling } from './filling.ts'
import { CHANGE_HEADER_BYTES, type Journal } from './journal.ts'
import type { Residence } from './residence.ts'
import { KeyBuffer } from './key.ts'
import { KnownPlace } from './known-place.ts'
import { LeafImage } from './leaf-image.ts'
import { RECORD_VERSION, recordHeader, valueBytesOf } from './record.ts'
import { RecordWriter, unlinkRecord } from './record-writer.ts'
import { Search } from './search.ts'
import { ABORTED, STAMPED } from './stamp.ts'
import { Unfinished } from './unfinished.ts'
import { Upkeep } from './upkeep.ts'
import type { Versions } from './versions.ts'

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
  private readonly versions: Versions
  readonly upkeep: Upkeep
  /** The context's, at hand. */
  private journal: Journal | null
  private readonly residence: Residence
  /** Brings up what lies below a partial tree. */
  readonly filling: Filling
  /**
   * After `find`, `findAt` or a `remove` that gave nothing, or a `put` that was refused: the tree says nothing of the key, and
   * what it is has to be looked for below. `findAt` says so in a complete tree, too.
   */
  unknown = false
  readonly commits: Commits
  private readonly unfinished: Unfinished | null
  /** Whether a removal needs a tombstone, since something stands behind what it removes, or there is a journal. */
  private needsTombstone = false
  /** Whether an attempt has found no room in the journal. */
  private lacksSlot = false
  private readonly place: KnownPlace
  readonly batchWriter: BatchWriter

  /**
   * @param journal null for a tree that is only in memory
   * @param residenceAt the words of Residence, 0 if nothing lies below the tree
   */
  constructor(
    arena: Arena,
    scheme: Scheme,
    me: Participant,
    log: Log,
    journal: Journal | null = null,
    residenceAt = 0,
  ) {
    const context = makeContext(arena, scheme, me, log, journal, residenceAt, this)
    this.context = context
    this.words = arena.words
    this.scheme = scheme
    this.journal = journal
    this.me = me
    this.versions = context.versions
    this.residence = context.residence
    this.search = new Search(arena)
    this.place = new KnownPlace(scheme, this.search)
    this.image = new LeafImage(context, this.search)
    this.upkeep = new Upkeep(context, this.search, this.image, this.key)
    this.writer = new RecordWriter(context)
    this.batchWriter = new BatchWriter(context, this.writer)
    this.commits = new Commits(context, this.upkeep)
    this.filling = new Filling(context, this, this.upkeep)
    this.unfinished = journal === null ? null : new Unfinished(context, journal)
    scheme.register(OP_FREE_BLOCK, (block) => void log.unlink(block))
    scheme.register(OP_FREE_CHAIN, (record) => unlinkRecord(context, record))
    scheme.onReap((slotAt, label) => {
      this.upkeep.reap(slotAt, label)
      context.snapshots.releaseOf(label)
    })
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

  /** Finds `key`; the caller is pinned. @returns the record, or 0 (see `unknown`); its header is `search.header` */
  find(): number {
    const { search } = this
    search.locate(this.key)
    const { record } = search
    if (record === 0) return this.missing()
    if (this.residence.hasBelow) this.filling.noteRead()
    // Whoever uses a value makes sure that it is stamped: a snapshot that is taken later must not miss it.
    if ((search.word & EMPTIED) === 0 && Atomics.load(this.words, record + RECORD_VERSION) >= STAMPED) return record
    const found = this.take(this.versions.current(search.word))
    if (found !== 0) return found
    this.unknown = false
    return this.versions.unknown ? this.missing() : 0
  }

  /**
   * Notes where `find` has found the key, in the same critical region: the `put` or `remove` that expects what was found
   * looks there first.
   * @param since the epoch before the critical region
   */
  remember(since: number): void {
    this.place.note(since)
  }

  /** The tree says nothing of the key. @returns 0, which is also REFUSED */
  private missing(): number {
    this.unknown = this.residence.isPartial()
    if (this.unknown) this.filling.note()
    return 0
  }

  private isMissing(): boolean {
    this.missing()
    return this.unknown
  }

  /** Whether a key is known to be absent whose word leads to this record. */
  private isAbsent(found: number): boolean {
    this.unknown = found === 0 && this.versions.unknown && this.residence.isPartial()
    return found === 0 && !this.unknown
  }

  /** Finds what `key` had for a snapshot; otherwise as `find`. */
  findAt(ts: number): number {
    const { search, versions } = this
    search.locate(this.key)
    this.unknown = true
    if (search.record === 0) return 0
    const found = this.take(versions.at(search.word, ts))
    this.unknown = versions.unknown
    return found
  }

  private take(record: number): number {
    if (record !== 0 && record !== this.search.record) this.search.header = recordHeader(this.words, record)
    return record
  }

  /**
   * Links the writer's record under `key`.
   * @param mode PUT_ANY, PUT_ABSENT, or the record that must be there
   * @param since the epoch in which that record was found: when two have passed, its address may mean another one
   * @returns whether it was linked; otherwise the record is still the writer's, to be abandoned. PUT_ABSENT is refused also if
   * the tree does not know, see `unknown`
   * @throws HeddleError HEDDLE_FULL, or as the journal's `admit`; nothing has changed then
   */
  put(mode: number, since: number): boolean {
    const { upkeep } = this
    if (this.commits.unended !== 0) this.commits.endUnwound()
    if (this.journal !== null) this.admit(this.writer.record)
    for (;;) {
      this.scheme.enter()
      let outcome = AGAIN
      try {
        outcome = this.tryPut(mode, since)
      } finally {
        if (this.journal === null) this.scheme.leave()
        else this.leaveJournal()
      }
      if (outcome === AGAIN) this.settle(ROOM_ORDINARY)
      else {
        if (upkeep.hasWork()) upkeep.settleQuietly(ROOM_OPTIONAL)
        return outcome === DONE
      }
    }
  }

  /** Asks the journal whether it takes a record. */
  private admit(record: number): void {
    const { words } = this
    const header = recordHeader(words, record)
    const bytes = CHANGE_HEADER_BYTES + keyBytesOf(header) + Math.max(0, valueBytesOf(words, record, header))
    this.journal!.admit(bytes)
  }

  /** Has changes made without the journal, or with it again. */
  useJournal(journal: Journal | null): void {
    this.context.journal = journal
    this.journal = journal
  }

  /** Ends an attempt: its slot is settled if it was unwound, then its critical region. */
  private leaveJournal(): void {
    try {
      if (this.journal!.held !== -1 && this.unfinished!.letGo()) this.writer.linked()
    } finally {
      this.scheme.leave()
    }
  }

  /** Does what stood in the way of an attempt. */
  private settle(worth: number): void {
    if (this.lacksSlot) {
      this.lacksSlot = false
      this.journal!.wait()
    }
    this.upkeep.settle(worth)
  }

  /** Reserves a slot of the journal for a record that is about to be linked over the head that was found. */
  private reserve(record: number): boolean {
    if (this.journal!.reserve(record)) return true
    this.lacksSlot = true
    return false
  }

  /** The record was not linked: its slot is of no use, since what was found before it was reserved is not there any more. */
  private lost(): number {
    this.journal?.abort()
    return AGAIN
  }

  private tryPut(mode: number, since: number): number {
    const { search } = this
    if (mode > 0) this.place.locate(this.key)
    else search.locate(this.key)
    this.upkeep.noteUnposted()
    if (search.record !== 0) return this.tryOverwrite(mode, since)
    return this.tryInsert(mode)
  }

  /** A function of its own: the overwrites' way through `tryPut` is to be short enough to be inlined. */
  private tryInsert(mode: number): number {
    const { search, key, context, upkeep } = this
    if (mode !== PUT_ANY && (mode > 0 || this.isMissing())) return REFUSED
    if (!upkeep.hasSlot()) return AGAIN
    const head = this.writer.record
    this.writer.replaces(0)
    if (this.journal !== null && !this.reserve(head)) return AGAIN
    if (!context.cache.link(search.base, search.freeSlot, head, key.tag)) return this.lost()
    this.writer.linked()
    this.me.count(COUNTER.inserts, 1)
    this.versions.finishPut(head, 0, 0, 0, false)
    if (this.journal !== null) this.journal.complete()
    return DONE
  }

  private tryOverwrite(mode: number, since: number): number {
    const { search, writer, versions } = this
    const old = search.record
    const { word } = search
    const gone = (word & EMPTIED) !== 0
    let version = Atomics.load(this.words, old + RECORD_VERSION)
    let found = old
    if (gone || version < STAMPED) {
      // In this order: what a batch would replace is not what its record is overwritten for.
      version = versions.stamp(old)
      if (version < 0) return this.meetBatch()
      found = versions.current(word)
    }
    if (mode === PUT_ABSENT && !this.isAbsent(found)) return REFUSED
    if (mode > 0 && (mode !== found || this.hasPassed(since))) return REFUSED
    if (!this.upkeep.isOpen()) return AGAIN
    const head = writer.record
    writer.replaces(old)
    if (this.journal !== null && !this.reserve(head)) return AGAIN
    if (!this.context.cache.overwrite(search.at, word, head)) return this.lost()
    writer.linked()
    if (found === 0) this.me.count(COUNTER.inserts, 1)
    versions.finishPut(head, old, version, search.header, gone)
    if (this.journal !== null) this.journal.complete()
    return DONE
  }

  /**
   * Whether what was found in the epoch `since` may have been recycled. Asked after its address was met again: if not, what
   * was met is what had been found.
   */
  private hasPassed(since: number): boolean {
    return hasPassed(since, this.scheme.epoch())
  }

  /**
   * Removes `key`.
   * @param expected the record that must be there, or 0 for any
   * @param since as for `put`
   * @returns whether there was one and it is gone; false also if the tree does not know, see `unknown`
   * @throws HeddleError HEDDLE_FULL only if a change that another thread left half done, or a tombstone, which only keys
   * need that a snapshot sees an older value of, or that are in a journal, needs room and there is none; or as the journal's
   * `admit`
   */
  remove(expected: number, since: number): boolean {
    if (this.commits.unended !== 0) this.commits.endUnwound()
    if (this.journal !== null) this.journal.admit(CHANGE_HEADER_BYTES + this.key.length)
    this.writer.abandonLeft()
    try {
      for (;;) {
        this.scheme.enter()
        let outcome = AGAIN
        try {
          outcome = this.tryRemove(expected, since)
        } finally {
          if (this.journal === null) this.scheme.leave()
          else this.leaveJournal()
        }
        if (outcome !== AGAIN) {
          // A tombstone that was not needed in the end.
          if (this.writer.record !== 0) this.writer.abandon()
          if (this.upkeep.hasWork()) this.upkeep.settleQuietly(ROOM_OPTIONAL)
          return outcome === DONE
        }
        this.bringTombstone()
        this.settle(ROOM_PROMISED)
      }
    } catch (error) {
      this.writer.abandon()
      throw error
    }
  }

  private bringTombstone(): void {
    if (!this.needsTombstone) return
    this.needsTombstone = false
    if (this.writer.record === 0) this.writer.writeTombstone(this.key)
  }

  private tryRemove(expected: number, since: number): number {
    const { search, versions } = this
    if (expected !== 0) this.place.locate(this.key)
    else search.locate(this.key)
    this.upkeep.noteUnposted()
    const head = search.record
    if (head === 0) return this.missing()
    const { word } = search
    let version = Atomics.load(this.words, head + RECORD_VERSION)
    let found = head
    if ((word & EMPTIED) !== 0 || version < STAMPED) {
      // In this order, as above.
      version = versions.stamp(head)
      if (version < 0) return this.meetBatch()
      found = versions.current(word)
    }
    if (found === 0) this.isAbsent(0)
    if (found === 0 || (expected !== 0 && (expected !== found || this.hasPassed(since)))) return REFUSED
    if (!this.upkeep.isOpen()) return AGAIN
    if (this.mustBury() || version === ABORTED || !(versions.isVoid(head, version) || versions.trim(head, version))) {
      return this.tryBury(head)
    }
    if (!this.context.cache.overwrite(search.at, word, head | EMPTIED)) return AGAIN
    versions.finishDelete(search.at, head, search.header)
    return this.removed()
  }

  /** Whether a deletion is always a tombstone: one that has a slot in the journal, or hides what is below. */
  private mustBury(): boolean {
    return this.journal !== null || this.residence.buries()
  }

  private meetBatch(): number {
    this.upkeep.notePending()
    return AGAIN
  }

  /** Settles what a dead participant has left in the journal. Before its segments are sealed, and its pin is taken away. */
  reapChange(slotAt: number): void {
    this.unfinished?.reap(slotAt)
  }

  /** Puts a tombstone in front of a head that something stands behind. */
  private tryBury(head: number): number {
    const { search, writer } = this
    const tombstone = writer.record
    if (tombstone === 0) {
      this.needsTombstone = true
      return AGAIN
    }
    writer.replaces(head)
    if (this.journal !== null && !this.reserve(tombstone)) return AGAIN
    if (!this.context.cache.overwrite(search.at, search.word, tombstone | EMPTIED)) return this.lost()
    writer.linked()
    this.versions.finishTombstone(search.at, tombstone, head, (search.word & EMPTIED) !== 0)
    if (this.journal !== null) this.journal.complete()
    return this.removed()
  }

  private removed(): number {
    this.me.count(COUNTER.deletes, 1)
    this.upkeep.noteDeletion()
    return DONE
  }

  /** See Materializer. For inner pages it is a copy. */
  consolidate(id: number, base: number): boolean {
    return this.upkeep.consolidate(id, base)
  }

  /** Finishes the merge of a page that is REMOVED. @returns false on a shortage */
  finishRemoval(base: number): boolean {
    return this.upkeep.finishRemoval(base)
  }
}
