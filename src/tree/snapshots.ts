/**
 * Taking, attaching to and closing snapshots; when they are ended for others' sake.
 *
 * A snapshot announces itself, then takes the clock's value and moves the clock on by one CAS, with the flag up. Only its
 * own CAS counts: were it content with another thread's, a batch could have moved the clock with the flag down.
 *
 * Progress: taking one is lock-free, and takes constant time unless the clock's range is used up: then it sweeps first,
 * O(n). Thread safety: one Snapshots belongs to one participant. Death: a slot, which the reaper frees.
 */
import { HeddleError } from '../memory/error.ts'
import type { Relocate } from '../log/cleaner.ts'
import { COUNTER, sumCounter } from '../reclaim/participant.ts'
import type { Below } from './below.ts'
import type { TreeContext } from './context.ts'
import { Tidy } from './tidy.ts'
import { HOLDS, STRICT } from './snapshot-table.ts'
import type { Tree } from './tree.ts'

/** What stands for a snapshot: a slot, the state that it has in the slot while it is live, its value of the clock. */
export interface Mark {
  readonly slot: number
  readonly state: number
  readonly ts: number
  /** The version that it holds of what lies below a partial tree; 0 or nothing if it needs none. */
  readonly version?: number
}

/** Share of the clock's range after which the cleaner sweeps, so that nobody else has to. */
const SWEEP_AT = 0.75
/** Kept words are looked for all over the tree when they are this share of all words, in parts of it. */
const KEPT_PART = 32
/** Calls of `relieve` before it ends a snapshot: memory that was let go comes back some epochs later. */
const CALLS_BEFORE_END = 4

export class Snapshots {
  private readonly context: TreeContext
  private readonly tidy: Tidy
  /** Snapshots that had ended when this participant last walked for what they kept. */
  private walkedAt = 0
  /** Calls of `relieve` that found nothing more to let go. */
  private calls = 0
  /** What lies below the tree, if anything does. */
  below: Below | null = null
  /** The version held for the snapshot being taken. */
  private version = 0

  /** @param relocate see Tidy */
  constructor(tree: Tree, relocate: Relocate) {
    this.context = tree.context
    this.tidy = new Tidy(tree, relocate)
  }

  private tooMany(): HeddleError {
    return new HeddleError(
      'HEDDLE_TOO_MANY_SNAPSHOTS',
      `all ${this.context.arena.layout.maxSnapshots} snapshots are in use; close some, or open with a larger tuning.maxSnapshots`,
    )
  }

  /** What a read at a snapshot that was ended says. */
  expired(): HeddleError {
    return new HeddleError(
      'HEDDLE_SNAPSHOT_EXPIRED',
      'the snapshot was ended, since it is too old or kept too much memory, or it was closed before it was attached to; take a new one',
    )
  }

  private announce(): number {
    const slot = this.context.snapshots.announce()
    if (slot < 0) throw this.tooMany()
    return slot
  }

  /**
   * Takes a snapshot of now. Not inside a critical region.
   * @param now milliseconds, from which its age is counted
   * @param strict whether it needs also what is written later, see residence.ts: for transactions
   * @throws HeddleError HEDDLE_TOO_MANY_SNAPSHOTS, HEDDLE_FULL if the clock's range is used up and a sweep lacks room
   */
  take(now: number, strict = false): Mark {
    const { snapshots, me } = this.context
    for (;;) {
      this.makeTime()
      const slot = this.announce()
      const holds = this.holdBelow(slot) | (strict ? STRICT : 0)
      const { version } = this
      const ts = this.tick()
      if (ts >= 0) {
        const state = snapshots.goLive(slot, ts, now, holds)
        if (state !== 0) {
          me.count(COUNTER.snapshots, 1)
          return { slot, state, ts, version }
        }
      }
      snapshots.release(slot)
      this.letGoBelow(version)
    }
  }

  /**
   * Holds what is current below a partial tree, for a snapshot that has been announced. CLEAN is loaded before: what is held
   * has everything that was stamped before it.
   * @returns see word 4 in snapshot-table.ts
   */
  private holdBelow(slot: number): number {
    const { residence, snapshots } = this.context
    this.version = 0
    if (this.below === null || !residence.isPartial()) return 0
    const clean = residence.cleanStamp()
    try {
      this.version = this.below.hold()
    } catch (error) {
      snapshots.release(slot)
      throw error
    }
    return HOLDS | clean
  }

  /** Holds what another snapshot holds below, if anything, for one that has been announced; that is given up if it cannot. */
  private holdAlsoBelow(slot: number, version: number): void {
    if (version === 0) return
    let isHeld = false
    try {
      isHeld = this.below?.holdAlso(version) === true
    } finally {
      if (!isHeld) this.context.snapshots.release(slot)
    }
    if (!isHeld) throw this.expired()
  }

  private letGoBelow(version: number | undefined): void {
    if (version !== undefined && version !== 0) this.below?.letGo(version)
  }

  /** Moves the clock on, with the flag up. @returns the value it had, or -1 if its range is used up */
  private tick(): number {
    const { clock } = this.context
    for (;;) {
      const word = clock.load()
      if (!clock.mayAdvance(word)) return -1
      if (clock.advance(word, 1)) return clock.stampOf(word)
    }
  }

  /** Sees to it that the clock may go on. @throws HeddleError HEDDLE_FULL */
  private makeTime(): void {
    const { clock } = this.context
    while (!clock.mayAdvance(clock.load())) {
      if (this.tidy.sweep()) continue
      if (this.context.residence.buries()) {
        throw new HeddleError(
          'HEDDLE_FULL',
          "the clock's range is used up since what was written has not been flushed, or no memory is left to make old versions ageless; flush the store",
        )
      }
      throw new HeddleError(
        'HEDDLE_FULL',
        'no memory is left to make old versions ageless, which has to be done now and then; delete entries, or open the store with more memory',
      )
    }
  }

  /**
   * Takes another snapshot at the value of a mark, which may be anybody's.
   * @throws HeddleError HEDDLE_SNAPSHOT_EXPIRED if that is not live any more, HEDDLE_TOO_MANY_SNAPSHOTS
   */
  attach(mark: Mark, now: number): Mark {
    const { snapshots } = this.context
    const version = mark.version ?? 0
    for (;;) {
      const slot = this.announce()
      // Before the look whether the other one is live, which has held it until then.
      this.holdAlsoBelow(slot, version)
      snapshots.countAttach()
      const state = snapshots.goLive(slot, mark.ts, now, snapshots.holdsOf(mark.slot))
      const isLive = this.isLive(mark)
      if (state !== 0 && isLive) return { slot, state, ts: mark.ts, version }
      snapshots.release(slot)
      this.letGoBelow(version)
      // While it was only announced, somebody who could not know its value has ended it: that says nothing of the mark.
      if (!isLive) throw this.expired()
    }
  }

  /** Whether what was read at a mark since the caller entered its critical region is right. */
  isLive(mark: Mark): boolean {
    return this.context.snapshots.state(mark.slot) === mark.state
  }

  /** Gives up a mark that this participant took. */
  close(mark: Mark): void {
    this.context.snapshots.release(mark.slot)
    this.letGoBelow(mark.version)
  }

  /** Words of versions that are kept for snapshots. An estimate after deaths. */
  keptWords(): number {
    const { arena } = this.context
    const kept = (sumCounter(arena, COUNTER.keptWords) - sumCounter(arena, COUNTER.unkeptWords)) | 0
    return kept > 0 ? kept : 0
  }

  /**
   * What the background cleaner does in each round: ends snapshots over their limits, lets go of what ended ones kept, and
   * sweeps the clock's range before it is used up. Not inside a critical region. Gives way to a verifier, as cleaning does.
   */
  maintain(now: number): void {
    const { segments } = this.context.log
    if (!segments.claimWalk()) return
    try {
      if (!segments.resting()) this.maintainNow(now)
    } finally {
      segments.endWalk()
    }
  }

  private maintainNow(now: number): void {
    const { snapshots, arena, clock } = this.context
    const { snapshotMs, snapshotWords } = arena.layout
    if (snapshotMs > 0) this.countExpired(snapshots.expireOlder(now, snapshotMs))
    const limit = Math.min(snapshotWords, arena.layout.arenaWords / KEPT_PART)
    if (this.keptWords() > limit && snapshots.ends() !== this.walkedAt) this.trimAll()
    if (this.keptWords() > snapshotWords && snapshots.expireOldest()) {
      this.countExpired(1)
      this.trimAll()
    }
    if (clock.used() > SWEEP_AT) this.tidy.sweep()
  }

  private countExpired(count: number): void {
    if (count > 0) this.context.me.count(COUNTER.snapshotsExpired, count)
  }

  /**
   * Lets go of every version that nobody needs. Not inside a critical region. O(n).
   * @param thorough see Tidy
   * @returns see Tidy
   */
  trimAll(thorough = false): boolean {
    const { snapshots } = this.context
    const ends = snapshots.ends()
    snapshots.settle()
    const walked = this.tidy.trimAll(thorough)
    if (walked) this.walkedAt = ends
    return walked
  }

  /**
   * For an append that found no room by cleaning: lets go of what ended snapshots kept. If that was done and time was given
   * to what it freed, ends the oldest. Not inside a critical region.
   * @returns whether it is worth trying again
   */
  relieve(): boolean {
    const { snapshots } = this.context
    if (this.keptWords() === 0) return false
    if (snapshots.ends() === this.walkedAt) {
      if (++this.calls % CALLS_BEFORE_END !== 0) return snapshots.countLive() > 0
      if (!snapshots.expireOldest()) return false
      this.countExpired(1)
    }
    return this.trimAll()
  }
}
