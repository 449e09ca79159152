/**
 * An inner page's content in private memory. Inner pages are immutable: every change is a new base and a CAS of the table
 * word, so a search reads them with plain loads only.
 *
 *   body: heads[count], children[count], ends[count], separator bytes
 *
 * Separator 0 stands for minus infinity: it is stored empty and takes no part in prefix and heads.
 */
import { STREAM_PAGES } from '../log/log.ts'
import { KIND_PAGE, blockHeader } from '../log/block.ts'
import {
  BASE_BODY,
  BASE_EXTRA,
  BASE_FENCES,
  BASE_ID,
  BASE_PREAMBLE,
  BASE_RIGHT,
  BASE_SHAPE,
  MAX_COUNT,
  shape,
} from '../pagecache/base.ts'
import type { TreeContext } from './context.ts'
import { commonPrefix, headAt } from './key.ts'
import { type Fence, MAX_PREFIX_BYTES, copyFence } from './leaf-image.ts'
import { NO_FENCE, childrenAt, endsAt, pageCount, preambleWords, separatorsAt } from './page.ts'

const SEPARATOR_BYTES = 1 << 16

export class InnerImage {
  count = 0
  readonly children: Int32Array = new Int32Array(2 * MAX_COUNT)
  /** Separator i is bytes [starts[i], starts[i] + lengths[i]) of `separators`. */
  private readonly starts = new Int32Array(2 * MAX_COUNT)
  private readonly lengths = new Int32Array(2 * MAX_COUNT)
  readonly separators: Uint8Array = new Uint8Array(SEPARATOR_BYTES)
  private free = 0
  private readonly context: TreeContext
  private readonly words: Int32Array
  private readonly bytes: Uint8Array

  constructor(context: TreeContext) {
    this.context = context
    this.words = context.arena.words
    this.bytes = context.arena.bytes
  }

  clear(): void {
    this.count = 0
    this.free = 0
  }

  private take(bytes: Uint8Array, at: number, length: number): number {
    const start = this.free
    for (let i = 0; i < length; i++) this.separators[start + i] = bytes[at + i]
    this.free = start + length
    return start
  }

  /** Appends one child; its separator is copied. */
  append(child: number, bytes: Uint8Array, at: number, length: number): void {
    this.insert(this.count, child, bytes, at, length)
  }

  /** Inserts a child before index `index`. */
  insert(index: number, child: number, bytes: Uint8Array, at: number, length: number): void {
    const { children, starts, lengths } = this
    for (let i = this.count; i > index; i--) {
      children[i] = children[i - 1]
      starts[i] = starts[i - 1]
      lengths[i] = lengths[i - 1]
    }
    children[index] = child
    starts[index] = this.take(bytes, at, length)
    lengths[index] = length
    this.count++
  }

  /** Takes a child out. */
  remove(index: number): void {
    this.count--
    for (let i = index; i < this.count; i++) {
      this.children[i] = this.children[i + 1]
      this.starts[i] = this.starts[i + 1]
      this.lengths[i] = this.lengths[i + 1]
    }
  }

  /** Appends a page's children; `low` becomes the separator of its first one if something stands before it. */
  load(base: number, low: Fence): void {
    const { words, bytes } = this
    const count = pageCount(words, base)
    const children = childrenAt(words, base)
    const ends = endsAt(words, base)
    const separators = separatorsAt(words, base)
    for (let i = 0; i < count; i++) {
      if (i === 0) {
        this.append(words[children], low.bytes, low.at, this.count === 0 ? 0 : low.length)
      } else {
        const start = words[ends + i - 1]
        this.append(words[children + i], bytes, separators + start, words[ends + i] - start)
      }
    }
  }

  /** Separator of a child, as a fence in private memory; valid until the image is cleared. */
  separator(index: number): Fence {
    return { bytes: this.separators, at: this.starts[index], length: this.lengths[index] }
  }

  private prefixOf(from: number, to: number): number {
    if (to - from < 3) return 0
    const { starts, lengths } = this
    const first = from + 1
    const last = to - 1
    const common = commonPrefix(this.separators, starts[first], lengths[first], starts[last], lengths[last])
    return Math.min(common, MAX_PREFIX_BYTES)
  }

  private separatorBytes(from: number, to: number): number {
    let sum = 0
    for (let i = from + 1; i < to; i++) sum += this.lengths[i]
    return sum
  }

  /** Words that children [from, to) take between fences of these lengths. */
  wordsNeeded(from: number, to: number, low: number, high: number): number {
    const body = preambleWords(high, low, this.prefixOf(from, to)) + 3 * (to - from)
    return body + ((this.separatorBytes(from, to) + 3) >>> 2)
  }

  /**
   * Writes children [from, to) as a new base; the first one's separator is dropped.
   * @param merge the page's merge word (NO_MERGE, a child's index, COLLAPSE)
   * @returns its address, complete but not linked, or 0 if the open page segment has no room
   */
  write(
    id: number,
    level: number,
    right: number,
    low: Fence,
    high: Fence | null,
    merge: number,
    from: number,
    to: number,
  ): number {
    const { context, words, bytes } = this
    const highLength = high === null ? NO_FENCE : high.length
    const prefix = this.prefixOf(from, to)
    const count = to - from
    const size = this.wordsNeeded(from, to, low.length, highLength)
    const base = context.log.reserve(STREAM_PAGES, size)
    if (base === 0) {
      context.shortage = size
      return 0
    }
    const body = preambleWords(highLength, low.length, prefix)
    // Private until the CAS of the table word that publishes it: plain stores.
    words[base + BASE_ID] = id
    words[base + BASE_SHAPE] = shape(level, 0, count)
    words[base + BASE_RIGHT] = right
    words[base + BASE_BODY] = (prefix << 16) | body
    words[base + BASE_FENCES] = (low.length << 16) | highLength
    words[base + BASE_EXTRA] = merge
    let at = (base + BASE_PREAMBLE) * 4
    if (high !== null) at = copyFence(bytes, at, high)
    at = copyFence(bytes, at, low)
    if (prefix > 0) copyFence(bytes, at, { bytes: this.separators, at: this.starts[from + 1], length: prefix })
    this.writeBody(base + body, prefix, from, to)
    context.log.complete(base, blockHeader(KIND_PAGE, size, 0, 0, false))
    return base
  }

  private writeBody(heads: number, prefix: number, from: number, to: number): void {
    const { words, bytes, separators, starts, lengths } = this
    const count = to - from
    const separatorsFrom = (heads + 3 * count) * 4
    let end = 0
    for (let i = 0; i < count; i++) {
      const length = i === 0 ? 0 : lengths[from + i]
      const start = starts[from + i]
      words[heads + i] = i === 0 ? 1 << 31 : headAt(separators, start, length, prefix)
      words[heads + count + i] = this.children[from + i]
      for (let b = 0; b < length; b++) bytes[separatorsFrom + end + b] = separators[start + b]
      end += length
      words[heads + 2 * count + i] = end
    }
  }
}
