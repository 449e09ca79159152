/**
 * Records: what a leaf's words lead to.
 *
 *   word 0  block header (log)
 *        1  version: 0 = not yet stamped; stamping after installation is what snapshots will do, so it is atomic
 *        2  key bytes, then directly the value bytes                      (KIND_RECORD)
 *        2  key bytes to a whole word, value bytes, number of extents, addresses   (KIND_EXTENT_RECORD)
 *   extent: 0 block header   1 key bytes to a whole word, then data       (KIND_EXTENT; the key leads the cleaner home)
 *
 * All but header and version is immutable once the record is linked.
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

/** Byte offset of the key of a record. */
export function recordKeyAt(record: number): number {
  return (record + RECORD_KEY) * 4
}

/** Word of an extent record's value length; the number of extents and their addresses follow. */
export function extentListAt(record: number, header: number): number {
  return record + RECORD_KEY + ((keyBytesOf(header) + 3) >>> 2)
}
