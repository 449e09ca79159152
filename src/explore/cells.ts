/**
 * Small numbers for the words that a scenario touches, so that what is known of them lies close together. A word gets
 * its cell when it is first touched, and keeps it for the whole exploration. A word that is ever touched in part gets
 * four more cells, one for each byte.
 */
export class Cells {
  count = 0
  private readonly ofWord: Int32Array
  /** First of the cells of a word's bytes, or -1. */
  private readonly ofBytes: Int32Array
  private readonly grow: (capacity: number) => void
  private capacity = 0

  /** @param grow called when there is to be room for more cells */
  constructor(words: number, grow: (capacity: number) => void) {
    this.ofWord = new Int32Array(words).fill(-1)
    this.ofBytes = new Int32Array(words).fill(-1)
    this.grow = grow
    this.reserve(1024)
  }

  private reserve(capacity: number): void {
    this.capacity = capacity
    this.grow(capacity)
  }

  of(word: number): number {
    const cell = this.ofWord[word]!
    return cell >= 0 ? cell : this.add(word)
  }

  private add(word: number): number {
    const cell = this.take(1)
    this.ofWord[word] = cell
    return cell
  }

  private take(count: number): number {
    const first = this.count
    this.count += count
    if (this.count > this.capacity) this.reserve(this.capacity * 2)
    return first
  }

  /** First of the cells of a word's bytes, or -1 if it is only ever touched as a whole. */
  bytesOf(word: number): number {
    return this.ofBytes[word]!
  }

  /** Gives a word's bytes cells of their own. */
  split(word: number): number {
    const first = this.take(4)
    this.ofBytes[word] = first
    return first
  }
}
