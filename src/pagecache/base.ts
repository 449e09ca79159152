/**
 * The base of a page: a block with entries that can be overwritten in place and empty slots that can be appended to, all
 * by CAS, until it is sealed and frozen; from then on nothing in it changes and any thread can compute its successor.
 *
 *   word 0  block header (log)
 *        1  page id
 *        2  level << 24 | slots << 12 | count
 *        3  right sibling's page id, 0 if none            \
 *        4  prefix bytes << 16 | offset of the body        | these belong to the structure above,
 *        5  low fence bytes << 16 | high fence bytes       | the cache only reserves the words
 *        6  structure's own (leaf: deletions, atomic)     /
 *        7.. preamble of the structure: high fence, low fence, prefix; each begins at a word
 *   body:   heads[count], entries[count], slots[slots], tags, four to a word
 *
 * An entry or slot word holds a fragment's address (a record in the log) and two flags:
 *   FROZEN    the page is being replaced; the word does not change any more
 *   EMPTIED   deleted: nothing here any more, never filled again; or, with an address, kept for snapshots
 * A slot word of 0 has not been used. Slots are used in order, so the first 0 ends the search. SEALED in a slot says that
 * the page takes no more fragments. A tag is a byte of its slot's key's hash, put into its word by an `or` of whoever has
 * linked the slot: 0 means "not known yet", and readers look at the fragment itself then.
 *
 * Immutable after publication (plain loads): words 1-5, preamble, heads. Atomic: entries, slots, tags, word 6, header.
 */
import { FRAGMENT_MASK } from './fragment.ts'

export const BASE_ID = 1
export const BASE_SHAPE = 2
export const BASE_RIGHT = 3
export const BASE_BODY = 4
export const BASE_FENCES = 5
export const BASE_EXTRA = 6
export const BASE_PREAMBLE = 7

export const MAX_COUNT = (1 << 12) - 1

export function shape(level: number, slots: number, count: number): number {
  return (level << 24) | (slots << 12) | count
}

export function levelOf(shapeWord: number): number {
  return shapeWord >>> 24
}

export function slotsOf(shapeWord: number): number {
  return (shapeWord >>> 12) & 0xfff
}

export function countOf(shapeWord: number): number {
  return shapeWord & 0xfff
}

/** Words of a page's slots and their tags. */
export function slotWords(slots: number): number {
  return slots + ((slots + 3) >>> 2)
}

/** Whether a word leads to a fragment. */
export function leadsToFragment(word: number): boolean {
  return (word & FRAGMENT_MASK) !== 0
}
