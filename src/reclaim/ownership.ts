/**
 * Who owns a recyclable thing (a page id, a segment): one state word per thing, changed by CAS only.
 *
 *   0                        fresh: never used
 *   positive                 in use; the meaning belongs to the floor that uses the thing
 *   FREE                     on the free list
 *   HELD     | label         taken by a participant, not (or no longer) visible to readers
 *   PUSHING  | label         being pushed to the free list by a participant
 *   RETIRED  | epoch         unlinked in that epoch, waiting until no reader can hold it
 *
 * Ownership can therefore always be told from the word alone: a scan for the label of a dead participant finds
 * everything that died with it, and a RETIRED thing whose epoch has passed can be freed by whoever finds it, exactly
 * once, because freeing is a CAS of the whole word.
 */
export const FRESH = 0
const TAG_MASK = 0b111 << 29
const PAYLOAD_MASK = 0x0fffffff
export const FREE = 0b100 << 29
const HELD = 0b101 << 29
const PUSHING = 0b110 << 29
const RETIRED = 0b111 << 29

/** A participant's name in ownership words: slot and generation, 28 bits, so that a successor in the slot is another. */
export function labelOf(slot: number, generation: number): number {
  return (slot << 20) | (generation & 0xfffff)
}

export function held(label: number): number {
  return HELD | label
}

export function pushing(label: number): number {
  return PUSHING | label
}

export function retired(epoch: number): number {
  return RETIRED | epoch
}

export function isHeld(state: number): boolean {
  return (state & TAG_MASK) === HELD
}

export function isRetired(state: number): boolean {
  return (state & TAG_MASK) === RETIRED
}

export function isPushing(state: number): boolean {
  return (state & TAG_MASK) === PUSHING
}

/** Whether a popper may claim a thing that it has unlinked from the list. */
export function isClaimable(state: number): boolean {
  const tag = state & TAG_MASK
  return tag === FREE || tag === PUSHING
}

/** The label or the epoch in a state word. */
export function payloadOf(state: number): number {
  return state & PAYLOAD_MASK
}
