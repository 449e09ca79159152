/**
 * How the tree gets blocks out of a segment that is to be cleaned: the callback that the log's cleaner is given.
 *
 * A block of a sealed segment is either reachable now or never again (log.ts), so a block that its key or page id does not
 * lead to is dead, whoever left it behind. A record is copied to the participant's cold segment and its word CASed from
 * the old address to the new one: no logical change, so a concurrent writer that loses to it just looks again.
 */
import type { Relocate } from '../log/cleaner.ts'
import { KIND_EXTENT, KIND_EXTENT_RECORD, KIND_PAGE, keyBytesOf, kindOf, wordsOf } from '../log/block.ts'
import { STREAM_COLD, STREAM_PAGES } from '../log/log.ts'
import { BASE_ID } from '../pagecache/base.ts'
import { ADDRESS_MASK, REMOVED } from '../pagecache/page-table.ts'
import { Approach } from './approach.ts'
import { KeyBuffer } from './key.ts'
import { EXTENT_KEY, RECORD_VERSION, extentListAt, recordKeyAt } from './record.ts'
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
    if (kind !== KIND_EXTENT) return search.record === block
    return search.record !== 0 && this.listedAt(search.record, search.header, block) >= 0
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
   * Finds the record that the tree holds under a block's key, and makes its word ready for a CAS.
   * @returns 1 if it is there, 0 if there is none, otherwise -1: a shortage
   */
  private findOpen(): number {
    const { search, context } = this.tree
    for (;;) {
      search.locate(this.key)
      if (search.record === 0) return 0
      if (search.removed) {
        if (!this.tree.finishRemoval(search.base)) return -1
      } else if (search.word < 0) {
        if (!context.cache.materializer.consolidate(search.id, search.base)) return -1
      } else return 1
    }
  }

  private relocateRecord(record: number, header: number): number {
    const { search, context } = this.tree
    const { log } = context
    const size = wordsOf(header)
    const entry = this.approach.entryOf(record)
    if (entry !== 0) {
      const copy = log.reserve(STREAM_COLD, size)
      if (copy === 0) return (STREAM_COLD << 16) | size
      if (this.moveTo(copy, record, header, entry, record)) return 0
    }
    this.key.copyFrom(this.bytes, recordKeyAt(record), keyBytesOf(header))
    for (;;) {
      const found = this.findOpen()
      if (found < 0) return this.shortOfPages()
      if (found === 0 || search.record !== record) {
        log.unlink(record)
        return 0
      }
      const copy = log.reserve(STREAM_COLD, size)
      if (copy === 0) return (STREAM_COLD << 16) | size
      if (this.moveTo(copy, record, header, search.at, search.word)) return 0
    }
  }

  /** Copies a record and swings its word over. @returns false if another thread changed the word; the copy is gone then */
  private moveTo(copy: number, record: number, header: number, at: number, word: number): boolean {
    const { log, cache } = this.tree.context
    const size = wordsOf(header)
    this.copyRecord(copy, record, size)
    log.complete(copy, header)
    if (!cache.overwrite(at, word, copy)) {
      log.abort(STREAM_COLD, copy, size)
      return false
    }
    log.unlink(record)
    return true
  }

  private copyRecord(copy: number, record: number, size: number): void {
    const { words } = this
    // The version may be stamped meanwhile; a stamp that lands on the old copy only is given again to the new one.
    words[copy + RECORD_VERSION] = Atomics.load(words, record + RECORD_VERSION)
    for (let i = RECORD_VERSION + 1; i < size; i++) words[copy + i] = words[record + i]
  }

  /** An extent moves together with the record that lists it, which is written anew. */
  private relocateExtent(extent: number, header: number): number {
    const { search, context } = this.tree
    const { log } = context
    const { words } = this
    const size = wordsOf(header)
    this.key.copyFrom(this.bytes, (extent + EXTENT_KEY) * 4, keyBytesOf(header))
    for (;;) {
      const found = this.findOpen()
      if (found < 0) return this.shortOfPages()
      const { record } = search
      const listAt = found === 0 ? -1 : this.listedAt(record, search.header, extent)
      if (listAt < 0) {
        log.unlink(extent)
        return 0
      }
      const recordWords = wordsOf(search.header)
      if (log.available(STREAM_COLD) < size + recordWords) return (STREAM_COLD << 16) | (size + recordWords)
      const copy = log.reserve(STREAM_COLD, size)
      words.copyWithin(copy + 1, extent + 1, extent + size)
      log.complete(copy, header)
      const again = log.reserve(STREAM_COLD, recordWords)
      this.copyRecord(again, record, recordWords)
      words[again + listAt] = copy
      log.complete(again, search.header)
      if (context.cache.overwrite(search.at, search.word, again)) {
        log.unlink(record)
        log.unlink(extent)
        return 0
      }
      log.abort(STREAM_COLD, again, recordWords)
      log.abort(STREAM_COLD, copy, size)
    }
  }

  /** Offset in the record of the list entry that names the extent, or -1. */
  private listedAt(record: number, header: number, extent: number): number {
    if (kindOf(header) !== KIND_EXTENT_RECORD) return -1
    const list = extentListAt(record, header)
    const count = this.words[list + 1]
    for (let i = 0; i < count; i++) if (this.words[list + 2 + i] === extent) return list + 2 + i - record
    return -1
  }
}
