/**
 * The descriptor of a batch or a transaction: what every helper needs to bring it to its end.
 *
 *   word 0  block header (log)
 *        1  status                                             atomic
 *        2  number of operations
 *        3  its first list of operations
 *        4  isolation: NONE for a batch, else what is validated
 *        5  the value of the clock that it has read at
 *        6  slot of its snapshot, 7 the state that the slot has while that is live
 *        8  its first list of reads, 0 if there is none
 *        9  minus one less the position of its slot in the journal, 0 if it has none yet      atomic
 *       10  bytes that it takes there
 *
 *   a list: 0 header   1 the next list, 0 for the last one   2 items (operations) or words (reads)   3 ...
 *   an operation, two words: the word that is to lead to its record, with EMPTIED for a tombstone, and the word that it is
 *   to replace (atomic): 0 not known yet, a leaf's
 *   word (address, perhaps EMPTIED), or minus the index of the free slot that it is to be linked into
 *   a read: READ_KEY or READ_RANGE with the bounds' flags, length of the first key, length of the second, their bytes,
 *   each from a whole word on
 *
 *   status   INSTALLING -> DECIDING -> DECIDING with the stamp -> COMMITTED with the stamp
 *            INSTALLING or DECIDING -> ABORTED_BATCH
 *
 * Where there is a journal, a batch is DECIDING only when it has a position. All but these and the words to be replaced is immutable once the first record is linked. Descriptor and lists are
 * blocks of KIND_EXTENT; their key is empty and leads nowhere.
 */
export const BATCH_STATUS = 1
export const BATCH_COUNT = 2
export const BATCH_OPERATIONS = 3
export const BATCH_ISOLATION = 4
export const BATCH_TS = 5
export const BATCH_SLOT = 6
export const BATCH_SLOT_STATE = 7
export const BATCH_READS = 8
export const BATCH_POSITION = 9
export const BATCH_BYTES = 10
export const BATCH_WORDS = 11

export const LIST_NEXT = 1
export const LIST_COUNT = 2
export const LIST_ITEMS = 3
/** Words of an operation in its list: what leads to the record, and what that replaces. */
export const OPERATION_WORDS = 2

export const ISOLATION_NONE = 0
export const ISOLATION_SERIALIZABLE = 1
export const ISOLATION_SNAPSHOT = 2

export const INSTALLING = 0
export const DECIDING = 1
export const ABORTED_BATCH = 2
/** These with the stamp in the lower bits. */
export const DECIDING_AT = 1 << 28
export const COMMITTED_AT = 2 << 28
const STATUS_STAMP = DECIDING_AT - 1

export function isDecidingAt(status: number): boolean {
  return (status & ~STATUS_STAMP) === DECIDING_AT
}

export function isCommitted(status: number): boolean {
  return (status & ~STATUS_STAMP) === COMMITTED_AT
}

export function stampOfStatus(status: number): number {
  return status & STATUS_STAMP
}

/** PREV of a record whose batch is not decided: its number among the operations, told from a death by its upper bits. */
export function pendingPrev(index: number): number {
  return -1 - index
}

const PENDING_BITS = 0xf << 28

export function isPendingPrev(prev: number): boolean {
  return (prev & PENDING_BITS) === PENDING_BITS
}

export function indexOfPending(prev: number): number {
  return -1 - prev
}

export const READ_KEY = 0
export const READ_RANGE = 1
export const READ_HAS_LOW = 2
export const READ_LOW_INCLUSIVE = 4
export const READ_HAS_HIGH = 8
export const READ_HIGH_INCLUSIVE = 16
export const READ_HEAD_WORDS = 3
