/**
 * Bringing batches to their end, for their owners: in one critical region, with the room that they lack, and also when an
 * exception comes in between.
 *
 * Thread safety: one Commits belongs to one participant. Progress: see batches.ts. Death: INTENT_BATCH names the batch,
 * which `reap` brings to its end.
 */
import { ROOM_OPTIONAL, ROOM_ORDINARY, STREAM_PAGES } from '../log/log.ts'
import { INTENT_BATCH } from '../reclaim/participant.ts'
import type { TreeContext } from './context.ts'
import { ABORTED_BATCH, BATCH_BYTES, BATCH_POSITION } from './descriptor.ts'
import { JOURNAL_SHORTAGE } from './journal.ts'
import type { Upkeep } from './upkeep.ts'

/** Outcomes of a batch; the third one is ABORTED_BATCH. */
export const COMMITTED = 1
export const LACKING = 0

export class Commits {
  private readonly context: TreeContext
  private readonly upkeep: Upkeep
  /** A batch that an exception has kept from its end, 0 for none; its critical region goes on until it has that. */
  unended = 0

  constructor(context: TreeContext, upkeep: Upkeep) {
    this.context = context
    this.upkeep = upkeep
  }

  /**
   * Brings a batch that `batchWriter` has described to its end, in one critical region: while it is being installed, nothing
   * that anybody has agreed to replace may be recycled.
   * @returns COMMITTED; ABORTED, which only a transaction can be; or LACKING, if it was given up for want of room: then
   * `makeRoom` may find some outside of the region, and the batch can be written once more
   */
  commit(batch: number): number {
    const { context, upkeep } = this
    const { scheme, me } = context
    const { words } = context.arena
    this.endUnwound()
    let outcome = LACKING
    scheme.enter()
    this.unended = batch
    try {
      Atomics.store(words, me.at + INTENT_BATCH, batch)
      if (this.finishPinned(batch)) outcome = context.batches.isCommitted(batch) ? COMMITTED : ABORTED_BATCH
      if (outcome === COMMITTED) this.noteBatch(batch)
      this.end(batch)
    } finally {
      this.endUnwound()
    }
    context.log.sealExtended()
    if (outcome !== LACKING && upkeep.hasWork()) upkeep.settleQuietly(ROOM_OPTIONAL)
    return outcome
  }

  /** Lets go of a batch of this thread's that is at its end, and leaves its critical region. */
  private end(batch: number): void {
    this.context.batches.discard(batch)
    Atomics.store(this.context.arena.words, this.context.me.at + INTENT_BATCH, 0)
    this.unended = 0
    this.context.scheme.leave()
  }

  /**
   * Gives up a batch that an exception, short of stack, has left half done, or brings it to its end if it is too late for
   * that: its slot of the journal would hold up all others. What stands in the way again is left for the next change.
   */
  endUnwound(): void {
    const batch = this.unended
    if (batch === 0) return
    try {
      if (!this.context.batches.abort(batch)) this.finishPinned(batch)
      this.end(batch)
    } catch {
      // The critical region goes on meanwhile, so nothing is recycled that it could lead to.
    }
  }

  /** @returns false if the batch was given up for want of room */
  private finishPinned(batch: number): boolean {
    const { batches, log } = this.context
    while (!batches.finish(batch)) {
      const { shortage } = this.context
      const hasRoom = shortage > 0 && log.takeFree(STREAM_PAGES, shortage)
      if (!hasRoom && batches.abort(batch)) return false
    }
    return true
  }

  private noteBatch(batch: number): void {
    const { words } = this.context.arena
    this.context.journal?.noteBatch(~Atomics.load(words, batch + BATCH_POSITION), words[batch + BATCH_BYTES])
  }

  /**
   * Takes the room that a batch lacked, or waits for it. Not inside a critical region.
   * @returns whether it was room of the journal, which others may have taken until the batch is written anew
   * @throws HeddleError HEDDLE_FULL, or as the journal's `wait`
   */
  makeRoom(): boolean {
    this.upkeep.makeRoom(ROOM_ORDINARY)
    return this.context.shortage === JOURNAL_SHORTAGE
  }

  /** Brings a dead participant's batch to its end. Before its segments are sealed, and its pin is taken away. */
  reap(slotAt: number): void {
    const { context } = this
    const { words } = context.arena
    const batch = Atomics.load(words, slotAt + INTENT_BATCH)
    if (batch === 0) return
    this.finishPinned(batch)
    context.batches.discard(batch)
    Atomics.compareExchange(words, slotAt + INTENT_BATCH, batch, 0)
  }
}
