/**
 * Records: what a leaf's words lead to.
 *
 *   word 0  block header (log)
 *        1  VERSION, atomic: when it took effect (stamp.ts)
 *        2  PREV, atomic: the version before it, or when it was deleted (stamp.ts)
 *        3  key bytes, then directly the value bytes                      (KIND_RECORD)
 *        3  key bytes to a whole word, value bytes, number of extents, addresses   (KIND_EXTENT_RECORD)
 *   extent: 0 block header   1 key bytes to a whole word, then data       (KIND_EXTENT; the key leads the cleaner home)
 *
 * A tombstone says that the key is absent: an extent record whose value has TOMBSTONE bytes, and no extents.
 *
 * All but header, VERSION and PREV is immutable once the record is linked.
 */
import {
  KIND_EXTENT,
  KIND_EXTENT_RECORD,
  KIND_RECORD,
  isBlock,
  keyBytesOf,
  kindOf,
  padOf,
  wordsOf,
} from '../log/block.ts'
import { failUseAfterFree } from '../memory/assert.ts'
import { RECORD_KEY } from './key.ts'

export const RECORD_VERSION = 1
export const RECORD_PREV = 2
/** In place of the length of a value: there is none. */
export const TOMBSTONE = -1
export const EXTENT_KEY = 1

/** Loads a record's header, and goes off if what stands there is no record. */
export function recordHeader(words: Int32Array, record: number): number {
  const header = Atomics.load(words, record)
  const kind = kindOf(header)
  if ((kind !== KIND_RECORD && kind !== KIND_EXTENT_RECORD) || !isBlock(header)) failUseAfterFree(record, header)
  return header
}

/** As `recordHeader`, for an extent. */
export function extentHeader(words: Int32Array, extent: number): number {
  const header = Atomics.load(words, extent)
  if (kindOf(header) !== KIND_EXTENT || !isBlock(header)) failUseAfterFree(extent, header)
  return header
}

/** Bytes of the value of an inline record. */
export function inlineValueBytes(header: number): number {
  return (wordsOf(header) - RECORD_KEY) * 4 - keyBytesOf(header) - padOf(header)
}

/** Bytes of the value of a record, TOMBSTONE if it says that there is none. */
export function valueBytesOf(words: Int32Array, record: number, header: number): number {
  return kindOf(header) === KIND_EXTENT_RECORD ? words[extentListAt(record, header)] : inlineValueBytes(header)
}

/** Byte offset of the key of a record. */
export function recordKeyAt(record: number): number {
  return (record + RECORD_KEY) * 4
}

/** Word of an extent record's value length; the number of extents and their addresses follow. */
export function extentListAt(record: number, header: number): number {
  return record + RECORD_KEY + ((keyBytesOf(header) + 3) >>> 2)
}
