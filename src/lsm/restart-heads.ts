/**
 * The heads of a block's restart points side by side: six bytes of each key as a number, the first that are not the same in
 * all of them. Of an index, which has thousands of restart points, a search among these touches a few cache lines, where one
 * among the entries touches two for each step.
 *
 * Invariants: `narrow` leaves out no restart point that the search could end at. The heads only narrow it, entries decide.
 *
 * Thread safety: belongs to one thread; the block must not change. Memory: 8 bytes for each restart point.
 */
import type { BlockCursor } from './block-cursor.ts'
import { commonLength, headOf } from './byte-codec.ts'

export class RestartHeads {
  /** What `narrow` found: a restart point whose key comes before the one sought, or 0, and the last one that may. */
  low = 0
  high = 0
  private readonly prefix: Uint8Array
  private readonly heads: Float64Array

  /**
   * @param cursor on the block
   * @throws FileError HEDDLE_CORRUPT
   */
  constructor(cursor: BlockCursor) {
    const count = cursor.intervals
    if (count > 0) cursor.readRestart(0)
    const first = cursor.key.slice(0, cursor.keyLength)
    let common = first.length
    for (let i = 1; i < count; i++) {
      cursor.readRestart(i)
      common = commonLength(first, 0, common, cursor.key, 0, cursor.keyLength)
    }
    this.prefix = first.subarray(0, common)
    this.heads = new Float64Array(count)
    for (let i = 0; i < count; i++) {
      cursor.readRestart(i)
      this.heads[i] = headOf(cursor.key, common, cursor.keyLength)
    }
  }

  /** Sets `low` and `high` for a key. O(log restart points), however many have the same head, and O(length of the key). */
  narrow(key: Uint8Array, start: number, end: number): void {
    const { heads, prefix } = this
    const common = commonLength(key, start, end, prefix, 0, prefix.length)
    if (common < prefix.length) {
      const isBefore = start + common === end || key[start + common] < prefix[common]
      this.low = this.high = isBefore ? 0 : heads.length - 1
      return
    }
    const head = headOf(key, start + common, end)
    const from = this.firstNotBefore(head)
    const to = heads[from] === head ? this.firstAfter(head, from) : from
    this.low = from === 0 ? 0 : from - 1
    this.high = to === 0 ? 0 : to - 1
  }

  private firstNotBefore(head: number): number {
    const { heads } = this
    let low = 0
    let high = heads.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (heads[middle] < head) low = middle + 1
      else high = middle
    }
    return low
  }

  private firstAfter(head: number, from: number): number {
    const { heads } = this
    let low = from
    let high = heads.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (heads[middle] > head) high = middle
      else low = middle + 1
    }
    return low
  }
}
