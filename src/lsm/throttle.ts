/**
 * Backpressure: how long each write is held up, so that writers cannot run away from flushes and compactions.
 *
 * Smooth: nothing until the memtable is twice as large as it should be, or level 0 has four times the tables that make it
 * due; then 10 microseconds a write, twice as many for each further half of that, up to 20 milliseconds.
 *
 * Thread safety: `Throttle` belongs to one thread. Progress: a wait with a limit, outside of any critical region.
 */
import type { PickingOptions } from './picking.ts'
import { fillOf } from './tier-log.ts'
import type { Tier } from './tier.ts'
import type { TierWords } from './tier-words.ts'

const FIRST_MICROSECONDS = 10
const MOST_MICROSECONDS = 20_000
const TOLERATED = 2
/** A thread cannot be woken more exactly than this: shorter waits are saved up. */
const LEAST_WAIT_MICROSECONDS = 1000

/** Microseconds for each write, by how far behind the background is; 1 is when a flush or a compaction becomes due. */
export function delayFor(behind: number): number {
  if (behind <= TOLERATED) return 0
  return Math.min(MOST_MICROSECONDS, Math.round(FIRST_MICROSECONDS * 2 ** (2 * (behind - TOLERATED))))
}

/** The same for a tier as it is now. */
export function slowness(tier: Tier, { levelZeroTables = 4 }: PickingOptions): number {
  return delayFor(Math.max(fillOf(tier).full, tier.words.tablesOf(0) / levelZeroTables / 2))
}

export class Throttle {
  private readonly words: TierWords
  private owed = 0

  constructor(words: TierWords) {
    this.words = words
  }

  /** To be called before a write. One load if nobody is slowed. */
  pause(writes = 1): void {
    const delay = this.words.delay()
    if (delay === 0) return
    this.owed += delay * writes
    if (this.owed < LEAST_WAIT_MICROSECONDS) return
    this.words.holdUp(this.owed / 1000)
    this.owed = 0
  }
}
