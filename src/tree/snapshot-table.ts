/**
 * The slots of snapshots: who is live at which value of the clock. SNAPSHOT_WORDS words each:
 *
 *   0 state     generation << 2 | FREE, ANNOUNCED, LIVE or EXPIRED
 *   1 ts        the clock's value that it sees; valid from LIVE on
 *   2 owner     label + 1 of the participant it belongs to, 0 if none: taken by CAS before anything else
 *   3 started   milliseconds, modulo 2^32, when it was taken: by its owner's look at the time of day, which may be later
 *               than that of whoever asks for its age
 *   4 holds     what it holds of what is below the tree: HOLDS and its stamp of CLEAN, STRICT (residence.ts); 0 for nothing
 *
 *   FREE -> ANNOUNCED -> LIVE -> FREE          by the owner, or by its reaper
 *           ANNOUNCED, LIVE -> EXPIRED -> FREE  the first by anyone
 *
 * An ANNOUNCED snapshot's value is not known: it counts as one that needs everything. It is announced before it loads the
 * clock, so whoever loads the clock and then finds nobody announced or live knows that every later snapshot is at that
 * value or after it.
 *
 * An attachment takes over the value of another snapshot, which may end right afterwards: who looks at one slot after the
 * other could see the first before it, and the second after it. So an attachment counts itself once it is announced,
 * and only then looks whether the other one is still live. If the count did not change while all slots were looked at,
 * then none that was attached to before the end of the look has been missed.
 *
 * Thread safety: words 1, 3 and 4 are stored by the owner before LIVE; the others are CASed. Progress: wait-free, O(slots
 * ever used), but for `claim`, which is lock-free. Death: a slot in any state, named by the label of the dead, which its
 * reaper frees.
 */
import type { Arena } from '../memory/arena.ts'
import { GLOBAL_SNAPSHOTS, GLOBAL_SNAPSHOT_ATTACHES, GLOBAL_SNAPSHOT_ENDS, SNAPSHOT_WORDS } from '../memory/layout.ts'
import type { Clock } from './clock.ts'
import { STAMP_MASK } from './stamp.ts'

const STATE = 0
const TS = 1
const OWNER = 2
const STARTED = 3
const BELOW = 4

/** It holds a version of what is below, with everything before the stamp in the lower bits. */
export const HOLDS = 1 << 30
/** It needs also what was written since it was taken. */
export const STRICT = 1 << 29

const FREE = 0
const ANNOUNCED = 1
const LIVE = 2
const EXPIRED = 3
const STATUS = 3

/** Milliseconds from which on an age is not one of five weeks, but of something that began after it was asked for. */
const FUTURE = 3 * 2 ** 30

export class SnapshotTable {
  /** Values of the live snapshots, as `collect` found them. */
  readonly live: Int32Array
  count = 0
  /** The same, with what they hold, as `collectNeeds` found them. */
  private readonly needTs: Int32Array
  private readonly needHolds: Int32Array
  private needs = 0
  private readonly words: Int32Array
  private readonly at: number
  private readonly most: number
  private readonly label: number
  private readonly clock: Clock
  /** While this is not -1, every value from it on counts as live: what a sweep goes by. */
  private horizon = -1
  /** What had been swept when that sweep began. */
  private sweptBefore = 0

  constructor(arena: Arena, clock: Clock, label: number) {
    this.words = arena.words
    this.at = arena.layout.snapshotsAt
    this.most = arena.layout.maxSnapshots
    this.live = new Int32Array(this.most)
    this.needTs = new Int32Array(this.most)
    this.needHolds = new Int32Array(this.most)
    this.label = label
    this.clock = clock
  }

  private slot(slot: number): number {
    return this.at + slot * SNAPSHOT_WORDS
  }

  /** Slots ever used. */
  private used(): number {
    return Atomics.load(this.words, GLOBAL_SNAPSHOTS)
  }

  /**
   * Takes a slot and announces a snapshot in it.
   * @returns the slot, or -1 if all are taken
   */
  announce(): number {
    const { words } = this
    for (let slot = 0; slot < this.most; slot++) {
      const at = this.slot(slot)
      if (Atomics.compareExchange(words, at + OWNER, 0, this.label + 1) !== 0) continue
      this.raiseUsed(slot + 1)
      const generation = (Atomics.load(words, at + STATE) >>> 2) + 1
      Atomics.store(words, at + STATE, (generation << 2) | ANNOUNCED)
      return slot
    }
    return -1
  }

  private raiseUsed(to: number): void {
    for (;;) {
      const used = this.used()
      if (used >= to || Atomics.compareExchange(this.words, GLOBAL_SNAPSHOTS, used, to) === used) return
    }
  }

  /** Counts the attachment that the caller has announced, before it looks at what it attaches to. */
  countAttach(): void {
    Atomics.add(this.words, GLOBAL_SNAPSHOT_ATTACHES, 1)
  }

  private attaches(): number {
    return Atomics.load(this.words, GLOBAL_SNAPSHOT_ATTACHES)
  }

  /** The state of a slot; that of a live snapshot tells it from every other one. */
  state(slot: number): number {
    return Atomics.load(this.words, this.slot(slot) + STATE)
  }

  isLive(state: number): boolean {
    return (state & STATUS) === LIVE
  }

  /** What a live snapshot holds. */
  holdsOf(slot: number): number {
    return Atomics.load(this.words, this.slot(slot) + BELOW)
  }

  /**
   * Makes the caller's announced snapshot live.
   * @param holds see word 4
   * @returns its state, or 0 if somebody has ended it meanwhile
   */
  goLive(slot: number, ts: number, now: number, holds = 0): number {
    const { words } = this
    const at = this.slot(slot)
    Atomics.store(words, at + TS, ts)
    if (this.holdsOf(slot) !== holds) Atomics.store(words, at + BELOW, holds)
    Atomics.store(words, at + STARTED, now)
    const announced = Atomics.load(words, at + STATE)
    if ((announced & STATUS) !== ANNOUNCED) return 0
    const live = (announced & ~STATUS) | LIVE
    return Atomics.compareExchange(words, at + STATE, announced, live) === announced ? live : 0
  }

  /** Gives up a slot of the caller's. */
  release(slot: number): void {
    this.free(slot, this.label)
    this.settle()
  }

  private free(slot: number, label: number): void {
    const { words } = this
    const at = this.slot(slot)
    for (;;) {
      const state = Atomics.load(words, at + STATE)
      if ((state & STATUS) === FREE) break
      if (Atomics.compareExchange(words, at + STATE, state, (state & ~STATUS) | FREE) !== state) continue
      Atomics.add(words, GLOBAL_SNAPSHOT_ENDS, 1)
      break
    }
    Atomics.compareExchange(words, at + OWNER, label + 1, 0)
  }

  /** Gives up every slot of a participant that is gone. */
  releaseOf(label: number): void {
    const used = this.used()
    for (let slot = 0; slot < used; slot++) {
      if (Atomics.load(this.words, this.slot(slot) + OWNER) === label + 1) this.free(slot, label)
    }
    this.settle()
  }

  /** Takes the clock's flag down if no snapshot is left. */
  settle(): void {
    const word = this.clock.load()
    if (this.clock.isQuiet(word)) return
    const attaches = this.attaches()
    const used = this.used()
    for (let slot = 0; slot < used; slot++) {
      const status = this.state(slot) & STATUS
      if (status === ANNOUNCED || status === LIVE) return
    }
    if (this.attaches() === attaches) this.clock.quieten(word)
  }

  /** Ends a snapshot of somebody's. @returns whether this call did */
  private expire(slot: number, state: number): boolean {
    const { words } = this
    const at = this.slot(slot) + STATE
    if (Atomics.compareExchange(words, at, state, (state & ~STATUS) | EXPIRED) !== state) return false
    Atomics.add(words, GLOBAL_SNAPSHOT_ENDS, 1)
    return true
  }

  /** For a sweep: ends what is live before its horizon, and what is only announced. @returns how many */
  expireBeforeHorizon(): number {
    let ended = 0
    for (;;) {
      const attaches = this.attaches()
      ended += this.expireAllBefore(this.horizon)
      if (this.attaches() === attaches) break
    }
    this.settle()
    return ended
  }

  private expireAllBefore(stamp: number): number {
    const used = this.used()
    let ended = 0
    for (let slot = 0; slot < used; slot++) {
      const state = this.state(slot)
      const status = state & STATUS
      if (status !== ANNOUNCED && status !== LIVE) continue
      const ts = Atomics.load(this.words, this.slot(slot) + TS)
      if (status === LIVE && !this.clock.precedes(ts, stamp) && !this.holdsBefore(slot, stamp)) continue
      if (this.isOutrun()) break
      if (this.expire(slot, state)) ended++
    }
    return ended
  }

  private holdsBefore(slot: number, stamp: number): boolean {
    const holds = this.holdsOf(slot)
    return (holds & HOLDS) !== 0 && this.clock.precedes(holds & STAMP_MASK, stamp)
  }

  /** Ends snapshots that are older than so many milliseconds. @returns how many */
  expireOlder(now: number, ms: number): number {
    const used = this.used()
    let ended = 0
    for (let slot = 0; slot < used; slot++) {
      const state = this.state(slot)
      if ((state & STATUS) !== LIVE || this.ageOf(slot, now) < ms) continue
      if (this.expire(slot, state)) ended++
    }
    if (ended > 0) this.settle()
    return ended
  }

  private ageOf(slot: number, now: number): number {
    const age = (now - Atomics.load(this.words, this.slot(slot) + STARTED)) >>> 0
    return age < FUTURE ? age : 0
  }

  /** Ends the snapshot that sees the earliest value; one that is only announced goes last. @returns whether it did */
  expireOldest(): boolean {
    const used = this.used()
    let oldest = -1
    let oldestState = 0
    let oldestTs = 0
    for (let slot = 0; slot < used; slot++) {
      const state = this.state(slot)
      const status = state & STATUS
      const ts = Atomics.load(this.words, this.slot(slot) + TS)
      if (status !== LIVE && (status !== ANNOUNCED || oldest >= 0)) continue
      const isAnnounced = (oldestState & STATUS) === ANNOUNCED
      if (oldest >= 0 && !isAnnounced && !this.clock.precedes(ts, oldestTs)) continue
      oldest = slot
      oldestState = state
      oldestTs = ts
    }
    const done = oldest >= 0 && this.expire(oldest, oldestState)
    if (done) this.settle()
    return done
  }

  /**
   * Looks which snapshots are live. Whatever becomes live after the call began is at the clock's value then, or later.
   * @returns false if it cannot tell: one is announced, which may need anything, or has been attached meanwhile; or, in a
   * sweep, stamps that were loaded before may be too far from the horizon to be compared with it
   */
  collect(): boolean {
    this.count = 0
    if (this.horizon >= 0) return !this.isOutrun()
    const attaches = this.attaches()
    const used = this.used()
    for (let slot = 0; slot < used; slot++) {
      const status = this.state(slot) & STATUS
      if (status === ANNOUNCED) return false
      // The value may be a later snapshot's by now: then the one that was live has ended, and too much is kept.
      if (status === LIVE) this.live[this.count++] = Atomics.load(this.words, this.slot(slot) + TS)
    }
    return this.attaches() === attaches
  }

  /**
   * As `collect`, with what they hold. What became live after the call began holds a version that is current then, or a
   * later one, and so needs nothing that was clean before the call. @returns see `collect`
   */
  collectNeeds(): boolean {
    this.needs = 0
    if (this.horizon >= 0) return !this.isOutrun()
    const attaches = this.attaches()
    const used = this.used()
    for (let slot = 0; slot < used; slot++) {
      const status = this.state(slot) & STATUS
      if (status === ANNOUNCED) return false
      if (status !== LIVE) continue
      this.needTs[this.needs] = Atomics.load(this.words, this.slot(slot) + TS)
      this.needHolds[this.needs++] = this.holdsOf(slot)
    }
    return this.attaches() === attaches
  }

  /** Whether a snapshot found by `collectNeeds` needs a version with this stamp to be in the tree. */
  needsHere(stamp: number): boolean {
    const { clock, needTs, needHolds } = this
    // A sweep has ended all that are before its horizon, or hold what is.
    if (this.horizon >= 0) return !clock.precedes(stamp, this.horizon)
    for (let i = 0; i < this.needs; i++) {
      const holds = needHolds[i]
      if ((holds & HOLDS) !== 0 && clock.precedes(stamp, holds & STAMP_MASK)) continue
      if ((holds & STRICT) !== 0 || !clock.precedes(needTs[i], stamp)) return true
    }
    return false
  }

  /** The same for what is older than every snapshot, and than what each of them holds. */
  needsAncient(): boolean {
    for (let i = 0; i < this.needs; i++) if ((this.needHolds[i] & HOLDS) === 0) return true
    return false
  }

  /** Until `endHorizon`, `collect` finds every value from this stamp on. @param swept what has been swept up to now */
  beginHorizon(stamp: number, swept: number): void {
    this.horizon = stamp
    this.sweptBefore = swept
  }

  /**
   * Whether another sweep has been through since the horizon was set. If not, the clock has not left the range in which
   * every stamp can be compared with it; this holds for what was loaded before the call.
   */
  isOutrun(): boolean {
    return this.horizon >= 0 && this.clock.swept() !== this.sweptBefore
  }

  endHorizon(): void {
    this.horizon = -1
  }

  /** Whether a snapshot that was collected is before a stamp. */
  anyBefore(stamp: number): boolean {
    const { clock, live } = this
    if (this.horizon >= 0) return clock.precedes(this.horizon, stamp)
    for (let i = 0; i < this.count; i++) if (clock.precedes(live[i], stamp)) return true
    return false
  }

  /** Whether a snapshot that was collected is at `from` or later, and before `to`. */
  anyWithin(from: number, to: number): boolean {
    const { clock, live } = this
    if (this.horizon >= 0) return clock.precedes(this.horizon, to)
    for (let i = 0; i < this.count; i++) {
      if (!clock.precedes(live[i], from) && clock.precedes(live[i], to)) return true
    }
    return false
  }

  countLive(): number {
    let live = 0
    const used = this.used()
    for (let slot = 0; slot < used; slot++) if (this.isLive(this.state(slot))) live++
    return live
  }

  /** Age of the oldest live snapshot in milliseconds, 0 if there is none. */
  oldestAge(now: number): number {
    let oldest = 0
    const used = this.used()
    for (let slot = 0; slot < used; slot++) {
      if (this.isLive(this.state(slot))) oldest = Math.max(oldest, this.ageOf(slot, now))
    }
    return oldest
  }

  /** Number of snapshots that have ended since the store was opened. */
  ends(): number {
    return Atomics.load(this.words, GLOBAL_SNAPSHOT_ENDS)
  }
}
