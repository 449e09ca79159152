/**
 * Encoded keys of a batch, and their order.
 *
 * Thread safety: private to one store. Complexity: O(n log n) to put them in order, most of it on numbers: four bytes
 * after what all keys have in common, with the key's number behind them.
 */
import { type KeyBuffer, commonPrefix, compareBytes, headAt } from '../tree/key.ts'

/** Keys whose numbers fit a sort key beside a head. */
const MOST_BY_HEAD = 2 ** 20

export class KeyList {
  count = 0
  /** The keys, each from a whole word on. */
  private words = new Int32Array(512)
  private bytes = new Uint8Array(this.words.buffer)
  private ats = new Int32Array(64)
  private lengths = new Int32Array(64)
  private end = 0

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
    const { count } = this
    const sorted: number[] = []
    if (count > MOST_BY_HEAD)
      this.addRun(
        Array.from({ length: count }, (_, i) => i),
        sorted,
      )
    else this.addByHeads(sorted)
    return sorted
  }

  private addByHeads(sorted: number[]): void {
    const { count, bytes, ats, lengths } = this
    const prefix = this.sharedPrefix()
    const heads = new Float64Array(count)
    for (let i = 0; i < count; i++) heads[i] = headAt(bytes, 4 * ats[i], lengths[i], prefix) * MOST_BY_HEAD + i
    heads.sort()
    let end = 0
    for (let from = 0; from < count; from = end) {
      const head = Math.floor(heads[from] / MOST_BY_HEAD) * MOST_BY_HEAD
      end = from + 1
      while (end < count && heads[end] < head + MOST_BY_HEAD) end++
      if (end - from === 1) sorted.push(heads[from] - head)
      else
        this.addRun(
          Array.from(heads.subarray(from, end), (each) => each - head),
          sorted,
        )
    }
  }

  /** Adds keys that have yet to be compared. */
  private addRun(run: number[], sorted: number[]): void {
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
