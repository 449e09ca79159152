import { allocated, freed } from '../../../src/explore/index.ts'

/** Blocks of one size for one thread: it takes again what it gave back, and first its own part of the memory. */
export class Pool {
  readonly #words: Int32Array
  readonly #size: number
  readonly #free: number[] = []
  #next: number

  constructor(words: Int32Array, first: number, size: number) {
    this.#words = words
    this.#size = size
    this.#next = first
  }

  take(): number {
    let block = this.#free.pop()
    if (block === undefined) {
      block = this.#next
      this.#next += this.#size
    }
    allocated(this.#words, block, this.#size)
    return block
  }

  give(block: number): void {
    freed(this.#words, block, this.#size)
    this.#free.push(block)
  }
}
