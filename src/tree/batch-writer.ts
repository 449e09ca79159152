/**
 * Writes the records and the descriptor of a batch: all of it private until the first record is linked.
 *
 * What is written lies in segments that stay open until the batch has come to its end (STREAM_BATCHES), since a block must
 * be linked before its segment is sealed. Thread safety: one BatchWriter belongs to one participant. Death: blocks that
 * nothing leads to, in segments that the reaper seals; the cleaner finds them.
 */
import { KIND_EXTENT, blockHeader, keyBytesOf } from '../log/block.ts'
import { STREAM_BATCHES, STREAM_RECORDS } from '../log/log.ts'
import { EMPTIED, FRAGMENT_MASK } from '../pagecache/fragment.ts'
import type { TreeContext } from './context.ts'
import {
  BATCH_BYTES,
  BATCH_COUNT,
  BATCH_ISOLATION,
  BATCH_OPERATIONS,
  BATCH_POSITION,
  BATCH_READS,
  BATCH_SLOT,
  BATCH_SLOT_STATE,
  BATCH_STATUS,
  BATCH_TS,
  BATCH_WORDS,
  INSTALLING,
  ISOLATION_NONE,
  LIST_COUNT,
  LIST_ITEMS,
  LIST_NEXT,
  OPERATION_WORDS,
  READ_HAS_HIGH,
  READ_HAS_LOW,
  READ_HEAD_WORDS,
  READ_HIGH_INCLUSIVE,
  READ_KEY,
  READ_LOW_INCLUSIVE,
  READ_RANGE,
  pendingPrev,
} from './descriptor.ts'
import type { KeyBuffer } from './key.ts'
import { BATCH_HEADER_BYTES, OPERATION_HEADER_BYTES } from './journal.ts'
import { RECORD_PREV, RECORD_VERSION, recordHeader, valueBytesOf } from './record.ts'
import { type RecordWriter, unlinkRecord } from './record-writer.ts'
import type { Mark } from './snapshots.ts'

/** One end of a range that was read. */
export interface ReadBound {
  readonly bytes: Uint8Array
  readonly inclusive: boolean
}

/** What a transaction has read, and at which snapshot. */
export interface Reads {
  /** ISOLATION_SERIALIZABLE or ISOLATION_SNAPSHOT. */
  readonly isolation: number
  readonly mark: Mark
  readonly keys: readonly Uint8Array[]
  readonly ranges: readonly { readonly low: ReadBound | null; readonly high: ReadBound | null }[]
}

const MOST_LIST_WORDS = 2048

export class BatchWriter {
  private readonly context: TreeContext
  private readonly words: Int32Array
  private readonly writer: RecordWriter
  /** What is to be linked: records, with EMPTIED for tombstones. */
  private readonly nexts: number[] = []
  private readonly blocks: number[] = []
  private readonly listWords: number

  constructor(context: TreeContext, writer: RecordWriter) {
    this.context = context
    this.words = context.arena.words
    this.writer = writer
    this.listWords = Math.min(MOST_LIST_WORDS, context.arena.layout.segmentWords >>> 2)
  }

  /** Begins a batch: records are written as usual, in the order of their keys, and then added. */
  begin(): void {
    // What an exception has left, in the stream that it belongs to.
    this.writer.abandon()
    this.writer.stream = STREAM_BATCHES
    this.nexts.length = 0
    this.blocks.length = 0
  }

  /** Adds the record just written. */
  add(): void {
    this.nexts.push(this.writer.handOver())
  }

  /** Adds the deletion of a key. @throws HeddleError HEDDLE_FULL */
  addDeletion(key: KeyBuffer): void {
    this.writer.writeTombstone(key)
    this.nexts.push(this.writer.handOver() | EMPTIED)
  }

  /** Gives up what was written. Not inside a critical region. */
  discard(): void {
    const { context, nexts, blocks } = this
    this.writer.abandon()
    this.writer.stream = STREAM_RECORDS
    // An exception has come before it was complete: it would stay a hole, which nobody gets past who walks there.
    if (this.begun !== 0) context.log.abort(STREAM_BATCHES, this.begun, this.begunWords)
    this.begun = 0
    for (let i = 0; i < nexts.length; i++) unlinkRecord(context, nexts[i] & FRAGMENT_MASK)
    for (let i = 0; i < blocks.length; i++) context.log.unlink(blocks[i])
    context.log.sealExtended()
  }

  /**
   * Writes the descriptor.
   * @param reads null for a batch
   * @returns its address
   * @throws HeddleError HEDDLE_FULL, or as the journal's `admit`; the batch is to be discarded then
   */
  describe(reads: Reads | null): number {
    const { words, nexts } = this
    const { journal } = this.context
    const journalBytes = journal === null ? 0 : this.journalBytes()
    journal?.admit(journalBytes)
    const operations = this.writeOperations()
    const firstRead = reads === null ? 0 : this.writeReads(reads)
    const batch = this.block(BATCH_WORDS)
    words[batch + BATCH_STATUS] = INSTALLING
    words[batch + BATCH_COUNT] = nexts.length
    words[batch + BATCH_OPERATIONS] = operations
    words[batch + BATCH_ISOLATION] = reads === null ? ISOLATION_NONE : reads.isolation
    words[batch + BATCH_TS] = reads === null ? 0 : reads.mark.ts
    words[batch + BATCH_SLOT] = reads === null ? 0 : reads.mark.slot
    words[batch + BATCH_SLOT_STATE] = reads === null ? 0 : reads.mark.state
    words[batch + BATCH_READS] = firstRead
    words[batch + BATCH_POSITION] = 0
    words[batch + BATCH_BYTES] = journalBytes
    for (let i = 0; i < nexts.length; i++) {
      const record = nexts[i] & FRAGMENT_MASK
      words[record + RECORD_VERSION] = -batch
      words[record + RECORD_PREV] = pendingPrev(i)
    }
    this.writer.stream = STREAM_RECORDS
    return batch
  }

  /** What the records take in the journal. */
  private journalBytes(): number {
    const { words, nexts } = this
    let bytes = BATCH_HEADER_BYTES
    for (let i = 0; i < nexts.length; i++) {
      const record = nexts[i] & FRAGMENT_MASK
      const header = recordHeader(words, record)
      bytes += OPERATION_HEADER_BYTES + keyBytesOf(header) + Math.max(0, valueBytesOf(words, record, header))
    }
    return bytes
  }

  /** The block that is reserved and not noted yet, and its words; 0 if none. */
  private begun = 0
  private begunWords = 0

  /** Reserves a block and completes it; its words are filled afterwards, while it is still private. */
  private block(size: number): number {
    const { log } = this.context
    if (log.available(STREAM_BATCHES) < size && !log.extend(STREAM_BATCHES)) throw log.full()
    const block = log.reserve(STREAM_BATCHES, size)
    this.begun = block
    this.begunWords = size
    log.complete(block, blockHeader(KIND_EXTENT, size, 0, 0, false))
    this.blocks.push(block)
    this.begun = 0
    return block
  }

  private writeOperations(): number {
    const { words, nexts } = this
    const most = Math.floor((this.listWords - LIST_ITEMS) / OPERATION_WORDS)
    let first = 0
    let last = 0
    for (let from = 0; from < nexts.length; from += most) {
      const count = Math.min(most, nexts.length - from)
      const list = this.block(LIST_ITEMS + count * OPERATION_WORDS)
      words[list + LIST_NEXT] = 0
      words[list + LIST_COUNT] = count
      for (let i = 0; i < count; i++) {
        words[list + LIST_ITEMS + i * OPERATION_WORDS] = nexts[from + i]
        words[list + LIST_ITEMS + i * OPERATION_WORDS + 1] = 0
      }
      if (last === 0) first = list
      else words[last + LIST_NEXT] = list
      last = list
    }
    return first
  }

  private readonly reading: number[] = []
  private firstRead = 0
  private lastRead = 0

  private writeReads({ keys, ranges }: Reads): number {
    this.firstRead = 0
    this.lastRead = 0
    this.reading.length = 0
    for (const key of keys) this.writeRead(READ_KEY, key, null)
    for (const { low, high } of ranges) {
      let flags = READ_RANGE
      if (low !== null) flags |= READ_HAS_LOW | (low.inclusive ? READ_LOW_INCLUSIVE : 0)
      if (high !== null) flags |= READ_HAS_HIGH | (high.inclusive ? READ_HIGH_INCLUSIVE : 0)
      this.writeRead(flags, low?.bytes ?? null, high?.bytes ?? null)
    }
    this.endReads()
    return this.firstRead
  }

  private writeRead(flags: number, first: Uint8Array | null, second: Uint8Array | null): void {
    const { reading } = this
    const firstLength = first?.length ?? 0
    const secondLength = second?.length ?? 0
    const size = READ_HEAD_WORDS + ((firstLength + 3) >>> 2) + ((secondLength + 3) >>> 2)
    if (reading.length + size > this.listWords - LIST_ITEMS) this.endReads()
    reading.push(flags, firstLength, secondLength)
    if (first !== null) pushBytes(reading, first)
    if (second !== null) pushBytes(reading, second)
  }

  private endReads(): void {
    const { words, reading } = this
    if (reading.length === 0) return
    const list = this.block(LIST_ITEMS + reading.length)
    words[list + LIST_NEXT] = 0
    words[list + LIST_COUNT] = reading.length
    for (let i = 0; i < reading.length; i++) words[list + LIST_ITEMS + i] = reading[i]
    reading.length = 0
    if (this.lastRead === 0) this.firstRead = list
    else words[this.lastRead + LIST_NEXT] = list
    this.lastRead = list
  }
}

/** Bytes as words of the machine's order, the last one padded. */
function pushBytes(to: number[], bytes: Uint8Array): void {
  const padded = new Int32Array((bytes.length + 3) >>> 2)
  new Uint8Array(padded.buffer).set(bytes)
  for (let i = 0; i < padded.length; i++) to.push(padded[i])
}
