/**
 * Merges: a page is absorbed by its left neighbour and its id is recycled. Any thread can finish what another began.
 *
 *  a. CAS the parent to a copy with a merge word that names the right page q by its index. From now on the parent cannot
 *     change but by the end of this merge, so q stays named by this parent, and not as its first child.
 *  b. CAS q's table word to REMOVED: q cannot split or be replaced any more. If it is a leaf, freeze it.
 *  c. Find the page that links to q (its left neighbour p, or a split of p that is not posted yet), freeze it, and CAS its
 *     table word to the union of both.
 *  d. CAS the parent to a copy without q and without merge word.
 *  e. CAS q's table word from REMOVED to RETIRED; the winner retires the id, once.
 *
 * A root with one child takes the child's content in (COLLAPSE): the same with the parent as the absorber.
 * Order of help: a page that is to be REMOVED or replaced first gets its own merge word finished, so a REMOVED inner page
 * never carries one, and the recursion goes down only.
 *
 * Death: after any step, whoever meets the merge word or the REMOVED page finishes it; between d and e only the helper's
 * intent word knows q, and the reaper does e.
 */
import { assert } from '../memory/assert.ts'
import { wordsOf } from '../log/block.ts'
import { BASE_EXTRA, slotWords } from '../pagecache/base.ts'
import { ADDRESS_MASK, REMOVED, ROOT } from '../pagecache/page-table.ts'
import { COUNTER, INTENT_PAGE } from '../reclaim/participant.ts'
import type { TreeContext } from './context.ts'
import { type InnerChanges, MAX_INNER_WORDS, type MergeHelper } from './inner-changes.ts'
import { type KeyBuffer, compareBytes } from './key.ts'
import { abandonPage, hasRoom, highFence, lowFence } from './leaf-changes.ts'
import type { Fence, LeafImage } from './leaf-image.ts'
import {
  COLLAPSE,
  NO_FENCE,
  NO_MERGE,
  childrenAt,
  highAt,
  highBytes,
  lowAt,
  lowBytes,
  pageCount,
  pageLevel,
  pageRight,
} from './page.ts'
import type { Search } from './search.ts'

/** Words by which the union of two pages may be larger than both, for its prefix. */
const FENCE_WORDS = 64

export class Merger implements MergeHelper {
  /** Whether the last finished merge left its parent underfull. */
  parentUnderfull = false
  private readonly context: TreeContext
  private readonly image: LeafImage
  private readonly inner: InnerChanges
  private readonly search: Search

  constructor(context: TreeContext, image: LeafImage, inner: InnerChanges, search: Search) {
    this.context = context
    this.image = image
    this.inner = inner
    this.search = search
  }

  /**
   * Merges the page of `level` that holds the key with a neighbour under the same parent, if it is underfull and both
   * together make a page of reasonable size. The caller is pinned.
   * @returns false on a shortage; a merge that has begun stays to be finished
   */
  tryMerge(key: KeyBuffer, level: number): boolean {
    const { context, search } = this
    const { words } = context.arena
    this.parentUnderfull = false
    search.descend(key, level + 1, false)
    const parentId = search.id
    const parent = search.base
    if (pageLevel(words, parent) !== level + 1) return true
    if (search.removed) return this.helpRemoved(key, level + 1)
    if (words[parent + BASE_EXTRA] !== NO_MERGE) return this.help(parentId, parent)
    const count = pageCount(words, parent)
    if (count === 1) {
      this.parentUnderfull = true
      if (parentId !== ROOT) return true
      const only = this.childBase(parent, 0)
      return only === 0 || this.begin(ROOT, parent, COLLAPSE, this.baseWords(only))
    }
    const index = search.childIndex(key, parent, false)
    if (!this.isUnderfull(parent, index, level)) return true
    if (index > 0 && this.unionFits(parent, index, level)) return this.beginAt(parentId, parent, index)
    if (index + 1 < count && this.unionFits(parent, index + 1, level)) {
      return this.beginAt(parentId, parent, index + 1)
    }
    return true
  }

  private childBase(parent: number, index: number): number {
    const { words } = this.context.arena
    const word = this.context.table.load(words[childrenAt(words, parent) + index])
    return word <= 0 || word >= REMOVED ? 0 : word
  }

  private load(base: number, level: number): number {
    return level === 0 ? this.context.cache.countFragments(base) : pageCount(this.context.arena.words, base)
  }

  private limit(level: number): number {
    const { layout } = this.context.arena
    return level === 0 ? layout.leafEntries : layout.innerEntries
  }

  private isUnderfull(parent: number, index: number, level: number): boolean {
    const base = this.childBase(parent, index)
    return base !== 0 && this.load(base, level) <= this.limit(level) >>> 2
  }

  private unionFits(parent: number, index: number, level: number): boolean {
    const { words } = this.context.arena
    const left = this.childBase(parent, index - 1)
    const right = this.childBase(parent, index)
    if (left === 0 || right === 0) return false
    if (level > 0) {
      const both = wordsOf(Atomics.load(words, left)) + wordsOf(Atomics.load(words, right))
      if (both > MAX_INNER_WORDS) return false
    }
    const limit = this.limit(level)
    return this.load(left, level) + this.load(right, level) <= limit - (limit >>> 2)
  }

  private baseWords(base: number): number {
    return base === 0 ? 0 : wordsOf(Atomics.load(this.context.arena.words, base))
  }

  private beginAt(parentId: number, parent: number, index: number): boolean {
    const both = this.baseWords(this.childBase(parent, index - 1)) + this.baseWords(this.childBase(parent, index))
    return this.begin(parentId, parent, index, both + FENCE_WORDS)
  }

  /** Step a, if there is room for all the steps: a merge that stops half-way leaves frozen pages about. */
  private begin(parentId: number, parent: number, merge: number, childWords: number): boolean {
    const { context } = this
    if (!hasRoom(context, 2 * this.baseWords(parent) + childWords + 2 * slotWords(context.arena.layout.leafSlots)))
      return false
    const next = this.inner.withMergeWord(parentId, parent, merge)
    if (next === 0) return false
    if (!context.cache.replace(parentId, parent, next)) {
      abandonPage(context, next)
      return true
    }
    return this.help(parentId, next)
  }

  /** Finishes the merge that a parent's base names. @returns false on a shortage */
  help(parentId: number, parent: number): boolean {
    const { context } = this
    const { words } = context.arena
    const merge = words[parent + BASE_EXTRA]
    const id = words[childrenAt(words, parent) + (merge === COLLAPSE ? 0 : merge)]
    const removed = this.remove(id, parentId, parent, merge === COLLAPSE)
    if (removed <= 0) return removed === 0
    if (merge === COLLAPSE) return this.absorbIntoRoot(parent, id, removed)
    return this.absorb(parent, merge, id, removed) && this.dropChild(parentId, parent, merge, id, removed)
  }

  /** Step b. @returns the base of the removed page, 0 if the merge is over or called off, -1 on a shortage */
  private remove(id: number, parentId: number, parent: number, collapse: boolean): number {
    const { context } = this
    const { table, cache } = context
    const { words } = context.arena
    for (;;) {
      const word = table.load(id)
      if (word <= 0) return 0
      const base = word & ADDRESS_MASK
      if (word >= REMOVED) {
        if (pageLevel(words, base) === 0) cache.freeze(base)
        return base
      }
      // The page may be somebody else's by now: only if the parent still names it here is it ours to remove.
      if (table.load(parentId) !== parent) return 0
      if (collapse && pageRight(words, base) !== 0) return this.callOff(parentId, parent)
      if (pageLevel(words, base) > 0 && words[base + BASE_EXTRA] !== NO_MERGE) {
        if (!this.help(id, base)) return -1
        continue
      }
      table.cas(id, word, word | REMOVED)
    }
  }

  /** The only child of the root has split meanwhile: no collapse. */
  private callOff(parentId: number, parent: number): number {
    const next = this.inner.withMergeWord(parentId, parent, NO_MERGE)
    if (next === 0) return -1
    if (!this.context.cache.replace(parentId, parent, next)) abandonPage(this.context, next)
    return 0
  }

  /** Step c. @returns false on a shortage */
  private absorb(parent: number, merge: number, id: number, removed: number): boolean {
    const { context } = this
    const { words } = context.arena
    let left = words[childrenAt(words, parent) + merge - 1]
    for (;;) {
      const word = context.table.load(left)
      if (word <= 0 || word >= REMOVED) return true
      const right = pageRight(words, word)
      if (right !== id) {
        if (this.reachesPast(word, removed)) return true
        left = right
        continue
      }
      const level = pageLevel(words, word)
      if (level > 0 && words[word + BASE_EXTRA] !== NO_MERGE) {
        if (!this.help(left, word)) return false
        continue
      }
      const next = level === 0 ? this.leafUnion(left, word, removed) : this.inner.union(left, word, removed)
      if (next === 0) return false
      if (context.cache.replace(left, word, next)) {
        if (level === 0) this.image.forget()
        return true
      }
      abandonPage(context, next)
    }
  }

  /** Whether a page's range already covers the low end of the removed page. */
  private reachesPast(base: number, removed: number): boolean {
    const { words, bytes } = this.context.arena
    const high = highBytes(words, base)
    if (high === NO_FENCE) return true
    return compareBytes(bytes, highAt(base), high, lowAt(words, removed), lowBytes(words, removed)) > 0
  }

  private leafUnion(id: number, base: number, right: number): number {
    const { context, image } = this
    const { words } = context.arena
    const entries = pageCount(words, base) + pageCount(words, right) + 2 * context.arena.layout.leafSlots
    const low = lowFence(context, base)
    const high = highFence(context, right)
    if (!hasRoom(context, image.wordsNeeded(entries, low.length, highBytes(words, right)))) return 0
    context.cache.freeze(base)
    image.clear()
    image.gather(base, context.cache.frozen)
    image.gather(right, null)
    image.leaveOut()
    return image.write(id, pageRight(words, right), low, high, 0, image.count)
  }

  /**
   * Steps d and e. Only the winner of d does e: another helper cannot tell whether the parent was changed by d or merely
   * copied by the cleaner.
   * @returns false on a shortage
   */
  private dropChild(parentId: number, parent: number, merge: number, id: number, removed: number): boolean {
    const { context } = this
    if (context.table.load(parentId) !== parent) return true
    const next = this.inner.withoutChild(parentId, parent, merge)
    if (next === 0) return false
    if (!this.commit(parentId, parent, next, id, removed)) return true
    context.me.count(COUNTER.merges, 1)
    this.parentUnderfull = pageCount(context.arena.words, next) <= context.arena.layout.innerEntries >>> 2
    return true
  }

  /** CASes the parent so that nothing leads to the removed page any more, and retires that page. */
  private commit(parentId: number, parent: number, next: number, id: number, removed: number): boolean {
    const { context } = this
    const intent = context.me.at + INTENT_PAGE
    Atomics.store(context.arena.words, intent, id)
    const won = context.cache.replace(parentId, parent, next)
    if (won) this.retire(id, removed)
    else abandonPage(context, next)
    Atomics.store(context.arena.words, intent, 0)
    return won
  }

  /** The root takes its only child's content in. @returns false on a shortage */
  private absorbIntoRoot(root: number, id: number, removed: number): boolean {
    const { context, image } = this
    const { words, bytes } = context.arena
    if (context.table.load(ROOT) !== root) return true
    let next = 0
    if (pageLevel(words, removed) === 0) {
      const empty: Fence = { bytes, at: 0, length: 0 }
      const entries = pageCount(words, removed) + context.arena.layout.leafSlots
      if (!hasRoom(context, image.wordsNeeded(entries, 0, NO_FENCE))) return false
      image.clear()
      image.gather(removed, null)
      next = image.write(ROOT, 0, empty, null, 0, image.count)
    } else {
      next = this.inner.asRoot(removed)
    }
    if (next === 0) return false
    if (this.commit(ROOT, root, next, id, removed)) context.me.count(COUNTER.rootCollapses, 1)
    return true
  }

  /** Step e, exactly once: the CAS of the ownership word decides. */
  private retire(id: number, removed: number): void {
    if (this.context.table.retire(id, removed | REMOVED)) this.context.log.unlink(removed)
  }

  /** Finishes the merge of the page of `level` that holds the key, if its parent names one. @returns false on a shortage */
  helpRemoved(key: KeyBuffer, level: number): boolean {
    const { context, search } = this
    const { words } = context.arena
    search.descend(key, level + 1, false)
    const parent = search.base
    if (pageLevel(words, parent) !== level + 1) return true
    if (search.removed) return this.helpRemoved(key, level + 1)
    if (words[parent + BASE_EXTRA] === NO_MERGE) return true
    return this.help(search.id, parent)
  }

  /**
   * Settles a page that a dead participant's intent word names. Called by the reaper, pinned, while the dead one's pin
   * stands; the id is therefore still the page it was.
   */
  settleIntent(id: number, key: KeyBuffer): boolean {
    const { context, search } = this
    const { words, bytes } = context.arena
    const word = context.table.load(id)
    if (word <= 0) return true
    const base = word & ADDRESS_MASK
    const level = pageLevel(words, base)
    assert(id !== ROOT, 'the root was named by an intent')
    key.copyFrom(bytes, lowAt(words, base), lowBytes(words, base))
    if (word >= REMOVED) {
      for (;;) {
        search.descend(key, level + 1, false)
        const parent = search.base
        if (pageLevel(words, parent) !== level + 1 || words[parent + BASE_EXTRA] === NO_MERGE) break
        if (!this.help(search.id, parent)) return false
      }
      this.retire(id, base)
      return true
    }
    search.descend(key, level, false)
    if (search.id === id || context.table.load(id) !== word) return true
    // Installed, but the split that would have linked it was never done.
    if (context.table.retire(id, word)) context.log.unlink(base)
    return true
  }
}
