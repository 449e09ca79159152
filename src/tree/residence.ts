/**
 * What need not be in the tree, since it lies below: in the tables of a durable tier, which the tree knows as words only.
 *
 *   word 0  MODE    COMPLETE   the tree has everything: a key that it lacks is absent
 *                   BURYING    likewise, but what is deleted leaves a tombstone
 *                   PARTIAL    a key of which the tree says nothing has to be looked for below
 *        1  CLEAN   a counter of the clock: every version with a stamp before it is below, in what is current there
 *
 *   COMPLETE -> BURYING -> PARTIAL, never back. Between the two steps everybody has left the critical region that he was in
 *   at the first, then CLEAN has been moved past that moment (transition.ts).
 *
 * _Below_ has versions of its own (a catalog's), one current at a time. Whoever makes one current moves CLEAN afterwards, and
 * what is in it was stamped before it became current: a change is completed in the journal only when it has its stamp. So:
 *
 *  1. Let a key be missing from the tree at a moment t, in PARTIAL mode. What a version says of it that is acquired after t
 *     is what the key held at t or at a later moment before the version was acquired. For whatever of the key is newer than
 *     what was below at t was put into the tree after t.
 *  2. What is stamped before CLEAN, has nothing behind it that is needed, and is needed by no snapshot, may leave the tree:
 *     by 1 it is found below from then on. A tombstone may leave it likewise, and not before.
 *  3. A snapshot holds the version that was current at some moment between its announcement and its tick: everything in
 *     that was stamped by then, so it sees all of it. Of the tree it needs what it sees and that version has not: stamps from
 *     its own value of CLEAN on, loaded before the version was acquired. Whoever is about to let something leave loads CLEAN,
 *     then looks at the snapshots. One that he does not see is announced later, and so holds a version that has everything
 *     before that CLEAN; one that is announced makes him desist.
 *  4. A snapshot that was taken before PARTIAL holds nothing: it needs all that it sees.
 *  5. A snapshot of a transaction needs also what it does not see, or what was written since could be gone when the
 *     transaction is validated. It is _strict_.
 *
 * Why stamps do not grow too old: see Tidy. A sweep's horizon is not after CLEAN, and it ends snapshots whose CLEAN is
 * before it. So what is ANCIENT is below, for everybody who holds something.
 *
 * Thread safety: MODE and CLEAN are CASed, only upwards. Progress: wait-free. Death: leaves nothing.
 */
import type { Arena } from '../memory/arena.ts'
import { park } from '../memory/parking.ts'
import type { Clock } from './clock.ts'
import type { SnapshotTable } from './snapshot-table.ts'
import { ANCIENT, STAMPED, STAMP_MASK } from './stamp.ts'

export const COMPLETE = 0
export const BURYING = 1
export const PARTIAL = 2

const MODE = 0
const CLEAN = 1
/** Words of a residence. */
export const RESIDENCE_WORDS = 2

const COUNTER_MASK = 0x7fffffff

/** Whether counter `a` of the clock is later than counter `b`. */
function isAfter(a: number, b: number): boolean {
  const ahead = (a - b) & COUNTER_MASK
  return ahead !== 0 && ahead < 0x40000000
}

export class Residence {
  /** Where the words are; 0 if nothing is below, ever. */
  private readonly at: number
  private readonly words: Int32Array
  private readonly clock: Clock
  private readonly snapshots: SnapshotTable
  /** CLEAN as a stamp, when `begin` was called last. */
  private clean = 0
  private ready = false

  constructor(arena: Arena, at: number, clock: Clock, snapshots: SnapshotTable) {
    this.at = at
    this.words = arena.words
    this.clock = clock
    this.snapshots = snapshots
  }

  /** Whether anything can be below. */
  get hasBelow(): boolean {
    return this.at !== 0
  }

  mode(): number {
    return this.at === 0 ? COMPLETE : Atomics.load(this.words, this.at + MODE)
  }

  /** Whether a key that the tree says nothing of has to be looked for below. Loaded after it was not found. */
  isPartial(): boolean {
    return this.at !== 0 && Atomics.load(this.words, this.at + MODE) === PARTIAL
  }

  /** Whether what is deleted leaves a tombstone. */
  buries(): boolean {
    return this.at !== 0 && Atomics.load(this.words, this.at + MODE) !== COMPLETE
  }

  /** Goes on to the next mode; the caller sees to what has to lie between. @returns whether it is the mode now */
  enterMode(mode: number): boolean {
    const now = this.mode()
    if (now === mode) return true
    return now === mode - 1 && Atomics.compareExchange(this.words, this.at + MODE, now, mode) === now
  }

  /** The counter of the clock such that every version with a stamp before it is below. */
  cleanCounter(): number {
    return Atomics.load(this.words, this.at + CLEAN)
  }

  /** The same as a stamp. */
  cleanStamp(): number {
    return this.clock.stampOf(this.cleanCounter() << 1)
  }

  /**
   * Moves the clock on, so that what is stamped from now on can be told from what was installed before.
   * @returns the counter that `setClean` is to be given when all that was installed before is below, and what is; -1 if
   * the clock's range is used up: a sweep has to come first
   */
  turn(): number {
    const { clock } = this
    for (;;) {
      const word = clock.load()
      if (!clock.mayAdvance(word)) return -1
      if (clock.advance(word, word & 1)) return ((word >>> 1) + 1) & COUNTER_MASK
    }
  }

  /** The clock's counter: what `setClean` can be given in the same way if the clock cannot be turned. */
  present(): number {
    return this.clock.load() >>> 1
  }

  /** Says that all before a turn of the clock is in what is current below. */
  setClean(counter: number): void {
    for (;;) {
      const now = this.cleanCounter()
      if (!isAfter(counter, now)) return
      if (Atomics.compareExchange(this.words, this.at + CLEAN, now, counter) !== now) continue
      Atomics.notify(this.words, this.at + CLEAN)
      return
    }
  }

  /** Whether CLEAN has been moved to a counter, or past it. */
  hasReached(counter: number): boolean {
    return !isAfter(counter, this.cleanCounter())
  }

  /** Waits until CLEAN is moved on from a counter. Not inside a critical region. @param budgetMs the longest wait */
  waitClean(counter: number, budgetMs: number): void {
    park(this.words, this.at + CLEAN, counter, budgetMs)
  }

  /**
   * The horizon of a sweep that would like to have `counter`: not after CLEAN, nor after what is brought up now.
   * @returns -1 if that is not after what has been swept
   */
  horizonWithin(counter: number, swept: number): number {
    if (!this.buries()) return counter
    const most = (this.cleanCounter() - 1) & COUNTER_MASK
    if (isAfter(most, counter)) return counter
    return isAfter(most, swept) ? most : -1
  }

  /** Loads CLEAN, then looks at the snapshots: what `mayLeave` goes by. In the region in which it is used. */
  begin(): void {
    this.clean = this.cleanStamp()
    this.ready = this.snapshots.collectNeeds()
  }

  /** Whether a version with this VERSION, or a death as one, is below for everybody who may need it. After `begin`. */
  mayLeave(version: number): boolean {
    if (!this.ready || version < STAMPED) return false
    if ((version & ANCIENT) !== 0) return !this.snapshots.needsAncient()
    const stamp = version & STAMP_MASK
    return this.clock.precedes(stamp, this.clean) && !this.snapshots.needsHere(stamp)
  }

  /** Whether absence that is stamped so may be forgotten: in a complete tree it may, else it must be below. */
  mayForget(version: number): boolean {
    if (!this.buries()) return true
    this.begin()
    return this.mayLeave(version)
  }

  /** The VERSION of what is brought up from below, by CLEAN as it was once the key had been missed. */
  static versionOf(clock: Clock, clean: number): number {
    return STAMPED | clock.stampOf((clean - 1) << 1)
  }
}
