/**
 * The two words by which records become versions: what their bits mean.
 *
 *   VERSION   0                 not stamped: it takes effect when somebody stamps it
 *             STAMPED | stamp   took effect when the clock showed `stamp`; with
 *                NOPREV         what it replaced was let go at once: PREV is void, though it may name something
 *                ANCIENT        older than every snapshot that is or will be; the stamp is void
 *             ABORTED           never took effect and never will: look past it
 *             negative          minus the address of the descriptor of the batch that it belongs to: not decided yet
 *   PREV      0                 nothing is before it
 *             address           the version before it
 *             DEATH | stamp     nothing is before it, and it was deleted when the clock showed `stamp`
 *             with HELD         the word does not change any more, but for a death: a mover copies the record
 *
 * VERSION changes from 0 or negative to STAMPED, once; then only to ANCIENT. PREV goes down the chain only, to 0 or to
 * DEATH. Both are changed by CAS.
 */
export const STAMPED = 1 << 30
export const NOPREV = 1 << 29
export const ANCIENT = 1 << 28
export const STAMP_MASK = ANCIENT - 1
export const ABORTED = 1

export const DEATH = 1 << 31
export const HELD = 1 << 30
export const PREV_MASK = HELD - 1

/** The version before, by a PREV word; 0 if there is none. */
export function previousOf(prev: number): number {
  return prev < 0 ? 0 : prev & PREV_MASK
}
