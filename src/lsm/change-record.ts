/**
 * What a record of the write-ahead log says about the tree. All numbers are little-endian, nothing is aligned:
 *
 *   TYPE_PUT      0-1 key bytes | 2 flags | 3 zero | key | value, to the payload's end
 *   TYPE_DELETE   0-1 key bytes | 2 flags | 3 zero | key
 *   TYPE_BATCH    0-3 number of operations | for each, in the order of their keys:
 *                 0-1 key bytes | 2 flags | 3 zero | 4-7 value bytes | key | value
 *
 *   flags         1 the value's bytes are all ASCII (the codec says so, it is given back to it)
 *                 2 the operation is a delete
 *
 * A batch is one record, so it is there as a whole or not at all. A record must fit one slot of the ring.
 *
 * Thread safety: pure functions on memory that the caller owns.
 */
import { BATCH_HEADER_BYTES, CHANGE_HEADER_BYTES, OPERATION_HEADER_BYTES } from '../tree/journal.ts'
import { corruptFile } from './file-error.ts'
import { get32, put32 } from './little-endian.ts'
import { TYPE_BATCH, TYPE_DELETE, TYPE_PUT } from './log-format.ts'

export const CHANGE_ASCII = 1
export const CHANGE_DELETE = 2

export { BATCH_HEADER_BYTES, CHANGE_HEADER_BYTES, OPERATION_HEADER_BYTES }

/** Writes what stands in front of a put's or a delete's key. */
export function writeChangeHeader(bytes: Uint8Array, at: number, keyBytes: number, flags: number): void {
  bytes[at] = keyBytes
  bytes[at + 1] = keyBytes >>> 8
  bytes[at + 2] = flags
  bytes[at + 3] = 0
}

export function writeBatchHeader(bytes: Uint8Array, at: number, operations: number): void {
  put32(bytes, at, operations)
}

/** Writes what stands in front of the key of a batch's operation. */
export function writeOperationHeader(
  bytes: Uint8Array,
  at: number,
  keyBytes: number,
  flags: number,
  valueBytes: number,
): void {
  writeChangeHeader(bytes, at, keyBytes, flags)
  put32(bytes, at + 4, valueBytes)
}

/** Receives a change. The bytes are valid during the call; the value begins where the key ends. */
export interface ChangeVisitor {
  put(bytes: Uint8Array, keyAt: number, keyBytes: number, valueBytes: number, ascii: boolean): void
  remove(bytes: Uint8Array, keyAt: number, keyBytes: number): void
}

/**
 * Reads a record of the log.
 * @param file name and offset for the error
 * @returns operations in it
 * @throws FileError HEDDLE_CORRUPT if it is not what a writer of this format wrote; nothing of it was visited then
 */
export function readChanges(
  type: number,
  bytes: Uint8Array,
  at: number,
  length: number,
  visitor: ChangeVisitor,
  file: { readonly name: string; readonly offset: number },
): number {
  const fault = faultOf(type, bytes, at, length)
  if (fault !== '') throw corruptFile(file.name, file.offset, fault)
  if (type === TYPE_BATCH) return visitBatch(bytes, at, visitor)
  const keyBytes = bytes[at] | (bytes[at + 1] << 8)
  const keyAt = at + CHANGE_HEADER_BYTES
  if (type === TYPE_DELETE) visitor.remove(bytes, keyAt, keyBytes)
  else {
    const valueBytes = length - CHANGE_HEADER_BYTES - keyBytes
    visitor.put(bytes, keyAt, keyBytes, valueBytes, (bytes[at + 2] & CHANGE_ASCII) !== 0)
  }
  return 1
}

/** What is wrong with a record, or nothing. */
function faultOf(type: number, bytes: Uint8Array, at: number, length: number): string {
  if (type === TYPE_PUT || type === TYPE_DELETE) {
    if (length < CHANGE_HEADER_BYTES) return 'a change is too short'
    const rest = length - CHANGE_HEADER_BYTES - (bytes[at] | (bytes[at + 1] << 8))
    return rest < 0 || (type === TYPE_DELETE && rest > 0) ? 'a change has another length than its key says' : ''
  }
  if (type !== TYPE_BATCH) return `a record has the unknown type ${type}`
  if (length < BATCH_HEADER_BYTES) return 'a batch is too short'
  const end = at + length
  let next = at + BATCH_HEADER_BYTES
  for (let left = get32(bytes, at); left > 0; left--) {
    if (next + OPERATION_HEADER_BYTES > end) return 'a batch is shorter than its operations'
    next += OPERATION_HEADER_BYTES + (bytes[next] | (bytes[next + 1] << 8)) + get32(bytes, next + 4)
  }
  return next === end ? '' : 'a batch has another length than its operations say'
}

function visitBatch(bytes: Uint8Array, at: number, visitor: ChangeVisitor): number {
  const operations = get32(bytes, at)
  let next = at + BATCH_HEADER_BYTES
  for (let i = 0; i < operations; i++) {
    const keyBytes = bytes[next] | (bytes[next + 1] << 8)
    const flags = bytes[next + 2]
    const valueBytes = get32(bytes, next + 4)
    const keyAt = next + OPERATION_HEADER_BYTES
    if ((flags & CHANGE_DELETE) !== 0) visitor.remove(bytes, keyAt, keyBytes)
    else visitor.put(bytes, keyAt, keyBytes, valueBytes, (flags & CHANGE_ASCII) !== 0)
    next = keyAt + keyBytes + valueBytes
  }
  return operations
}
