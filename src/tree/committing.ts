/**
 * Bringing batches of one's own, and of the dead, to their end, and the room that they lack.
 *
 * Thread safety: one Committing belongs to one participant. Progress and death: see batches.ts.
 */
import { ROOM_OPTIONAL, ROOM_ORDINARY, STREAM_PAGES } from '../log/log.ts'
import { INTENT_BATCH, type Participant } from '../reclaim/participant.ts'
import type { Scheme } from '../reclaim/scheme.ts'
import type { TreeContext } from './context.ts'
import { ABORTED_BATCH, BATCH_BYTES, BATCH_POSITION } from './descriptor.ts'
import { JOURNAL_SHORTAGE } from './journal.ts'
import type { Upkeep } from './upkeep.ts'

/** Outcomes of a batch; the third one is ABORTED_BATCH. */
export const COMMITTED = 1
export const LACKING = 0

export class Committing {
  private readonly context: TreeContext
  private readonly words: Int32Array
  private readonly scheme: Scheme
  private readonly me: Participant
  private readonly upkeep: Upkeep

  constructor(context: TreeContext, upkeep: Upkeep) {
    this.context = context
    this.words = context.arena.words
    this.scheme = context.scheme
    this.me = context.me
    this.upkeep = upkeep
  }

  /**
   * Brings a batch that `batchWriter` has described to its end, in one critical region: while it is being installed, nothing
   * that anybody has agreed to replace may be recycled.
   * @returns COMMITTED; ABORTED, which only a transaction can be; or LACKING, if it was given up for want of room: then
   * `makeRoom` may find some outside of the region, and the batch can be written once more
   */
  commit(batch: number): number {
    const { scheme, words, me, upkeep, context } = this
    let outcome = LACKING
    scheme.enter()
    try {
      Atomics.store(words, me.at + INTENT_BATCH, batch)
      if (this.finishPinned(batch)) outcome = context.batches.isCommitted(batch) ? COMMITTED : ABORTED_BATCH
      if (outcome === COMMITTED) this.noteBatch(batch)
      context.batches.discard(batch)
      Atomics.store(words, me.at + INTENT_BATCH, 0)
    } finally {
      scheme.leave()
    }
    context.log.sealExtended()
    if (outcome !== LACKING && upkeep.hasWork()) upkeep.settleQuietly(ROOM_OPTIONAL)
    return outcome
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
    const { words } = this
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
    const { words, context } = this
    const batch = Atomics.load(words, slotAt + INTENT_BATCH)
    if (batch === 0) return
    this.finishPinned(batch)
    context.batches.discard(batch)
    Atomics.compareExchange(words, slotAt + INTENT_BATCH, batch, 0)
  }
}
