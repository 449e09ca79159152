/**
 * The memory under test: one SharedArrayBuffer, and how it is put back to where it was before each execution.
 *
 * What is written is noted by chunks, and only these are copied back. Code that is not instrumented writes without being
 * seen: `stray` finds it.
 */
const CHUNK_SHIFT = 4
const CHUNK_WORDS = 1 << CHUNK_SHIFT

export class SharedMemory {
  readonly buffer: SharedArrayBuffer
  readonly words: Int32Array
  /** Whether anything may have been written anywhere: everything is copied back then. */
  blurred = false
  private readonly saved: Int32Array
  private readonly dirty: Uint8Array
  private readonly chunks: Int32Array
  private dirtyChunks = 0
  /** By word, what was noted, as long as it is to be checked. */
  private exact: Uint8Array | undefined

  /** @param byteLength a multiple of 4 */
  constructor(byteLength: number) {
    this.buffer = new SharedArrayBuffer(byteLength)
    this.words = new Int32Array(this.buffer)
    this.saved = new Int32Array(this.words.length)
    const chunks = (this.words.length + CHUNK_WORDS - 1) >>> CHUNK_SHIFT
    this.dirty = new Uint8Array(chunks)
    this.chunks = new Int32Array(chunks)
  }

  /** Notes that `count` words from `word` on are written. */
  touch(word: number, count: number): void {
    this.exact?.fill(1, word, word + count)
    const last = (word + count - 1) >> CHUNK_SHIFT
    for (let chunk = word >> CHUNK_SHIFT; chunk <= last; chunk++) if (this.dirty[chunk] === 0) this.soil(chunk)
  }

  /** Notes that a word is written. */
  touchWord(word: number): void {
    if (this.exact !== undefined) this.exact[word] = 1
    const chunk = word >> CHUNK_SHIFT
    if (this.dirty[chunk] === 0) this.soil(chunk)
  }

  private soil(chunk: number): void {
    this.dirty[chunk] = 1
    this.chunks[this.dirtyChunks++] = chunk
  }

  /** Takes the present contents as those to go back to. */
  save(): void {
    this.saved.set(this.words)
    this.clean()
  }

  /** Puts the memory back. */
  restore(): void {
    if (this.blurred) this.words.set(this.saved)
    else {
      const { words, saved } = this
      for (let i = 0; i < this.dirtyChunks; i++) {
        const start = this.chunks[i]! << CHUNK_SHIFT
        const end = Math.min(start + CHUNK_WORDS, words.length)
        for (let word = start; word < end; word++) words[word] = saved[word]!
      }
    }
    this.clean()
  }

  /** A text that tells one state of the memory from another: of all words that are not what they were saved as. */
  changes(): string {
    const sums = new Int32Array(2)
    if (this.blurred) this.sumUp(sums, 0, this.words.length)
    else {
      for (let i = 0; i < this.dirtyChunks; i++) {
        const start = this.chunks[i]! << CHUNK_SHIFT
        this.sumUp(sums, start, Math.min(start + CHUNK_WORDS, this.words.length))
      }
    }
    return `${sums[0]} ${sums[1]}`
  }

  /** The order in which words were written must not matter, so that what is made of each of them is added up. */
  private sumUp(sums: Int32Array, start: number, end: number): void {
    const { words, saved } = this
    let one = sums[0]!
    let two = sums[1]!
    for (let word = start; word < end; word++) {
      const value = words[word]!
      if (value === saved[word]) continue
      let mixed = Math.imul(value ^ Math.imul(word, 0x9e3779b1), 0x85ebca6b)
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35)
      one = (one + (mixed ^ (mixed >>> 16))) | 0
      two = (two + (Math.imul(mixed ^ word, 0x27d4eb2f) ^ (mixed >>> 13))) | 0
    }
    sums[0] = one
    sums[1] = two
  }

  private clean(): void {
    for (let i = 0; i < this.dirtyChunks; i++) this.dirty[this.chunks[i]!] = 0
    this.dirtyChunks = 0
  }

  /** Begins or ends to keep account of each word, for `stray`. */
  watch(on: boolean): void {
    this.exact = on ? (this.exact?.fill(0) ?? new Uint8Array(this.words.length)) : undefined
  }

  /** A word that was changed without having been noted since `watch(true)`, or -1. O(words) */
  stray(): number {
    const { words, saved, exact } = this
    if (exact === undefined) return -1
    for (let word = 0; word < words.length; word++) {
      if (words[word] !== saved[word] && exact[word] === 0) return word
    }
    return -1
  }
}

export interface Memory {
  /** What executions run on; undefined outside `explore`. */
  current: SharedMemory | undefined
  /** Its buffer, or undefined. */
  buffer: SharedArrayBuffer | undefined
}

/** The memory of the exploration that runs now. */
export const memory: Memory = { current: undefined, buffer: undefined }
