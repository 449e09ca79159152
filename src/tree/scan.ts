/**
 * A scan over the leaves in either direction that holds no pin between its steps: it remembers a key, not a page.
 *
 * Weakly consistent: keys come in order and none twice; what was there throughout is seen; what comes or goes meanwhile
 * may be seen or not. A scan at a snapshot's value of the clock sees what was there then, whoever writes meanwhile: each
 * leaf is read at a moment of its own, but the versions are those of one. Thread safety: a Scan belongs to one participant; each step runs in the caller's critical region.
 */
import { keyBytesOf } from '../log/block.ts'
import { EMPTIED, FRAGMENT_MASK } from '../pagecache/fragment.ts'
import { KeyBuffer, RECORD_KEY } from './key.ts'
import { STAMPED } from './stamp.ts'
import { NO_FENCE, highAt, highBytes, lowAt, lowBytes } from './page.ts'
import { RECORD_VERSION, recordHeader, recordKeyAt } from './record.ts'
import type { Tree } from './tree.ts'

/** What a scan that goes by no snapshot is at. */
export const NOW = -1

export class Scan {
  /** Where the scan goes on; set `length` 0 and `inclusive` to begin at the smallest key. */
  readonly from = new KeyBuffer()
  inclusive = true
  reverse = false
  /** Whether a reverse scan has no upper bound yet. */
  unbounded = false
  done = false
  /** The value of the clock that is read at, or NOW. */
  at = NOW
  /** Whether a step gives also keys that the tree says are absent, by a record of them: for who has others beside the tree. */
  showsAbsent = false
  /** After a step: records are image.records[first], in steps of +1 or -1, `count` of them. */
  first = 0
  count = 0
  /** Keeps loads from being optimised away. */
  touched = 0
  private readonly tree: Tree

  constructor(tree: Tree, reverse: boolean, unbounded: boolean) {
    this.tree = tree
    this.begin(reverse, unbounded)
  }

  /** Starts anew, at the smallest key, or at the largest one if `reverse` and `unbounded`, unless `from` is set after it. */
  begin(reverse: boolean, unbounded: boolean): void {
    this.from.length = 0
    this.inclusive = true
    this.reverse = reverse
    this.unbounded = reverse && unbounded
    this.done = false
    this.at = NOW
    this.showsAbsent = false
  }

  /** Goes on from another key, or, backward and with null, from the last one. */
  goTo(key: KeyBuffer, inclusive: boolean | null): void {
    this.from.copyFrom(key.bytes, 0, key.length)
    this.inclusive = inclusive !== false
    this.unbounded = this.reverse && inclusive === null
    this.done = false
  }

  /** See `first`. */
  get records(): Int32Array {
    return this.tree.image.records
  }

  /** The i-th record of the last step. Valid within the critical region of the step. */
  record(i: number): number {
    return this.tree.image.records[this.reverse ? this.first - i : this.first + i]
  }

  /** Whether the i-th record of the last step only stands for a key that is absent; see `showsAbsent`. */
  isAbsent(i: number): boolean {
    return this.tree.image.flags[this.reverse ? this.first - i : this.first + i] !== 0
  }

  /**
   * Takes the next records, at most `limit`, of one leaf (possibly none although more follow: see `done`).
   * The caller is pinned. O(log n + entries of a leaf).
   */
  step(limit: number): void {
    const { tree, from } = this
    const { search, image } = tree
    if (this.unbounded) search.descendLast()
    else search.descend(from, 0, this.reverse && !this.inclusive)
    const { base } = search
    image.clear()
    if (this.reverse) {
      image.gather(base, null)
      this.takeBackward(limit, base)
    } else {
      // One more than wanted tells whether the leaf has more.
      image.gatherFrom(base, from, !this.inclusive, limit + 1)
      this.takeForward(limit, base)
    }
    this.resolve()
  }

  /** Takes the versions that are to be seen in place of the heads, and leaves out keys that are absent. */
  private resolve(): void {
    const { context, image } = this.tree
    const { words } = context.arena
    const { records, flags } = image
    const { count, first, at } = this
    const step = this.reverse ? -1 : 1
    // A word of each, so that the processor fetches the records side by side instead of one after the other. The empty key
    // has no word, but it is the first of all or the last.
    let sum = 0
    for (let i = 1, from = first + step; i < count - 1; i++, from += step) sum ^= words[records[from] + RECORD_KEY]
    this.touched = sum
    let kept = 0
    for (let i = 0, from = first; i < count; i++, from += step) {
      let record = records[from]
      let flag = 0
      if (at !== NOW || flags[from] !== 0 || Atomics.load(words, record + RECORD_VERSION) < STAMPED) {
        const word = record | flags[from]
        record = at === NOW ? context.versions.current(word) : context.versions.at(word, at)
        if (record === 0) {
          if (!this.showsAbsent || context.versions.unknown) continue
          record = word & FRAGMENT_MASK
          flag = EMPTIED
        }
      }
      if (this.showsAbsent) flags[first + step * kept] = flag
      records[first + step * kept++] = record
    }
    this.count = kept
  }

  private takeForward(limit: number, base: number): void {
    const { image } = this.tree
    this.first = 0
    this.count = Math.min(limit, image.count)
    if (this.count < image.count) {
      this.goOnAfter(image.records[this.count - 1])
      return
    }
    const { words, bytes } = this.tree.context.arena
    const length = highBytes(words, base)
    this.done = length === NO_FENCE
    if (this.done) return
    this.from.copyFrom(bytes, highAt(base), length)
    this.inclusive = true
  }

  private takeBackward(limit: number, base: number): void {
    const { image } = this.tree
    const end = this.unbounded ? image.count : this.lowerBound(this.inclusive)
    this.unbounded = false
    this.first = end - 1
    this.count = Math.min(limit, end)
    if (this.count < end) {
      this.goOnAfter(image.records[end - this.count])
      return
    }
    const { words, bytes } = this.tree.context.arena
    const length = lowBytes(words, base)
    this.done = length === 0
    this.from.copyFrom(bytes, lowAt(words, base), length)
    this.inclusive = false
  }

  private goOnAfter(record: number): void {
    const { words, bytes } = this.tree.context.arena
    this.from.copyFrom(bytes, recordKeyAt(record), keyBytesOf(recordHeader(words, record)))
    this.inclusive = false
  }

  /** Index of the first gathered record at or after `from`, or, with `strictly`, after it. */
  private lowerBound(strictly: boolean): number {
    const { search, image } = this.tree
    let low = 0
    let high = image.count
    while (low < high) {
      const middle = (low + high) >>> 1
      const order = search.compareRecord(this.from, image.records[middle])
      if (order > 0 || (strictly && order === 0)) low = middle + 1
      else high = middle
    }
    return low
  }
}
