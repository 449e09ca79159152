/**
 * The clock that stamps are taken from: one word, counter << 1 and a flag that some snapshot may be live.
 *
 * A version is stamped with the clock after it was installed; a snapshot takes the clock's value as its own and moves
 * the clock on, so that whatever is stamped later is later (Wei et al., PPoPP 2021). Only snapshots, and the commits of
 * batches, move it.
 *
 * The counter has 31 bits, a stamp is its lowest `clockBits`. Stamps are compared modulo their range: right as long as
 * all that are compared lie in one half of it. GLOBAL_SWEPT_CLOCK is a counter's value such that no older stamp stands
 * anywhere (tidy.ts rewrites them to ANCIENT), and the clock never gets further ahead of it than that half. The word
 * itself comes back only after 2^31 turns, so a CAS that expects it is not deceived by few bits of the clock.
 *
 * Thread safety: every change is a CAS. Progress: wait-free, each call. Death: leaves nothing but a flag that is still up,
 * which costs writers some time and is taken down by the next one who finds no snapshot.
 */
import type { Arena } from '../memory/arena.ts'
import { GLOBAL_CLOCK, GLOBAL_SWEPT_CLOCK } from '../memory/layout.ts'
import { STAMPED } from './stamp.ts'

const COUNTER_MASK = 0x7fffffff

/** Distance between two counters. */
function distance(from: number, to: number): number {
  return (to - from) & COUNTER_MASK
}

export class Clock {
  private readonly words: Int32Array
  private readonly mask: number
  private readonly shift: number
  /** How far the clock may be ahead of what was swept. */
  private readonly window: number

  constructor(arena: Arena) {
    const { clockBits } = arena.layout
    this.words = arena.words
    this.mask = (1 << clockBits) - 1
    this.shift = 32 - clockBits
    this.window = (1 << (clockBits - 1)) - 1
  }

  load(): number {
    return Atomics.load(this.words, GLOBAL_CLOCK)
  }

  /** The stamp of a clock word. */
  stampOf(word: number): number {
    return (word >>> 1) & this.mask
  }

  /** The VERSION word of what is stamped now. */
  version(): number {
    return STAMPED | ((Atomics.load(this.words, GLOBAL_CLOCK) >>> 1) & this.mask)
  }

  /** Whether a clock word says that no snapshot is live, or will ever be, that is older than its stamp. */
  isQuiet(word: number): boolean {
    return (word & 1) === 0
  }

  /** Whether stamp `a` is earlier than stamp `b`. */
  precedes(a: number, b: number): boolean {
    return (a - b) << this.shift < 0
  }

  /** Whether the clock may move on from this word; if not, old stamps must be swept first. */
  mayAdvance(word: number): boolean {
    return distance(Atomics.load(this.words, GLOBAL_SWEPT_CLOCK), word >>> 1) < this.window
  }

  /** Moves the clock on from a word. @returns false if it has changed meanwhile */
  advance(word: number, flag: number): boolean {
    const next = ((((word >>> 1) + 1) & COUNTER_MASK) << 1) | flag
    return Atomics.compareExchange(this.words, GLOBAL_CLOCK, word, next) === word
  }

  /** Says that no snapshot is live, if the clock has not changed since it was loaded, which was before that was seen. */
  quieten(word: number): void {
    if (!this.isQuiet(word)) Atomics.compareExchange(this.words, GLOBAL_CLOCK, word, word & ~1)
  }

  /** Share of the window that has been used since the last sweep, 0 to 1. */
  used(): number {
    return distance(Atomics.load(this.words, GLOBAL_SWEPT_CLOCK), this.load() >>> 1) / this.window
  }

  /**
   * The counter from which on snapshots may go on living when a sweep begins at a clock word.
   * @param swept what was swept before
   */
  horizonOf(word: number, swept: number): number {
    const ahead = distance(swept, word >>> 1)
    const back = Math.min(ahead, this.window >>> 1)
    return ((word >>> 1) - back) & COUNTER_MASK
  }

  swept(): number {
    return Atomics.load(this.words, GLOBAL_SWEPT_CLOCK)
  }

  /** Notes that no stamp older than the counter `to` stands anywhere, unless another sweep than from `swept` is through. */
  sweptTo(swept: number, to: number): void {
    Atomics.compareExchange(this.words, GLOBAL_SWEPT_CLOCK, swept, to)
  }
}
