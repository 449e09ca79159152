/**
 * The way of a tree from complete to partial, a step at a time (residence.ts has the modes, and why they are needed).
 *
 *   1. BURYING. Who finds the tree so leaves tombstones, and forgets none that is not below.
 *   2. Everybody has left the critical region that he was in at 1: whoever has found the tree complete, and goes by that, is
 *      through with it, such as one who deletes without a journal, and leaves no tombstone. The epoch is loaded after 1 for
 *      that, and two more have to begin.
 *   3. The clock is turned. What was done before 2 was over has an earlier stamp.
 *   4. CLEAN has come to that turn, by a flush that began after it: everything of the time before BURYING is below, what is
 *      deleted without a trace in the tree, too.
 *   5. PARTIAL. From now on something may leave, and what the tree says nothing of has to be looked for below.
 *
 * Thread safety: one Transition belongs to one participant; any number of them may take the steps at a time, each of which
 * waits for itself. Not inside critical regions. Progress: lock-free, but for 4, which takes somebody who flushes. Death: what
 * was done stays done; whoever goes on begins with 2.
 */
import { hasPassed } from '../reclaim/garbage.ts'
import type { Scheme } from '../reclaim/scheme.ts'
import { BURYING, COMPLETE, PARTIAL, type Residence } from './residence.ts'

const NOT_YET = -1

export class Transition {
  private readonly scheme: Scheme
  private readonly residence: Residence
  /** The epoch in which BURYING was met first, and the turn of the clock that has to be flushed. */
  private buriedIn = NOT_YET
  private turned = NOT_YET

  constructor(scheme: Scheme, residence: Residence) {
    this.scheme = scheme
    this.residence = residence
  }

  /**
   * Takes the next steps that can be taken. Waits for nothing.
   * @returns whether a flush has to come before the one after them
   */
  step(): boolean {
    const { scheme, residence } = this
    if (residence.mode() === COMPLETE) residence.enterMode(BURYING)
    if (this.buriedIn === NOT_YET) this.buriedIn = scheme.epoch()
    if (this.turned === NOT_YET) {
      scheme.flush()
      if (!hasPassed(this.buriedIn, scheme.epoch())) return false
      this.turned = residence.turn()
      // The clock's range is used up: what is swept of it is not newer than CLEAN, which a flush moves.
      if (this.turned === NOT_YET) return true
    }
    if (!residence.hasReached(this.turned)) return true
    residence.enterMode(PARTIAL)
    return false
  }
}
