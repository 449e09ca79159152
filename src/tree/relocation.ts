/**
 * How the tree gets blocks out of a segment that is to be cleaned: the callback that the log's cleaner is given.
 *
 * A block of a sealed segment is either reachable now or never again (log.ts), so a block that its key or page id does not
 * lead to is dead, whoever left it behind. A record is copied to the participant's cold segment and what leads to it, a
 * leaf's word or the PREV of a newer version, CASed from the old address to the new one: no logical change, so a
 * concurrent writer that loses to it just looks again. Before it is copied its PREV is HELD, so that nobody can let go of
 * what stands behind it meanwhile; and a PREV that is HELD itself leads on for ever, so that its record goes first.
 */
import type { Relocate } from '../log/cleaner.ts'
import { KIND_EXTENT, KIND_EXTENT_RECORD, KIND_PAGE, alive, keyBytesOf, kindOf, wordsOf } from '../log/block.ts'
import { STREAM_COLD, STREAM_PAGES } from '../log/log.ts'
import { BASE_ID } from '../pagecache/base.ts'
import { EMPTIED } from '../pagecache/fragment.ts'
import { ADDRESS_MASK, REMOVED } from '../pagecache/page-table.ts'
import { Approach } from './approach.ts'
import { KeyBuffer, RECORD_KEY } from './key.ts'
import { EXTENT_KEY, RECORD_PREV, RECORD_VERSION, extentListAt, recordKeyAt } from './record.ts'
import { ABORTED, HELD, NOPREV, STAMPED } from './stamp.ts'
import type { Tree } from './tree.ts'

export class Relocation {
  private readonly tree: Tree
  private readonly words: Int32Array
  private readonly bytes: Uint8Array
  private readonly key = new KeyBuffer()
  readonly approach: Approach

  constructor(tree: Tree) {
    this.tree = tree
    this.words = tree.context.arena.words
    this.bytes = tree.context.arena.bytes
    this.approach = new Approach(tree.context, tree.search)
  }

  /** See Relocate. */
  readonly relocate: Relocate = (block, header) => {
    switch (kindOf(header)) {
      case KIND_PAGE:
        return this.relocatePage(block)
      case KIND_EXTENT:
        return this.relocateExtent(block, header)
      default:
        return this.relocateRecord(block, header)
    }
  }

  /** Whether anything leads to a block of a sealed segment. Called pinned. */
  readonly isReachable = (block: number, header: number): boolean => {
    const { search, context } = this.tree
    const kind = kindOf(header)
    if (kind === KIND_PAGE) {
      const word = context.table.load(this.words[block + BASE_ID])
      return word > 0 && (word & ADDRESS_MASK) === block
    }
    const at = kind === KIND_EXTENT ? (block + EXTENT_KEY) * 4 : recordKeyAt(block)
    this.key.copyFrom(this.bytes, at, keyBytesOf(header))
    search.locate(this.key)
    return this.findInChain(block, kind === KIND_EXTENT) !== 0
  }

  /** In the chain of the head found: the version before the one looked for, the head itself if that is it. */
  private before = 0

  /**
   * Looks in the chain of the head found for a version, or for the one that lists an extent.
   * @returns the version, or 0
   */
  private findInChain(block: number, isExtent: boolean): number {
    const { versions } = this.tree.context
    this.before = 0
    for (let record = this.tree.search.record; record !== 0;) {
      if (isExtent ? this.listedAt(record, block) >= 0 : record === block) return record
      const version = versions.stamp(record)
      this.before = record
      record = versions.behind(record, version)
    }
    return 0
  }

  private shortOfPages(): number {
    return this.tree.context.shortage > 0 ? (STREAM_PAGES << 16) | this.tree.context.shortage : -1
  }

  private relocatePage(base: number): number {
    const { context } = this.tree
    const id = this.words[base + BASE_ID]
    for (;;) {
      const word = context.table.load(id)
      if (word <= 0 || (word & ADDRESS_MASK) !== base) break
      if (word >= REMOVED) {
        if (!this.tree.finishRemoval(base)) return this.shortOfPages()
        // Unlinked, but not retired yet: that is for whoever unlinked it, or for its reaper. Do not wait for either.
        if (context.table.load(id) === word) return -1
      } else if (!context.cache.relocate(id, base)) return this.shortOfPages()
    }
    context.log.unlink(base)
    return 0
  }

  /**
   * Finds what the tree holds under a block's key, stamped, and makes its word ready for a CAS.
   * @returns 1 if something is there, 0 if nothing is, otherwise -1: a shortage
   */
  private findOpen(): number {
    const { search, context } = this.tree
    for (;;) {
      search.locate(this.key)
      if (search.record === 0) return 0
      const version = Atomics.load(this.words, search.record + RECORD_VERSION)
      if (version < 0) {
        if (!context.batches.finish(-version)) return -1
      } else if (search.removed) {
        if (!this.tree.finishRemoval(search.base)) return -1
      } else if (search.word < 0) {
        if (!context.cache.materializer.consolidate(search.id, search.base)) return -1
      } else {
        this.tidyFound()
        return 1
      }
    }
  }

  /** Lets go of what nobody needs around the head found, rather than move it. */
  private tidyFound(): void {
    const { search, context } = this.tree
    const { versions } = context
    const version = versions.stamp(search.record)
    if (!versions.isVoid(search.record, version)) versions.trim(search.record, version)
    if ((search.word & EMPTIED) !== 0 && versions.release(search.at, search.word)) search.record = 0
  }

  private relocateRecord(block: number, header: number): number {
    const { log } = this.tree.context
    const lacked = this.moveHinted(block)
    if (lacked >= 0) return lacked
    this.key.copyFrom(this.bytes, recordKeyAt(block), keyBytesOf(header))
    // What is moved: the block, or first a version before it that is HELD.
    for (let record = block; ;) {
      if (this.findOpen() < 0) return this.shortOfPages()
      if (this.findInChain(record, false) === 0) {
        if (record === block) {
          log.unlink(block)
          return 0
        }
        record = block
        continue
      }
      const above = this.heldAbove()
      if (above !== 0) record = above
      else {
        const lacking = this.move(record)
        if (lacking > 0) return lacking
        if (lacking === 0 && record === block) return 0
        record = block
      }
    }
  }

  /** As `move`, for a head that nothing stands behind and whose word is known from the approach. */
  private moveHinted(record: number): number {
    const { search, context } = this.tree
    const { versions } = context
    const entry = this.approach.entryOf(record)
    if (entry === 0) return -1
    const version = versions.stamp(record)
    if (version < STAMPED || !versions.isVoid(record, version)) return -1
    search.at = entry
    search.word = record
    this.before = 0
    return this.move(record)
  }

  /** The version right before the one found, if its PREV cannot be changed any more; 0 if it can, or is the head. */
  private heldAbove(): number {
    const { before } = this
    return before !== 0 && (Atomics.load(this.words, before + RECORD_PREV) & HELD) !== 0 ? before : 0
  }

  /** Moves the version found. @returns 0 if it was moved, the room it lacks, or -1 if another thread was faster */
  private move(record: number): number {
    const { log, versions } = this.tree.context
    if (this.before === 0 && versions.stamp(record) === ABORTED) return this.restore(record)
    const header = alive(Atomics.load(this.words, record))
    const size = wordsOf(header)
    const copy = log.reserve(STREAM_COLD, size)
    if (copy === 0) return (STREAM_COLD << 16) | size
    this.copyRecord(copy, record, size)
    log.complete(copy, header)
    if (this.put(record, copy)) {
      log.unlink(record)
      return 0
    }
    log.abort(STREAM_COLD, copy, size)
    return -1
  }

  /**
   * Puts a copy of what stands behind an aborted head in its place: a copy, since heads do not recur.
   * @returns as `move`
   */
  private restore(head: number): number {
    const { search, context } = this.tree
    const { log, versions, cache } = context
    const behind = versions.holdAborted(head)
    if (behind === 0) {
      if (!cache.overwrite(search.at, search.word, EMPTIED)) return -1
      versions.dropAborted(head, 0, false)
      return 0
    }
    const header = alive(Atomics.load(this.words, behind))
    const size = wordsOf(header)
    const copy = log.reserve(STREAM_COLD, size)
    if (copy === 0) return (STREAM_COLD << 16) | size
    this.copyRecord(copy, behind, size)
    log.complete(copy, header)
    const isGone = this.words[copy + RECORD_PREV] < 0 || versions.isTombstone(behind)
    if (!cache.overwrite(search.at, search.word, copy | (isGone ? EMPTIED : 0))) {
      log.abort(STREAM_COLD, copy, size)
      return -1
    }
    versions.dropAborted(head, behind, isGone)
    log.unlink(behind)
    return 0
  }

  /** CASes what leads to the version found, a word or the PREV before it, to its copy. */
  private put(record: number, copy: number): boolean {
    const { search, context } = this.tree
    const { before } = this
    if (before === 0) return context.cache.overwrite(search.at, search.word, copy | (search.word & EMPTIED))
    return Atomics.compareExchange(this.words, before + RECORD_PREV, record, copy) === record
  }

  private copyRecord(copy: number, record: number, size: number): void {
    const { words } = this
    // In this order: who gives it another stamp looks whether it is HELD afterwards (tidy.ts).
    const prev = this.tree.context.versions.hold(record)
    const version = Atomics.load(words, record + RECORD_VERSION)
    words[copy + RECORD_PREV] = (version & NOPREV) !== 0 && prev >= 0 ? 0 : prev
    // NOPREV stays: nothing is put behind a copy that was not there before.
    words[copy + RECORD_VERSION] = version
    for (let i = RECORD_KEY; i < size; i++) words[copy + i] = words[record + i]
  }

  /** An extent moves together with the record that lists it, which is written anew. */
  private relocateExtent(extent: number, header: number): number {
    const { log } = this.tree.context
    this.key.copyFrom(this.bytes, (extent + EXTENT_KEY) * 4, keyBytesOf(header))
    for (;;) {
      if (this.findOpen() < 0) return this.shortOfPages()
      const record = this.findInChain(extent, true)
      if (record === 0) {
        log.unlink(extent)
        return 0
      }
      const above = this.heldAbove()
      const lacking = above !== 0 ? this.moveFound(above) : this.moveExtent(record, extent, wordsOf(header))
      if (lacking > 0) return lacking
      if (lacking === 0 && above === 0) return 0
    }
  }

  /** Looks for a version again, to move it, and the first that is HELD before it instead. */
  private moveFound(record: number): number {
    for (let wanted = record; ;) {
      if (this.findInChain(wanted, false) === 0) return -1
      const above = this.heldAbove()
      if (above === 0) return this.move(wanted)
      wanted = above
    }
  }

  private moveExtent(record: number, extent: number, size: number): number {
    const { words } = this
    const { log } = this.tree.context
    const header = alive(Atomics.load(words, record))
    const recordWords = wordsOf(header)
    if (log.available(STREAM_COLD) < size + recordWords) return (STREAM_COLD << 16) | (size + recordWords)
    const copy = log.reserve(STREAM_COLD, size)
    words.copyWithin(copy + 1, extent + 1, extent + size)
    log.complete(copy, alive(Atomics.load(words, extent)))
    const again = log.reserve(STREAM_COLD, recordWords)
    this.copyRecord(again, record, recordWords)
    words[again + this.listedAt(record, extent)] = copy
    log.complete(again, header)
    if (this.put(record, again)) {
      log.unlink(record)
      log.unlink(extent)
      return 0
    }
    log.abort(STREAM_COLD, again, recordWords)
    log.abort(STREAM_COLD, copy, size)
    return -1
  }

  /** Offset in the record of the list entry that names the extent, or -1. */
  private listedAt(record: number, extent: number): number {
    const header = Atomics.load(this.words, record)
    if (kindOf(header) !== KIND_EXTENT_RECORD) return -1
    const list = extentListAt(record, header)
    const count = this.words[list + 1]
    for (let i = 0; i < count; i++) if (this.words[list + 2 + i] === extent) return list + 2 + i - record
    return -1
  }
}
