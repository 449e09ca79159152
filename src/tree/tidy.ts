/**
 * A walk over all leaves that lets go of versions that no snapshot needs, and, as a sweep, of old stamps.
 *
 * Chains are trimmed whenever their key is written; the walk is for keys that nobody writes any more. A sweep lets the
 * clock go on: it takes the value of the clock some way back (the horizon), ends the snapshots before it, and sees to it
 * that no stamp before it is left: versions are marked ANCIENT, deaths go with their records. When it is through, the
 * clock may go on from there (clock.ts).
 *
 * Why no old stamp comes back: what was installed before the walk began is stamped by it, so whoever loaded the clock
 * before and stalled fails at his CAS; what is installed later is stamped with the clock of later, which is not before
 * the horizon. A mover that copied a stamp before it was rewritten has HELD the record, and is made to fail by putting a
 * copy in its place first.
 *
 * Why a sweep that is held up does no harm. Its horizon can be compared with stamps as long as the clock has not gone on
 * for half of its range since, for which it needs another sweep to be through. So before each change it looks whether
 * one was, after it has loaded what it goes by: if not, then it was right; if so, it gives up, since the clock can go on.
 *
 * Thread safety: any number of threads may walk; all of it is done by CAS. Progress: lock-free, O(n), one critical region
 * for each leaf. Death: a walk that was not finished leaves nothing.
 */
import type { Relocate } from '../log/cleaner.ts'
import { ROOM_PROMISED, STREAM_PAGES } from '../log/log.ts'
import { EMPTIED, FRAGMENT_MASK, SEALED } from '../pagecache/fragment.ts'
import { BASE_SHAPE, countOf, slotsOf } from '../pagecache/base.ts'
import type { TreeContext } from './context.ts'
import { KeyBuffer } from './key.ts'
import { NO_FENCE, headsAt, highAt, highBytes } from './page.ts'
import { ABORTED } from './stamp.ts'
import type { Tree } from './tree.ts'

/** What a step over a leaf or a word gives if it is not the room, stream << 16 | words, that it lacks. */
const ON = 0
const END = -1
const AGAIN = -2
const STUCK = -3

export class Tidy {
  private readonly tree: Tree
  private readonly context: TreeContext
  private readonly words: Int32Array
  private readonly relocate: Relocate
  private readonly from = new KeyBuffer()
  /** While sweeping, the stamp before which none may be left; else -1. */
  private horizon = -1
  private walking = false
  /** Whether also what is HELD, or frozen, is to be let go, by copies. */
  private thorough = false

  /** @param relocate puts a copy in a record's place */
  constructor(tree: Tree, relocate: Relocate) {
    this.tree = tree
    this.context = tree.context
    this.words = tree.context.arena.words
    this.relocate = relocate
  }

  /**
   * Lets go of what can be let go. Not inside a critical region. O(n).
   * @param thorough also of what a record that is HELD keeps, which needs a copy of it
   * @returns whether it went over all leaves; not if it is called by a walk that looks for room, or finds none itself
   */
  trimAll(thorough: boolean): boolean {
    if (this.walking) return false
    this.thorough = thorough
    try {
      return this.walkAll()
    } finally {
      this.thorough = false
    }
  }

  /**
   * Makes the clock able to go on for half of its range at least. Ends snapshots from before the last quarter of it. Not
   * inside a critical region.
   * @returns false if a record that had to be copied found no room, or if what is below the tree is not newer than the last
   * horizon
   */
  sweep(): boolean {
    const { clock, snapshots } = this.context
    const swept = clock.swept()
    const counter = this.context.residence.horizonWithin(clock.horizonOf(clock.load(), swept), swept)
    if (counter < 0) return false
    this.horizon = clock.stampOf(counter << 1)
    this.thorough = true
    snapshots.beginHorizon(this.horizon, swept)
    try {
      snapshots.expireBeforeHorizon()
      if (!this.walkAll()) return false
    } finally {
      snapshots.endHorizon()
      this.horizon = -1
      this.thorough = false
    }
    clock.sweptTo(swept, counter)
    return true
  }

  private walkAll(): boolean {
    const { scheme } = this.context
    this.walking = true
    this.from.finish(0)
    try {
      for (;;) {
        let lacking = 0
        scheme.enter()
        try {
          lacking = this.walkLeaf()
        } finally {
          scheme.leave()
        }
        if (lacking === END || this.context.snapshots.isOutrun()) return true
        if (lacking === STUCK) return false
        if (lacking > 0 && !this.context.log.tryPrepare(lacking >>> 16, lacking & 0xffff, ROOM_PROMISED)) return false
      }
    } finally {
      this.walking = false
    }
  }

  /** Goes through one leaf, the same as before if something stood in the way. */
  private walkLeaf(): number {
    const { words } = this
    const { search } = this.tree
    search.descend(this.from, 0, false)
    const { id, base } = search
    const shape = words[base + BASE_SHAPE]
    const first = headsAt(words, base) + countOf(shape)
    const slots = first + countOf(shape)
    for (let at = first; at < slots + slotsOf(shape); at++) {
      const word = Atomics.load(words, at)
      if (at >= slots && (word === 0 || word === SEALED)) break
      if ((word & FRAGMENT_MASK) === 0) continue
      const lacking = this.tidyWord(at, word, id, base)
      if (lacking !== ON) return lacking
    }
    const length = highBytes(words, base)
    if (length === NO_FENCE) return END
    this.from.copyFrom(this.context.arena.bytes, highAt(base), length)
    return ON
  }

  private tidyWord(at: number, word: number, id: number, base: number): number {
    const { versions } = this.context
    const head = word & FRAGMENT_MASK
    const version = versions.stamp(head)
    if (version < 0) {
      this.context.shortage = 0
      return this.context.batches.finish(-version) ? AGAIN : this.lacking()
    }
    if (version === ABORTED && this.thorough) {
      const lacking = this.relocate(head, Atomics.load(this.words, head))
      return lacking > 0 ? lacking : lacking === 0 ? AGAIN : STUCK
    }
    if (!versions.isVoid(head, version)) versions.trim(head, version)
    if ((word & EMPTIED) !== 0 && versions.isGone(head)) {
      if (versions.release(at, word) || !this.thorough) return ON
      // Another thread has changed the word; or it is frozen, and its record goes with its base.
      return word >= 0 ? AGAIN : this.replaceLeaf(id, base)
    }
    return this.thorough ? this.renewChain(head) : ON
  }

  /** What a change of the tree lacked that gave up. */
  private lacking(): number {
    return this.context.shortage > 0 ? (STREAM_PAGES << 16) | this.context.shortage : STUCK
  }

  /** Gets a frozen leaf, the one just found, out of the way: by the merge that it goes in, or by its successor. */
  private replaceLeaf(id: number, base: number): number {
    const { tree, context } = this
    context.shortage = 0
    const done = tree.search.removed ? tree.finishRemoval(base) : tree.consolidate(id, base)
    return done ? AGAIN : this.lacking()
  }

  /** Ages the versions behind a word, and replaces those that are HELD by copies. */
  private renewChain(head: number): number {
    const { versions } = this.context
    for (let record = head; record !== 0;) {
      if (this.horizon >= 0) versions.age(record, this.horizon)
      const version = versions.stamp(record)
      const behind = versions.behind(record, version)
      if (versions.isHeld(record) && (behind !== 0 || this.horizon >= 0)) {
        const lacking = this.relocate(record, Atomics.load(this.words, record))
        // Less than 0: a page must be split first, and all page ids are in use.
        if (lacking < 0) return STUCK
        return lacking > 0 ? lacking : AGAIN
      }
      record = behind
    }
    return ON
  }
}
