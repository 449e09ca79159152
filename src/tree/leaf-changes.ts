/**
 * Consolidation and split of leaves.
 *
 * Every change begins by freezing the leaf; after that what follows is a function of the frozen content, so any thread
 * may do it, and the one whose CAS of the table word succeeds has done it for all. A split is that one CAS: the right
 * half is shown under its own id before, but nobody can know the id. The parent hears of it later, from anyone.
 *
 * Death: before the CAS, an id and two blocks are left; the id is named by the participant's intent words, the blocks
 * are dead words. After it, the parent's posting is missing, which the next writer that comes over the link makes up for.
 */
import { assert } from '../memory/assert.ts'
import { keyBytesOf, wordsOf } from '../log/block.ts'
import { STREAM_PAGES } from '../log/log.ts'
import { BASE_SHAPE, countOf, slotsOf } from '../pagecache/base.ts'
import { ROOT } from '../pagecache/page-table.ts'
import { COUNTER, INTENT_PAGE, INTENT_PAGE_TWO } from '../reclaim/participant.ts'
import type { TreeContext } from './context.ts'
import type { InnerImage } from './inner-image.ts'
import { MOST_KEY_BYTES, commonPrefix } from './key.ts'
import type { Fence, LeafImage } from './leaf-image.ts'
import { NO_FENCE, NO_MERGE, highAt, highBytes, lowAt, lowBytes, pageRight, preambleWords } from './page.ts'
import { recordHeader, recordKeyAt } from './record.ts'

/** Fences of a page as they lie in its base. */
export function lowFence(context: TreeContext, base: number): Fence {
  const { words, bytes } = context.arena
  return { bytes, at: lowAt(words, base), length: lowBytes(words, base) }
}

export function highFence(context: TreeContext, base: number): Fence | null {
  const { words, bytes } = context.arena
  const length = highBytes(words, base)
  return length === NO_FENCE ? null : { bytes, at: highAt(base), length }
}

/** Drops a base that was written and not linked. */
export function abandonPage(context: TreeContext, base: number): void {
  if (base !== 0) context.log.abort(STREAM_PAGES, base, wordsOf(Atomics.load(context.arena.words, base)))
}

/** Whether the open page segment has so many words left; notes the shortage otherwise. */
export function hasRoom(context: TreeContext, words: number): boolean {
  if (context.log.available(STREAM_PAGES) >= words) return true
  context.shortage = words
  return false
}

/** Words of a root with two children. */
export function smallRootWords(separatorBytes: number): number {
  return preambleWords(NO_FENCE, 0, 0) + 6 + ((separatorBytes + 3) >>> 2)
}

export class LeafChanges {
  /** Id of the right half of the last split, to be posted; 0 if none. */
  split = 0
  private readonly context: TreeContext
  private readonly image: LeafImage
  private readonly root: InnerImage

  constructor(context: TreeContext, image: LeafImage, root: InnerImage) {
    this.context = context
    this.image = image
    this.root = root
  }

  /**
   * Replaces a leaf's base by one that has all slots free again, or splits it. The caller is pinned.
   * @returns false on a shortage (context.shortage); the leaf is as it was, or frozen
   */
  consolidate(id: number, base: number): boolean {
    const { context, image } = this
    const { cache } = context
    const { words } = context.arena
    const entries = countOf(words[base + BASE_SHAPE]) + slotsOf(words[base + BASE_SHAPE])
    // Before the leaf is frozen, so that a full arena does not leave frozen leaves about.
    if (!hasRoom(context, image.wordsNeeded(entries, lowBytes(words, base), highBytes(words, base)))) return false
    const { leafEntries } = context.arena.layout
    if (entries > leafEntries && !this.hasAmpleRoom(base, entries) && !this.hasRoomForSplit(base)) return false
    cache.freeze(base)
    image.clear()
    image.gather(base, cache.frozen)
    image.leaveOut()
    if (image.count > leafEntries) return this.splitLeaf(id, base)
    const right = pageRight(context.arena.words, base)
    const next = image.write(id, right, lowFence(context, base), highFence(context, base), 0, image.count)
    if (!cache.replace(id, base, next)) abandonPage(context, next)
    else {
      image.forget()
      context.me.count(COUNTER.consolidations, 1)
    }
    return true
  }

  /** Whether there is room for a split of so many entries, however long its separator is: mostly there is. */
  private hasAmpleRoom(base: number, entries: number): boolean {
    const { context, image } = this
    const { words } = context.arena
    const left = image.wordsNeeded(entries, lowBytes(words, base), MOST_KEY_BYTES)
    const right = image.wordsNeeded(0, MOST_KEY_BYTES, highBytes(words, base))
    return context.log.available(STREAM_PAGES) >= left + right + smallRootWords(MOST_KEY_BYTES)
  }

  /** As `hasRoom`, for the split that a leaf needs as it is now, if it needs one. */
  private hasRoomForSplit(base: number): boolean {
    const { context, image } = this
    const { words, layout } = context.arena
    if (context.cache.countFragments(base) <= layout.leafEntries) return true
    image.clear()
    image.gather(base, null)
    return image.count < 2 || hasRoom(context, this.splitWords(base) + 4 * slotsOf(words[base + BASE_SHAPE]))
  }

  /** Shortest separator s with left < s <= right: as much of the right key as tells it from the left one. */
  private separator(left: number, right: number): Fence {
    const { words, bytes } = this.context.arena
    const leftLength = keyBytesOf(recordHeader(words, left))
    const rightLength = keyBytesOf(recordHeader(words, right))
    const leftAt = recordKeyAt(left)
    const rightAt = recordKeyAt(right)
    const common = commonPrefix(bytes, leftAt, leftLength, rightAt, rightLength)
    return { bytes, at: rightAt, length: common + 1 }
  }

  /** Where the gathered leaf is divided. Ascending inserts at the right end leave full pages behind, not half full ones. */
  private splitPoint(base: number): number {
    const { count, ascending } = this.image
    const last = highBytes(this.context.arena.words, base) === NO_FENCE
    return ascending && last ? count - (count >>> 3) - 1 : count >>> 1
  }

  /** Words that both halves and perhaps a new root take. */
  private splitWords(base: number): number {
    const { image } = this
    const { words } = this.context.arena
    const at = this.splitPoint(base)
    const { length } = this.separator(image.records[at - 1], image.records[at])
    const left = image.wordsNeeded(at, lowBytes(words, base), length)
    const right = image.wordsNeeded(image.count - at, length, highBytes(words, base))
    return left + right + smallRootWords(length)
  }

  private splitLeaf(id: number, base: number): boolean {
    const { context, image } = this
    const { words } = context.arena
    if (!hasRoom(context, this.splitWords(base))) return false
    const high = highFence(context, base)
    const at = this.splitPoint(base)
    const separator = this.separator(image.records[at - 1], image.records[at])
    if (id === ROOT) return this.splitRoot(base, at, separator)
    const rightId = context.table.allocate()
    if (rightId === 0) {
      context.shortage = 0
      return false
    }
    Atomics.store(words, context.me.at + INTENT_PAGE, rightId)
    const right = image.write(rightId, pageRight(words, base), separator, high, at, image.count)
    const left = image.write(id, rightId, lowFence(context, base), separator, 0, at)
    assert(left !== 0 && right !== 0, 'a split found less room than was checked')
    context.table.install(rightId, right)
    if (context.cache.replace(id, base, left)) {
      image.forget()
      this.split = rightId
      context.me.count(COUNTER.splits, 1)
    } else {
      context.table.putBack(rightId)
      abandonPage(context, left)
      abandonPage(context, right)
    }
    Atomics.store(words, context.me.at + INTENT_PAGE, 0)
    return true
  }

  /** The root keeps its id: both halves move to new ids, and the root becomes their parent, in one CAS. */
  private splitRoot(base: number, at: number, separator: Fence): boolean {
    const { context, image, root } = this
    const pair = takePair(context)
    if (pair === null) return false
    const [leftId, rightId] = pair
    const empty: Fence = { bytes: separator.bytes, at: separator.at, length: 0 }
    const left = image.write(leftId, rightId, empty, separator, 0, at)
    const right = image.write(rightId, 0, separator, null, at, image.count)
    root.clear()
    root.append(leftId, empty.bytes, empty.at, 0)
    root.append(rightId, separator.bytes, separator.at, separator.length)
    const next = root.write(ROOT, 1, 0, empty, null, NO_MERGE, 0, 2)
    if (showRoot(context, base, next, leftId, left, rightId, right)) image.forget()
    return true
  }
}

/** Takes two page ids and announces them in the intent words; null if there are none. */
export function takePair(context: TreeContext): [number, number] | null {
  const { table, me } = context
  const { words } = context.arena
  const leftId = table.allocate()
  const rightId = leftId === 0 ? 0 : table.allocate()
  if (rightId === 0) {
    if (leftId !== 0) table.putBack(leftId)
    context.shortage = 0
    return null
  }
  Atomics.store(words, me.at + INTENT_PAGE, leftId)
  Atomics.store(words, me.at + INTENT_PAGE_TWO, rightId)
  return [leftId, rightId]
}

/** Installs both halves of a root split and swaps the root, or takes all back. @returns false if another was faster */
export function showRoot(
  context: TreeContext,
  base: number,
  next: number,
  leftId: number,
  left: number,
  rightId: number,
  right: number,
): boolean {
  const { table, me, cache } = context
  const { words } = context.arena
  assert(left !== 0 && right !== 0 && next !== 0, 'a root split found less room than was checked')
  table.install(leftId, left)
  table.install(rightId, right)
  const done = cache.replace(ROOT, base, next)
  if (done) {
    me.count(COUNTER.splits, 1)
    me.count(COUNTER.rootSplits, 1)
  } else {
    table.putBack(leftId)
    table.putBack(rightId)
    abandonPage(context, next)
    abandonPage(context, right)
    abandonPage(context, left)
  }
  Atomics.store(words, me.at + INTENT_PAGE, 0)
  Atomics.store(words, me.at + INTENT_PAGE_TWO, 0)
  return done
}
