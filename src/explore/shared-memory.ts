/**
 * The memory under test: one SharedArrayBuffer, and how it is put back to where it was before each execution.
 *
 * What is written is noted by chunks, and only these are copied back. Code that is not instrumented writes without being
 * seen: `stray` finds it.
 */
const CHUNK_SHIFT = 6
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
