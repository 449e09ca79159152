/**
 * The journal: what the tree needs of a log in which its changes are written before they are made. The floor above
 * implements it; a tree without one is only in memory.
 *
 * A slot of the journal is reserved and filled for a change, then the change is made by the CAS of a leaf's word, then the
 * slot is completed: all in one attempt, in one critical region. A change that fails gives its slot up, and its next attempt
 * takes another one. So:
 *
 *   Order of each key. The head that a change replaces is found before its slot is reserved, and was linked by a change whose
 *   slot was reserved before that. The CAS succeeds only over that head; heads do not recur within a pin. So the slots of
 *   one key are in the order of its changes. If the key was found absent: any slot of a change that has ended before was
 *   reserved before; and since then nothing can have come and gone, since it would have taken the free slot of the leaf
 *   that the CAS is for (a leaf's slots are used in order, and not again). Batches reserve when all their records are linked,
 *   and before they are decided, so what they replaced comes before them, and what replaces them after.
 *
 *   What is read and then written upon. Nothing can be read before its slot is reserved, and whoever writes by what he has
 *   read reserves later. A slot whose change was made is never given up. So a prefix of the log holds, with each change,
 *   all that it was made by: it is what a run of exactly these changes leaves, each having read what it did read. (What a
 *   transaction has read may be replaced by a change with an earlier slot than its own. Then of a prefix that lacks the
 *   transaction it is true that it never was; of one that has both, that it came first. They write different keys.)
 *
 *   Time. A change that had ended before another one began has the earlier slot.
 *
 * Death. A thread that dies in an attempt leaves a RESERVED slot, at most one; INTENT_CHANGE says what it is filled with: 0 for
 * nothing yet, a record, or minus a batch. Its reaper completes it if the change was made, else gives it up:
 *   a record    was linked if it is the head of its key, or has a VERSION: a head is stamped before anything replaces it, and
 *               nothing else is stamped. Looked at in this order, and its thread is dead, so it cannot be linked in
 *               between. The record is still there, since its thread died pinned, and the pin stands until the hooks are
 *               over. For that, deletes go through tombstones where there is a journal: a mark on the old record would
 *               not say whose it is.
 *   a batch     if the slot is what its descriptor says, the batch is brought to its end, which decides; else it is given up.
 * Unwinding from an exception, short of memory or stack, is the same, but done by the thread itself (`letGo`).
 *
 * Thread safety: one journal belongs to one participant. Nothing waits inside a critical region but `wait`, which is not for
 * there. No participant holds two slots, or waits while it holds one.
 */

/** Bytes in front of the key, of a put or a delete, and of an operation of a batch, and in front of the operations. */
export const CHANGE_HEADER_BYTES = 4
export const OPERATION_HEADER_BYTES = 8
export const BATCH_HEADER_BYTES = 4

/** `context.shortage` if it is the journal that has no room. */
export const JOURNAL_SHORTAGE = -1

export interface Journal {
  /**
   * Before a change, outside of critical regions.
   * @param payloadBytes that it will take in the journal
   * @throws HeddleError HEDDLE_TOO_LARGE; HEDDLE_IO, HEDDLE_NO_SPACE if the log does not work
   */
  admit(payloadBytes: number): void
  /** Reserves and fills a slot for a record, a tombstone for a delete. @returns false if there is no room: see `wait` */
  reserve(record: number): boolean
  /** As `reserve`, for a batch that is installed. @returns the slot's position, or -1 if there is no room */
  reserveBatch(batch: number): number
  /** The change of the slot reserved last was made. */
  complete(): void
  /** The change of the slot reserved last was not made. */
  abort(): void
  /** Position of the slot that is neither completed nor aborted nor forgotten, -1 if there is none, else below: unknown. */
  readonly held: number
  /** Completes or gives up a batch's slot, whoever has reserved it, unless that is done. */
  settle(position: number, isComplete: boolean): void
  /** The slot of a batch is in its descriptor, and settled there. */
  forget(): void
  /** Position of the slot that a dead participant has left RESERVED, or -1. */
  reservedBy(participant: number): number
  /** Notes that a batch of the owner's was committed, with the slot at a position. */
  noteBatch(position: number, payloadBytes: number): void
  /** Waits until there may be room for what was refused last. Not inside a critical region. @throws HeddleError as `admit` */
  wait(): void
}
