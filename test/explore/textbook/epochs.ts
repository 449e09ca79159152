import type { Pool } from './pool.ts'

/** Words of the epochs: the global one, and one for each thread: 0 outside, else the epoch in which it came in. */
export const epochWords = 4

export interface Retired {
  readonly block: number
  readonly epoch: number
}

/**
 * Epoch-based reclamation: a block is given back two epochs after it was unlinked. The global epoch starts at 1 and goes
 * on only if every thread inside came in during the present one.
 */
export class Epochs {
  readonly words: Int32Array
  readonly at: number
  readonly pool: Pool
  readonly limbo: Retired[] = []
  readonly #own: number

  constructor(words: Int32Array, at: number, thread: number, pool: Pool) {
    this.words = words
    this.at = at
    this.pool = pool
    this.#own = at + 1 + thread
  }

  static format(words: Int32Array, at: number): void {
    words[at] = 1
  }

  pin(): void {
    for (;;) {
      const epoch = this.now()
      Atomics.store(this.words, this.#own, epoch)
      if (this.now() === epoch) return
    }
  }

  unpin(): void {
    Atomics.store(this.words, this.#own, 0)
  }

  now(): number {
    return Atomics.load(this.words, this.at)
  }

  /** Takes a block that has just been unlinked. */
  retire(block: number): void {
    this.limbo.push({ block, epoch: this.now() })
  }

  /** Gives back what nobody can be reading any more. */
  collect(): void {
    const epoch = this.#advance()
    while (this.limbo.length > 0 && this.ripe(this.limbo[0]!, epoch)) this.pool.give(this.limbo.shift()!.block)
  }

  ripe(retired: Retired, epoch: number): boolean {
    return retired.epoch + 2 <= epoch
  }

  #advance(): number {
    const epoch = this.now()
    for (let slot = this.at + 1; slot < this.at + epochWords; slot++) {
      const seen = Atomics.load(this.words, slot)
      if (seen !== 0 && seen !== epoch) return epoch
    }
    Atomics.compareExchange(this.words, this.at, epoch, epoch + 1)
    return this.now()
  }
}
