/**
 * Filling: what lies below a partial tree is brought up into it, a key at a time.
 *
 * Whoever misses a key notes where its record would be linked: the base of its leaf, the first free slot, the epoch of his
 * pin and CLEAN, loaded in this order. Then he looks below, unpinned, and links a record of what he found, or a tombstone
 * if there was nothing, if the key is still missing and its leaf still has that base and that slot free.
 *
 * Why that is what the key holds then. The slots of a base are used in order, and no slot is free again, so nothing has
 * been linked into that base since: the key has not been changed since it was missed, by the invariant that whatever
 * changes a key that is missing is linked. By residence.ts, 1, what was found below is the key's state at that time, or
 * at a later one, so it is the state now. The base is the same one and not another at its address if two epochs have not passed
 * since the pin in which it was met first; looked at after it was met again, under a pin, so that it stays the same until
 * the CAS (Tree.hasPassed has the same argument).
 *
 * The stamp of what is brought up is the last one before CLEAN. The change that it stands for was stamped before that (it
 * was clean, else it had been found), so a snapshot at that stamp or later sees rightly what is brought up; an earlier one
 * looks past it, and finds what it is to see behind it, or in what it holds. It is clean from the beginning. Were the filler
 * held up for so long that a sweep of the clock goes past the stamp, the record can be taken for a later one: it is looked past by
 * snapshots, which find the same below.
 *
 * Thread safety: private to one participant. Progress: lock-free: a fill fails only if something was linked into the leaf, or
 * the leaf was replaced. Death: a record that nothing leads to, or one that is linked.
 */
import { ROOM_OPTIONAL, ROOM_ORDINARY, STREAM_RECORDS } from '../log/log.ts'
import { BASE_EXTRA } from '../pagecache/base.ts'
import { EMPTIED } from '../pagecache/fragment.ts'
import { hasPassed } from '../reclaim/garbage.ts'
import { COUNTER, STATE } from '../reclaim/participant.ts'
import type { Below } from './below.ts'
import type { TreeContext } from './context.ts'
import { type KeyBuffer, RECORD_KEY } from './key.ts'
import { LEAF_READ } from './page.ts'
import { RECORD_VERSION } from './record.ts'
import type { RecordWriter } from './record-writer.ts'
import { Residence } from './residence.ts'
import type { Search } from './search.ts'
import { ABORTED } from './stamp.ts'
import type { Upkeep } from './upkeep.ts'

/** What a look at the tree says of the key. */
const KNOWN = 0
const MISSING = 1
const AGAIN = 2

/** In place of a free slot: something of the key stands in the leaf. */
const TAKEN = -1

/** Words that a record may take beside its key and its value. */
const RECORD_OVERHEAD = RECORD_KEY + 2

/** What of the tree is used. */
interface Parts {
  readonly key: KeyBuffer
  readonly search: Search
  readonly writer: RecordWriter
}

export class Filling {
  private readonly context: TreeContext
  private readonly words: Int32Array
  private readonly tree: Parts
  private readonly upkeep: Upkeep
  /** Where the key was missed. */
  private base = 0
  private slot = 0
  private since = 0
  private version = 0

  constructor(context: TreeContext, tree: Parts, upkeep: Upkeep) {
    this.context = context
    this.words = context.arena.words
    this.tree = tree
    this.upkeep = upkeep
  }

  /** Notes where the search has just missed the key. The caller is pinned. */
  note(): void {
    const { search } = this.tree
    const { residence, clock, me } = this.context
    this.base = search.base
    // A head may stand there that belongs to a batch, or was aborted: not to be linked over.
    this.slot = search.record === 0 ? search.freeSlot : TAKEN
    this.since = Atomics.load(this.words, me.at + STATE) >>> 1
    this.version = Residence.versionOf(clock, residence.cleanCounter())
  }

  /** Marks the leaf just read, so that the evictor spares it for a round. The caller is pinned. */
  noteRead(): void {
    if (!this.context.residence.isPartial()) return
    const at = this.tree.search.base + BASE_EXTRA
    if ((Atomics.load(this.words, at) & LEAF_READ) === 0) Atomics.or(this.words, at, LEAF_READ)
  }

  /**
   * Sees to it that the tree knows the tree's key, one way or the other, at some moment of the call. Not inside a critical
   * region; the writer has no record.
   * @throws HeddleError HEDDLE_FULL, and what `below` throws; nothing has changed then
   */
  bring(below: Below): void {
    while (this.isMissing()) {
      const { key } = this.tree
      if (below.look(key)) this.write(below)
      else this.tree.writer.writeTombstone(key)
      if (this.link()) return
    }
  }

  /**
   * After `find` gave nothing and `below` has found the key: brings it up, if that costs little. Not inside a critical region.
   */
  offer(below: Below): void {
    const { log, arena } = this.context
    const { key } = this.tree
    if (this.slot <= 0) {
      if (this.slot === 0) this.makeSlot()
      return
    }
    if (below.length > arena.layout.inlineBytes) return
    const size = RECORD_OVERHEAD + ((key.length + below.length + 3) >>> 2)
    this.tree.writer.abandonLeft()
    if (!log.tryPrepare(STREAM_RECORDS, size, ROOM_OPTIONAL)) return
    this.write(below)
    this.link()
  }

  /** Has the leaf consolidated, so that the next one who misses the key finds a free slot. */
  private makeSlot(): void {
    const { scheme } = this.context
    scheme.enter()
    try {
      this.probe()
    } finally {
      scheme.leave()
    }
    this.upkeep.settleQuietly(ROOM_OPTIONAL)
  }

  private write(below: Below): void {
    const { key, writer } = this.tree
    const { bytes, layout } = this.context.arena
    const { value, length } = below
    if (length > layout.inlineBytes) {
      writer.writeLarge(key, value, length, below.ascii)
      return
    }
    const at = writer.begin(key, length)
    for (let i = 0; i < length; i++) bytes[at + i] = value[i]
    writer.finish(key.length, length, below.ascii)
  }

  /** Whether the tree says nothing of the key. Does what structural work stands in the way of linking it. */
  private isMissing(): boolean {
    const { scheme } = this.context
    for (;;) {
      let outcome = AGAIN
      scheme.enter()
      try {
        outcome = this.probe()
      } finally {
        scheme.leave()
      }
      if (outcome !== AGAIN) return outcome === MISSING
      this.upkeep.settle(ROOM_ORDINARY)
    }
  }

  private probe(): number {
    const { search, key } = this.tree
    const { versions, residence } = this.context
    search.locate(key)
    this.upkeep.noteUnposted()
    if (search.record !== 0) {
      const version = versions.stamp(search.record)
      if (version < 0) this.upkeep.notePending()
      if (version < 0) return AGAIN
      if (versions.current(search.word) !== 0 || !versions.unknown) return KNOWN
      if (!this.upkeep.isOpen()) return AGAIN
      clearAborted(this.context, search.at, search.word)
      return AGAIN
    }
    if (!residence.isPartial()) return KNOWN
    if (!this.upkeep.hasSlot()) return AGAIN
    this.note()
    return MISSING
  }

  /** Links the writer's record where the key was missed. @returns false if it may not be that any more */
  private link(): boolean {
    const { scheme } = this.context
    let linked = false
    scheme.enter()
    try {
      linked = this.tryLink()
    } finally {
      scheme.leave()
      if (!linked) this.tree.writer.abandon()
    }
    return linked
  }

  private tryLink(): boolean {
    const { context, words } = this
    const { search, key, writer } = this.tree
    const { record } = writer
    search.locate(key)
    if (search.record !== 0 || search.removed || this.slot <= 0) return false
    if (search.base !== this.base || search.freeSlot !== this.slot) return false
    if (hasPassed(this.since, context.scheme.epoch())) return false
    // Private until it is linked.
    words[record + RECORD_VERSION] = this.version
    const isTombstone = context.versions.isTombstone(record)
    const next = record | (isTombstone ? EMPTIED : 0)
    if (!context.cache.link(this.base, this.slot, next, key.tag)) return false
    writer.linked()
    if (isTombstone) context.versions.countKept(record)
    context.me.count(COUNTER.fills, 1)
    return true
  }
}

/**
 * Takes an aborted record out of its word if nothing stands behind it: the key is missing then. The caller is pinned.
 * @returns whether it did
 */
export function clearAborted(context: TreeContext, at: number, word: number): boolean {
  const { versions, cache } = context
  const head = word & ~EMPTIED
  if (word < 0 || versions.stamp(head) !== ABORTED || versions.holdAborted(head) !== 0) return false
  if (!cache.overwrite(at, word, EMPTIED)) return false
  versions.dropAborted(head, 0, false)
  return true
}
