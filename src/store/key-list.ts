/**
 * Encoded keys of a batch, and their order.
 *
 * They are put in order by a number, the four bytes after what all of them have in common, a byte at a time from the last one
 * (radix sort: no comparison for the processor to foretell wrongly); whole keys are compared where these are equal.
 * Thread safety: private to one store. Complexity: O(n) for keys that those bytes tell apart, O(n log n) for others.
 */
import { type KeyBuffer, commonPrefix, compareBytes, headAt } from '../tree/key.ts'

/** Up to so many are put in order by insertion. */
const FEW = 32
const DIGITS = 256

export class KeyList {
  count = 0
  /** The keys, each from a whole word on. */
  private words = new Int32Array(512)
  private bytes = new Uint8Array(this.words.buffer)
  private ats = new Int32Array(64)
  private lengths = new Int32Array(64)
  private end = 0
  /** Of each key: the number by which it is put in order. */
  private heads = new Int32Array(64)
  private order = new Int32Array(64)
  private spare = new Int32Array(64)
  /** How many heads have each value of each of their bytes, the last byte first. */
  private readonly counts = new Int32Array(4 * DIGITS)

  clear(): void {
    this.count = 0
    this.end = 0
  }

  /** Takes a copy of a key. */
  add(key: KeyBuffer): void {
    const { count, end } = this
    const { length } = key
    const size = (length + 3) >>> 2
    if (end + size > this.words.length) {
      this.words = grown(this.words, end + size)
      this.bytes = new Uint8Array(this.words.buffer)
    }
    if (count === this.ats.length) {
      this.ats = grown(this.ats, count)
      this.lengths = grown(this.lengths, count)
    }
    const { words } = this
    for (let i = 0; i < size; i++) words[end + i] = key.words[i]
    this.ats[count] = end
    this.lengths[count] = length
    this.end = end + size
    this.count = count + 1
  }

  /** Puts key `i` into a buffer. */
  get(i: number, into: KeyBuffer): void {
    into.copyWords(this.words, this.ats[i], this.lengths[i])
  }

  /** The numbers of the keys in the order of the keys, of equal keys the last one only. */
  inOrder(): number[] {
    const sorted: number[] = []
    const { count } = this
    if (count > this.heads.length) {
      this.heads = new Int32Array(2 * count)
      this.order = new Int32Array(2 * count)
      this.spare = new Int32Array(2 * count)
    }
    this.takeHeads()
    if (count <= FEW) this.insertAll()
    else this.sortByBytes()
    const { heads, order } = this
    let end = 0
    for (let from = 0; from < count; from = end) {
      const head = heads[order[from]]
      end = from + 1
      while (end < count && heads[order[end]] === head) end++
      if (end - from === 1) sorted.push(order[from])
      else this.addRun(from, end, sorted)
    }
    return sorted
  }

  private takeHeads(): void {
    const { count, bytes, ats, lengths, heads, order } = this
    const prefix = this.sharedPrefix()
    for (let i = 0; i < count; i++) {
      heads[i] = headAt(bytes, 4 * ats[i], lengths[i], prefix)
      order[i] = i
    }
  }

  /** Puts the keys in the order of their heads. */
  private insertAll(): void {
    const { count, heads, order } = this
    for (let i = 1; i < count; i++) {
      const head = heads[i]
      let at = i
      for (; at > 0 && heads[order[at - 1]] > head; at--) order[at] = order[at - 1]
      order[at] = i
    }
  }

  /** As `insertAll`. */
  private sortByBytes(): void {
    const { count, heads, counts } = this
    counts.fill(0)
    for (let i = 0; i < count; i++) {
      // Without the bias, so that each byte counts up from 0.
      const head = heads[i] ^ (1 << 31)
      counts[head & 255]++
      counts[DIGITS + ((head >>> 8) & 255)]++
      counts[2 * DIGITS + ((head >>> 16) & 255)]++
      counts[3 * DIGITS + (head >>> 24)]++
    }
    for (let place = 0; place < 4; place++) this.sortByByte(place)
  }

  private sortByByte(place: number): void {
    const { count, heads, counts, order, spare } = this
    const shift = 8 * place
    const first = DIGITS * place
    if (counts[first + (((heads[0] ^ (1 << 31)) >>> shift) & 255)] === count) return
    let before = 0
    for (let i = first; i < first + DIGITS; i++) {
      const here = counts[i]
      counts[i] = before
      before += here
    }
    for (let i = 0; i < count; i++) {
      const each = order[i]
      spare[counts[first + (((heads[each] ^ (1 << 31)) >>> shift) & 255)]++] = each
    }
    this.order = spare
    this.spare = order
  }

  /** Adds keys that have yet to be compared, from one place in `order` to another. */
  private addRun(from: number, to: number, sorted: number[]): void {
    const run = Array.from(this.order.subarray(from, to))
    run.sort((a, b) => this.compare(a, b) || a - b)
    for (let i = 0; i < run.length; i++) {
      if (i + 1 === run.length || this.compare(run[i], run[i + 1]) !== 0) sorted.push(run[i])
    }
  }

  private compare(a: number, b: number): number {
    const { bytes, ats, lengths } = this
    return compareBytes(bytes, 4 * ats[a], lengths[a], 4 * ats[b], lengths[b])
  }

  /** What all keys begin with, in bytes. */
  private sharedPrefix(): number {
    const { count, bytes, ats, lengths } = this
    let prefix = count === 0 ? 0 : lengths[0]
    for (let i = 1; i < count && prefix > 0; i++) prefix = commonPrefix(bytes, 0, prefix, 4 * ats[i], lengths[i])
    return prefix
  }
}

function grown(words: Int32Array<ArrayBuffer>, least: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * least)
  larger.set(words)
  return larger
}
