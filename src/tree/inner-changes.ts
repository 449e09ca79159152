/**
 * Postings of separators, and splits of inner pages.
 *
 * A posting names a page in its parent. Late postings are the trap of B-link trees with merges: a stalled thread must not
 * name a page that has been merged away meanwhile. Here a page can only be merged while its parent names it, and the merge
 * begins by replacing the parent's base. So a poster that (1) loads the parent, (2) then sees that the page is not being
 * removed, and (3) CASes the parent, is right: had the page been posted, merged and retired in between, the CAS would fail.
 * While a parent carries a merge word, nothing else may change it: whoever comes first helps to finish the merge.
 */
import { assert } from '../memory/assert.ts'
import { BASE_EXTRA } from '../pagecache/base.ts'
import { REMOVED, ROOT } from '../pagecache/page-table.ts'
import { COUNTER, INTENT_PAGE } from '../reclaim/participant.ts'
import type { TreeContext } from './context.ts'
import type { InnerImage } from './inner-image.ts'
import { KeyBuffer } from './key.ts'
import { abandonPage, hasRoom, highFence, lowFence, showRoot, smallRootWords, takePair } from './leaf-changes.ts'
import type { Fence } from './leaf-image.ts'
import { NO_MERGE, childrenAt, highBytes, lowAt, lowBytes, pageCount, pageLevel, pageRight } from './page.ts'
import type { Search } from './search.ts'

/** Helps a merge that stands in the way. @returns false on a shortage */
export interface MergeHelper {
  help(parentId: number, parent: number): boolean
  helpRemoved(key: KeyBuffer, level: number): boolean
}

/** A base never takes more words than this, so that it fits any segment with room to spare. */
export const MAX_INNER_WORDS = 1536

export class InnerChanges {
  /** Id of the right half of the last inner split, to be posted; 0 if none. */
  split = 0
  helper: MergeHelper | null = null
  private readonly context: TreeContext
  private readonly image: InnerImage
  private readonly search: Search
  private readonly key = new KeyBuffer()

  constructor(context: TreeContext, image: InnerImage, search: Search) {
    this.context = context
    this.image = image
    this.search = search
  }

  /**
   * Makes sure that a page is named by its parent, unless it is gone. The caller is pinned.
   * @returns false on a shortage
   */
  ensurePosted(id: number): boolean {
    const { context, search, key } = this
    const { words, bytes } = context.arena
    for (;;) {
      const word = context.table.load(id)
      if (word <= 0 || word >= REMOVED || lowBytes(words, word) === 0) return true
      const level = pageLevel(words, word)
      key.copyFrom(bytes, lowAt(words, word), lowBytes(words, word))
      search.descend(key, level + 1, false)
      const parentId = search.id
      const parent = search.base
      if (pageLevel(words, parent) !== level + 1) return true
      if (search.removed) {
        if (!this.helper!.helpRemoved(key, level + 1)) return false
        continue
      }
      if (words[parent + BASE_EXTRA] !== NO_MERGE) {
        if (!this.helper!.help(parentId, parent)) return false
        continue
      }
      const index = search.childIndex(key, parent, false)
      if (words[childrenAt(words, parent) + index] === id) return true
      // Read after the parent: the argument at the head of this file.
      const again = context.table.load(id)
      if (again <= 0 || again >= REMOVED) return true
      const posted = this.post(parentId, parent, index + 1, id)
      if (posted < 0) return false
      if (posted > 0) return true
    }
  }

  /** @returns 1 done, 0 lost against another change, -1 shortage */
  private post(parentId: number, parent: number, index: number, id: number): number {
    const { context, image, key } = this
    const { words } = context.arena
    const low = lowFence(context, parent)
    image.clear()
    image.load(parent, low)
    image.insert(index, id, key.bytes, 0, key.length)
    const size = image.wordsNeeded(0, image.count, low.length, highBytes(words, parent))
    if (image.count > context.arena.layout.innerEntries || (size > MAX_INNER_WORDS && image.count > 3)) {
      return this.splitInner(parentId, parent)
    }
    const next = this.writeWhole(parentId, parent, NO_MERGE)
    if (next === 0) return -1
    if (context.cache.replace(parentId, parent, next)) return 1
    abandonPage(context, next)
    return 0
  }

  /** Writes the image as the successor of `base`: same place in the tree, other children. 0 on a shortage. */
  private writeWhole(id: number, base: number, merge: number): number {
    const { context, image } = this
    const { words } = context.arena
    const level = pageLevel(words, base)
    const right = pageRight(words, base)
    return image.write(id, level, right, lowFence(context, base), highFence(context, base), merge, 0, image.count)
  }

  /** Words that both halves take, and the new root if it is the root that splits. */
  private splitWords(id: number, base: number, at: number, separator: Fence): number {
    const { context, image } = this
    const { words } = context.arena
    const left = image.wordsNeeded(0, at, lowBytes(words, base), separator.length)
    const right = image.wordsNeeded(at, image.count, separator.length, highBytes(words, base))
    return left + right + (id === ROOT ? smallRootWords(separator.length) : 0)
  }

  private splitInner(id: number, base: number): number {
    const { context, image } = this
    const { words } = context.arena
    const at = image.count >>> 1
    const separator = image.separator(at)
    const bound = this.splitWords(id, base, at, separator)
    if (!hasRoom(context, bound)) return -1
    if (id === ROOT) return this.splitRoot(base, at, separator)
    const rightId = context.table.allocate()
    if (rightId === 0) {
      context.shortage = 0
      return -1
    }
    Atomics.store(words, context.me.at + INTENT_PAGE, rightId)
    const level = pageLevel(words, base)
    const low = lowFence(context, base)
    const high = highFence(context, base)
    const right = image.write(rightId, level, pageRight(words, base), separator, high, NO_MERGE, at, image.count)
    const left = image.write(id, level, rightId, low, separator, NO_MERGE, 0, at)
    assert(left !== 0 && right !== 0, 'a split found less room than was checked')
    context.table.install(rightId, right)
    const won = context.cache.replace(id, base, left)
    if (won) {
      this.split = rightId
      context.me.count(COUNTER.splits, 1)
    } else {
      context.table.putBack(rightId)
      abandonPage(context, left)
      abandonPage(context, right)
    }
    Atomics.store(words, context.me.at + INTENT_PAGE, 0)
    return won ? 1 : 0
  }

  private splitRoot(base: number, at: number, separator: Fence): number {
    const { context, image } = this
    const { words } = context.arena
    const pair = takePair(context)
    if (pair === null) return -1
    const [leftId, rightId] = pair
    const level = pageLevel(words, base)
    const empty: Fence = { bytes: separator.bytes, at: 0, length: 0 }
    const left = image.write(leftId, level, rightId, empty, separator, NO_MERGE, 0, at)
    const right = image.write(rightId, level, 0, separator, null, NO_MERGE, at, image.count)
    // The separator lies in the image's bytes, which stay in place while the image is refilled behind them.
    const keep = separator.bytes.slice(separator.at, separator.at + separator.length)
    image.clear()
    image.append(leftId, keep, 0, 0)
    image.append(rightId, keep, 0, keep.length)
    const next = image.write(ROOT, level + 1, 0, empty, null, NO_MERGE, 0, 2)
    showRoot(context, base, next, leftId, left, rightId, right)
    return 1
  }

  /** Copies an inner page as it is: how the cleaner gets it out of a segment. @returns false on a shortage */
  copy(id: number, base: number): boolean {
    const { context } = this
    const next = this.withMergeWord(id, base, context.arena.words[base + BASE_EXTRA])
    if (next === 0) return false
    if (!context.cache.replace(id, base, next)) abandonPage(context, next)
    return true
  }

  /** Writes a copy of an inner page with another merge word, not linked. 0 on a shortage. */
  withMergeWord(id: number, base: number, merge: number): number {
    this.image.clear()
    this.image.load(base, lowFence(this.context, base))
    return this.writeWhole(id, base, merge)
  }

  /** Writes a copy of an inner page without one child and without merge word, not linked. 0 on a shortage. */
  withoutChild(id: number, base: number, index: number): number {
    this.image.clear()
    this.image.load(base, lowFence(this.context, base))
    this.image.remove(index)
    return this.writeWhole(id, base, NO_MERGE)
  }

  /** Writes the union of an inner page and its right neighbour, not linked. 0 on a shortage. */
  union(id: number, base: number, rightBase: number): number {
    const { context, image } = this
    const { words } = context.arena
    image.clear()
    image.load(base, lowFence(context, base))
    image.load(rightBase, lowFence(context, rightBase))
    const level = pageLevel(words, base)
    const right = pageRight(words, rightBase)
    return image.write(
      id,
      level,
      right,
      lowFence(context, base),
      highFence(context, rightBase),
      NO_MERGE,
      0,
      image.count,
    )
  }

  /** Writes an inner page's children as the root's content, not linked. 0 on a shortage. */
  asRoot(base: number): number {
    const { context, image } = this
    const { words } = context.arena
    const empty: Fence = { bytes: context.arena.bytes, at: 0, length: 0 }
    image.clear()
    image.load(base, empty)
    return image.write(ROOT, pageLevel(words, base), 0, empty, null, NO_MERGE, 0, pageCount(words, base))
  }
}
