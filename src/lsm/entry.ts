/**
 * An entry as all sources of the durable tier show it, and what a source is.
 *
 * Order: ascending by the key's bytes; versions of one key from the newest to the oldest. So the first entry at or after
 * (key, bound) is the newest version of the key that a reader at `bound` may see.
 *
 * Thread safety: sources and buffers belong to one thread.
 */
import { compareRanges, grown } from './byte-codec.ts'

export const KIND_PUT = 0
export const KIND_DELETE = 1

/** The bound of a reader that sees everything. */
export const NEWEST = Number.MAX_SAFE_INTEGER
/** The largest version stamp: 48 bits. */
export const MAX_SEQUENCE = 2 ** 48 - 1
/** The longest key that tables take; the store allows fewer bytes. */
export const MAX_KEY_BYTES = 65_535

/**
 * A position among sorted entries. The fields describe the entry at which it stands, and are void while it is not
 * `valid`. The bytes they lead to stay as they are until the position moves.
 */
export interface EntrySource {
  readonly valid: boolean
  /** The key is `key[0..keyLength)`. */
  readonly key: Uint8Array
  readonly keyLength: number
  readonly kind: number
  readonly sequence: number
  /** The value is `value[valueStart..valueEnd)`; empty for a delete. */
  readonly value: Uint8Array
  readonly valueStart: number
  readonly valueEnd: number
  seekFirst(): void
  seekLast(): void
  /** To the first entry at or after (key, sequence): versions of that key newer than `sequence` are passed over. */
  seek(key: Uint8Array, start: number, end: number, sequence: number): void
  /** Both need a valid position; stepping off either end makes it invalid. */
  next(): void
  previous(): void
}

/** Order of an entry's place against another: by key, then the newer version first. */
export function compareEntries(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  aSequence: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
  bSequence: number,
): number {
  const order = compareRanges(a, aStart, aEnd, b, bStart, bEnd)
  return order !== 0 ? order : bSequence - aSequence
}

/** A copy of one entry's value, in a buffer that is used again and again. */
export class ValueBuffer {
  bytes: Uint8Array = new Uint8Array(256)
  length = 0
  sequence = 0

  copy(from: Uint8Array, start: number, end: number, sequence: number): void {
    const length = end - start
    if (this.bytes.length < length) this.bytes = grown(this.bytes, 0, length)
    this.length = length
    this.sequence = sequence
    // Short values are the rule, and a view for a bulk copy costs as much as copying a hundred bytes.
    if (length > 96) this.bytes.set(from.subarray(start, end))
    else for (let i = 0; i < length; i++) this.bytes[i] = from[start + i]
  }
}
