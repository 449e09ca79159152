/**
 * The evictor: lets records leave a partial tree that are below it, leaf by leaf round the tree, with a second chance.
 *
 * Readers mark the leaf that they read (LEAF_READ). The hand takes the mark from a leaf that has it and goes on; from one that
 * has none leaves whatever may (residence.ts, 2): records and tombstones that are clean, with nothing behind them that is
 * needed, and for which no snapshot needs the tree. A record leaves by one CAS of its word to what stands for none (EMPTIED
 * without an address), which search passes by and consolidation drops.
 *
 * Why nothing is lost. What is CASed away is the head at that moment; it is stamped before CLEAN, so it is below, and so is
 * nothing newer, since that would be the head. Whoever wants to overwrite it meanwhile fails at his CAS and finds the key missing.
 *
 * Thread safety: any number of evictors; all of it is done by CAS. Progress: wait-free for each word, one critical region for each
 * leaf. Death: after the CAS a record that is not accounted for, which the cleaner finds.
 */
import { BASE_EXTRA, BASE_SHAPE, countOf, slotsOf } from '../pagecache/base.ts'
import { EMPTIED, FRAGMENT_MASK, SEALED } from '../pagecache/fragment.ts'
import { COUNTER } from '../reclaim/participant.ts'
import type { TreeContext } from './context.ts'
import { clearAborted } from './filling.ts'
import { KeyBuffer } from './key.ts'
import { LEAF_READ, NO_FENCE, headsAt, highAt, highBytes } from './page.ts'
import { RECORD_VERSION, weightOf } from './record.ts'
import { unlinkRecord } from './record-writer.ts'
import { Search } from './search.ts'
import { ABORTED, STAMPED } from './stamp.ts'
import type { Tree } from './tree.ts'

/** What a step came to. */
export interface EvictorCounts {
  /** Words of records that left. */
  words: number
  /** Records that stayed since they are not clean, or are needed. */
  stayed: number
}

export class Evictor {
  readonly counts: EvictorCounts = { words: 0, stayed: 0 }
  private readonly tree: Tree
  private readonly context: TreeContext
  private readonly words: Int32Array
  private readonly search: Search
  /** Where the hand stands: the low fence of the next leaf. */
  private readonly from = new KeyBuffer()
  /** What the leaf has left. */
  private left = 0
  private running = false

  constructor(tree: Tree) {
    this.tree = tree
    this.context = tree.context
    this.words = tree.context.arena.words
    this.search = new Search(tree.context.arena)
    this.from.finish(0)
  }

  /**
   * Goes on by one leaf. Not inside a critical region.
   * @param merges whether the leaf is merged with a neighbour if it has become underfull: not in the middle of an operation
   * @returns whether the hand has come round
   */
  step(merges: boolean): boolean {
    if (this.running) return true
    const { scheme, residence } = this.context
    this.running = true
    this.left = -1
    scheme.enter()
    try {
      if (!residence.isPartial()) return true
      if (merges) this.tree.key.copyFrom(this.from.bytes, 0, this.from.length)
      this.visit()
    } finally {
      scheme.leave()
      this.running = false
    }
    if (merges && this.left >= 0) this.tree.upkeep.mergeHere(this.left)
    return this.from.length === 0
  }

  private visit(): void {
    const { words, search } = this
    search.descend(this.from, 0, false)
    const { base } = search
    const length = highBytes(words, base)
    const isRead = (Atomics.load(words, base + BASE_EXTRA) & LEAF_READ) !== 0
    if (isRead) Atomics.and(words, base + BASE_EXTRA, ~LEAF_READ)
    else if (!search.removed) this.empty(base)
    if (length === NO_FENCE) this.from.finish(0)
    else this.from.copyFrom(this.context.arena.bytes, highAt(base), length)
  }

  private empty(base: number): void {
    const { words } = this
    const shape = words[base + BASE_SHAPE]
    const first = headsAt(words, base) + countOf(shape)
    const slots = first + countOf(shape)
    let left = 0
    let gone = 0
    this.context.residence.begin()
    for (let at = first; at < slots + slotsOf(shape); at++) {
      const word = Atomics.load(words, at)
      if (at >= slots && (word === 0 || word === SEALED)) break
      if ((word & FRAGMENT_MASK) === 0) continue
      if (this.evict(at, word)) gone++
      else left++
    }
    this.counts.stayed += left
    if (gone > 0) this.left = left
  }

  /** Has what a word leads to leave, if it may. The caller is pinned, and has begun. @returns whether it left */
  evict(at: number, word: number): boolean {
    const { words, context } = this
    const { versions, residence, me, cache } = context
    if (word < 0) return false
    const head = word & FRAGMENT_MASK
    const version = Atomics.load(words, head + RECORD_VERSION)
    if (version < STAMPED) return version === ABORTED && clearAborted(context, at, word)
    const weight = weightOf(words, head)
    if ((word & EMPTIED) !== 0) {
      if (!versions.release(at, word)) return false
    } else {
      if (!residence.mayLeave(version)) return false
      if (!versions.isVoid(head, version) && !versions.trim(head, version)) return false
      if (!cache.overwrite(at, word, EMPTIED)) return false
      unlinkRecord(context, head)
    }
    this.counts.words += weight
    me.count(COUNTER.evictions, 1)
    return true
  }
}
