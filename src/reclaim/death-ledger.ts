/**
 * What deaths leave to be repaired: a thread that died in the middle of an operation may have missed to count its entry
 * or its dead words. The ledger says how many deaths there were and how many have been made up for.
 */
import type { Arena } from '../memory/arena.ts'
import { GLOBAL_DEATHS, GLOBAL_SIZED_DEATHS, GLOBAL_SIZE_CORRECTION, GLOBAL_SWEPT_DEATHS } from '../memory/layout.ts'

export class DeathLedger {
  private readonly words: Int32Array

  constructor(arena: Arena) {
    this.words = arena.words
  }

  deaths(): number {
    return Atomics.load(this.words, GLOBAL_DEATHS)
  }

  /** Whether the dead words left by all deaths so far have been accounted for. */
  isSwept(): boolean {
    return Atomics.load(this.words, GLOBAL_SWEPT_DEATHS) === this.deaths()
  }

  /** Notes that a sweep that began at `deaths` is done. */
  swept(deaths: number): void {
    Atomics.store(this.words, GLOBAL_SWEPT_DEATHS, deaths)
  }

  /** Whether the sum of the entry counters and the correction is right when nobody writes. */
  isSized(): boolean {
    return Atomics.load(this.words, GLOBAL_SIZED_DEATHS) === this.deaths()
  }

  /** Added to the sum of the entry counters. */
  correction(): number {
    return Atomics.load(this.words, GLOBAL_SIZE_CORRECTION)
  }

  /** Replaces the correction, unless another thread did, and notes that it makes up for `deaths`. */
  correct(from: number, to: number, deaths: number): void {
    if (Atomics.compareExchange(this.words, GLOBAL_SIZE_CORRECTION, from, to) !== from) return
    Atomics.store(this.words, GLOBAL_SIZED_DEATHS, deaths)
  }
}
