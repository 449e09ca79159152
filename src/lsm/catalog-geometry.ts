/** Where the parts of a catalog lie (catalog.ts says what they are). Thread safety: pure. */
import { LINE_WORDS } from '../memory/layout.ts'

/** Words of a slot in front of the state: its number, and the state's length. */
const SLOT_HEAD_WORDS = 2
/** Different versions that one participant can hold at a time. */
const DEFAULT_HOLDS = 32

/** Where a catalog lies: the same in every thread. Immutable. */
export interface CatalogGeometry {
  readonly currentAt: number
  readonly holdsAt: number
  readonly statesAt: number
  readonly slotsAt: number
  /** One past its last word. */
  readonly end: number
  readonly participants: number
  readonly holds: number
  readonly slots: number
  readonly slotWords: number
}

/**
 * Places a catalog in words that are zero.
 * @param slots versions that can exist at a time; one more than can be held is enough
 * @param stateBytes the largest state: about 60 bytes and two keys for each table
 * @param holds different versions that one participant can hold at a time, 32 at most
 */
export function placeCatalog(
  at: number,
  participants: number,
  slots: number,
  stateBytes: number,
  holds = DEFAULT_HOLDS,
): CatalogGeometry {
  const align = (word: number): number => Math.ceil(word / LINE_WORDS) * LINE_WORDS
  const currentAt = align(at)
  const holdsAt = currentAt + LINE_WORDS
  const statesAt = holdsAt + participants * LINE_WORDS
  const slotsAt = align(statesAt + slots)
  const slotWords = SLOT_HEAD_WORDS + Math.ceil(stateBytes / 4)
  const end = slotsAt + slots * slotWords
  return Object.freeze({ currentAt, holdsAt, statesAt, slotsAt, end, participants, holds, slots, slotWords })
}
