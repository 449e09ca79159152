/**
 * Blocks: what the log is made of. A block is a header word and its payload; the header says how long it is, so a segment
 * can be walked without any index.
 *
 *   bits  0-13  words, header included (at most MAX_BLOCK_WORDS)
 *        14-24  key length in bytes (0..2047)
 *           25  the value bytes are all ASCII
 *        26-27  bytes of padding at the end of the last word
 *        28-29  kind
 *        30-31  state: 00 nothing here yet, 01 complete, 11 dead
 *
 * The header word is the only word of a block that the log changes after completion, and only from complete to dead, by
 * CAS: whoever wins accounts for the words, once.
 */
export const MAX_BLOCK_WORDS = (1 << 14) - 1
export const MAX_BLOCK_KEY_BYTES = (1 << 11) - 1

export const KIND_PAGE = 0
export const KIND_RECORD = 1
/** A record whose value lies in extents: its payload lists them. */
export const KIND_EXTENT_RECORD = 2
export const KIND_EXTENT = 3

const COMPLETE = 1 << 30
const DEAD_BIT = 1 << 31
const ASCII_BIT = 1 << 25

/** Composes the header of a complete block. */
export function blockHeader(kind: number, words: number, keyBytes: number, pad: number, ascii: boolean): number {
  return COMPLETE | (kind << 28) | (pad << 26) | (ascii ? ASCII_BIT : 0) | (keyBytes << 14) | words
}

export function wordsOf(header: number): number {
  return header & 0x3fff
}

export function keyBytesOf(header: number): number {
  return (header >>> 14) & 0x7ff
}

export function isAscii(header: number): boolean {
  return (header & ASCII_BIT) !== 0
}

export function padOf(header: number): number {
  return (header >>> 26) & 3
}

export function kindOf(header: number): number {
  return (header >>> 28) & 3
}

/** Whether a block begins here at all. */
export function isBlock(header: number): boolean {
  return (header & COMPLETE) !== 0
}

export function isDead(header: number): boolean {
  return header < 0
}

/** The header that a block had before it was marked dead. */
export function alive(header: number): number {
  return header & ~DEAD_BIT
}

export function dead(header: number): number {
  return header | DEAD_BIT
}
