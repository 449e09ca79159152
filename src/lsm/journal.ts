/**
 * The tree's journal (tree/journal.ts, which has the argument) on the shared log: what a change says goes to a slot of the
 * ring, as change-record.ts has it.
 *
 * A slot is filled with all of a change, values in extents included, and described, before INTENT_CHANGE names what it is
 * filled with, and that is stored before the change is made. So whoever completes it instead of its owner needs no more
 * than one CAS of its header, and finds there what was written before.
 *
 * Thread safety: one LogJournal belongs to one participant, who is pinned when it reserves. Progress: `reserve` and
 * `reserveBatch` are lock-free and O(bytes); `wait` and `waitStable` block, for a limited time; the rest is wait-free.
 * Death: a RESERVED slot, which the reaper settles (tree/unfinished.ts).
 */
import type { Arena } from '../memory/arena.ts'
import { assert } from '../memory/assert.ts'
import { HeddleError } from '../memory/error.ts'
import { KIND_EXTENT_RECORD, isAscii, keyBytesOf, kindOf, padOf, wordsOf } from '../log/block.ts'
import { INTENT_CHANGE, type Participant } from '../reclaim/participant.ts'
import { BATCH_BYTES, BATCH_COUNT, BATCH_OPERATIONS } from '../tree/descriptor.ts'
import { LIST_COUNT, LIST_ITEMS, LIST_NEXT, OPERATION_WORDS } from '../tree/descriptor.ts'
import { FRAGMENT_MASK } from '../pagecache/fragment.ts'
import type { Journal } from '../tree/journal.ts'
import { RECORD_KEY } from '../tree/key.ts'
import {
  EXTENT_KEY,
  TOMBSTONE,
  extentHeader,
  extentListAt,
  recordHeader,
  recordKeyAt,
  valueBytesOf,
} from '../tree/record.ts'
import {
  BATCH_HEADER_BYTES,
  CHANGE_ASCII,
  CHANGE_DELETE,
  CHANGE_HEADER_BYTES,
  OPERATION_HEADER_BYTES,
  writeBatchHeader,
  writeChangeHeader,
  writeOperationHeader,
} from './change-record.ts'
import { logFault, wantRoom } from './log-committer.ts'
import { TYPE_BATCH, TYPE_DELETE, TYPE_PUT } from './log-format.ts'
import { GRANULE_WORDS, SLOT_HEADER_WORDS, SharedLog } from './shared-log.ts'

/** As many words as it is faster to copy one by one. */
const FEW_WORDS = 32

/** A position that is not known: an exception has come between, if anybody meets it. */
const MAYBE = -2

export class LogJournal implements Journal {
  readonly log: SharedLog
  /** See Journal; MAYBE while a reservation is under way. */
  held = -1
  /** Where the slot of the last change ends that this participant has made; -1 if it has made none. */
  lastEnd = -1
  /** The longest single wait for room, in milliseconds. */
  waitMs = 1000
  /** Waits for room in which nothing happens, after which the log is taken to be stuck. */
  patience = 30
  private readonly words: Int32Array
  private readonly bytes: Uint8Array
  private readonly me: Participant
  private readonly mostBytes: number
  private heldEnd = -1
  private intent = 0
  /** Granules that were refused last. */
  private refused = 1

  constructor(arena: Arena, me: Participant, log: SharedLog) {
    this.log = log
    this.words = arena.words
    this.bytes = arena.bytes
    this.me = me
    this.mostBytes = (log.maxSlot * GRANULE_WORDS - SLOT_HEADER_WORDS) * 4
    this.announce(0)
  }

  admit(payloadBytes: number): void {
    if (payloadBytes > this.mostBytes) {
      throw new HeddleError(
        'HEDDLE_TOO_LARGE',
        `the change takes ${payloadBytes} bytes of the log, ${this.mostBytes} fit; make it smaller, or open the store with ` +
          'larger logBufferBytes',
      )
    }
    this.check()
  }

  /** @throws HeddleError HEDDLE_IO, HEDDLE_NO_SPACE */
  private check(): void {
    const fault = logFault(this.log)
    if (fault !== undefined) throw fault
  }

  private announce(intent: number): void {
    Atomics.store(this.words, this.me.at + INTENT_CHANGE, intent)
    this.intent = intent
  }

  private take(payloadBytes: number): boolean {
    const granules = SharedLog.granulesFor(payloadBytes)
    // An exception may have come before it was taken back.
    if (this.intent !== 0) this.announce(0)
    this.held = MAYBE
    const position = this.log.reserve(this.me.slot, granules)
    if (position < 0) {
      this.held = -1
      this.refused = granules
      return false
    }
    this.held = position
    this.heldEnd = this.endOf(position, payloadBytes)
    return true
  }

  private endOf(position: number, payloadBytes: number): number {
    return this.log.endOf(position, SharedLog.rounded(SharedLog.granulesFor(payloadBytes)))
  }

  reserve(record: number): boolean {
    const { words, bytes, log } = this
    const header = recordHeader(words, record)
    const keyBytes = keyBytesOf(header)
    const valueBytes = valueBytesOf(words, record, header)
    const isDelete = valueBytes === TOMBSTONE
    const payloadBytes = CHANGE_HEADER_BYTES + keyBytes + (isDelete ? 0 : valueBytes)
    if (!this.take(payloadBytes)) return false
    const payload = log.payloadAt(this.held)
    const flags = isDelete ? CHANGE_DELETE : isAscii(header) ? CHANGE_ASCII : 0
    writeChangeHeader(bytes, payload * 4, keyBytes, flags)
    if (kindOf(header) === KIND_EXTENT_RECORD) {
      this.copyContent(record, header, payload * 4 + CHANGE_HEADER_BYTES)
    } else {
      // Key and value lie in whole words here and there.
      const from = record + RECORD_KEY
      const count = (keyBytes + valueBytes + 3) >>> 2
      if (count > FEW_WORDS) words.copyWithin(payload + 1, from, from + count)
      else for (let i = 0; i < count; i++) words[payload + 1 + i] = words[from + i]
    }
    log.describe(this.held, isDelete ? TYPE_DELETE : TYPE_PUT, payloadBytes)
    this.announce(record)
    return true
  }

  /** Copies a record's key and value. @returns the byte where they end */
  private copyContent(record: number, header: number, to: number): number {
    const { words, bytes } = this
    const keyAt = recordKeyAt(record)
    const keyBytes = keyBytesOf(header)
    const valueBytes = valueBytesOf(words, record, header)
    if (kindOf(header) !== KIND_EXTENT_RECORD) {
      bytes.copyWithin(to, keyAt, keyAt + keyBytes + valueBytes)
      return to + keyBytes + valueBytes
    }
    bytes.copyWithin(to, keyAt, keyAt + keyBytes)
    let at = to + keyBytes
    const list = extentListAt(record, header)
    const extents = words[list + 1]
    for (let i = 0; i < extents; i++) {
      const extent = words[list + 2 + i]
      const extentHead = extentHeader(words, extent)
      const from = (extent + EXTENT_KEY + ((keyBytes + 3) >>> 2)) * 4
      const end = (extent + wordsOf(extentHead)) * 4 - padOf(extentHead)
      bytes.copyWithin(at, from, end)
      at += end - from
    }
    return at
  }

  reserveBatch(batch: number): number {
    const { words, bytes, log } = this
    const payloadBytes = words[batch + BATCH_BYTES]
    if (!this.take(payloadBytes)) return -1
    const payload = log.payloadAt(this.held) * 4
    writeBatchHeader(bytes, payload, words[batch + BATCH_COUNT])
    let to = payload + BATCH_HEADER_BYTES
    for (let list = words[batch + BATCH_OPERATIONS]; list !== 0; list = words[list + LIST_NEXT]) {
      const end = list + LIST_ITEMS + words[list + LIST_COUNT] * OPERATION_WORDS
      for (let at = list + LIST_ITEMS; at < end; at += OPERATION_WORDS) {
        to = this.copyOperation(words[at] & FRAGMENT_MASK, to)
      }
    }
    log.describe(this.held, TYPE_BATCH, payloadBytes)
    this.announce(-batch)
    return this.held
  }

  private copyOperation(record: number, to: number): number {
    const { words, bytes } = this
    const header = recordHeader(words, record)
    const valueBytes = valueBytesOf(words, record, header)
    const isDelete = valueBytes === TOMBSTONE
    const flags = isDelete ? CHANGE_DELETE : isAscii(header) ? CHANGE_ASCII : 0
    writeOperationHeader(bytes, to, keyBytesOf(header), flags, isDelete ? 0 : valueBytes)
    return this.copyContent(record, header, to + OPERATION_HEADER_BYTES)
  }

  complete(): void {
    const isMine = this.log.settle(this.held, true)
    assert(isMine, 'a slot was completed that is not held')
    this.lastEnd = this.heldEnd
    this.forget()
    this.log.nudge()
  }

  abort(): void {
    const position = this.held === MAYBE ? this.log.reservedBy(this.me.slot) : this.held
    // What stands behind it may have waited for it.
    if (position >= 0) this.settle(position, false)
    this.forget()
  }

  settle(position: number, isComplete: boolean): void {
    if (this.log.settle(position, isComplete)) this.log.nudge()
  }

  forget(): void {
    this.held = -1
    this.announce(0)
  }

  reservedBy(participant: number): number {
    return this.log.reservedBy(participant)
  }

  noteBatch(position: number, payloadBytes: number): void {
    this.lastEnd = this.endOf(position, payloadBytes)
  }

  wait(): void {
    const { log } = this
    for (let idle = 0; idle < this.patience;) {
      const heard = log.listenProgress()
      this.check()
      if (log.isSealed()) throw new HeddleError('HEDDLE_CLOSED', 'the store is being closed; nothing has changed')
      if (log.hasRoom(this.refused)) return
      wantRoom(log)
      log.wake()
      log.waitProgress(heard, this.waitMs)
      idle = log.listenProgress() === heard ? idle + 1 : 0
    }
    throw new HeddleError(
      'HEDDLE_IO',
      'the log is full and was not written for a long time, so nothing has changed; look after the disk, then try again',
    )
  }

  /** Everything that was changed before the call ends before this position. */
  frontier(): number {
    return this.log.frontier()
  }

  /**
   * Waits until all before a position, which must not be older than 2^30 granules, is durable. Not inside a critical region.
   * @param end `lastEnd` or `frontier()`; -1 for nothing
   * @param budgetMs the longest wait, in milliseconds
   * @returns whether it is
   * @throws HeddleError HEDDLE_IO, HEDDLE_NO_SPACE if the log does not work: then it may be durable some day, or never
   */
  waitStable(end: number, budgetMs: number): boolean {
    const { log } = this
    if (end < 0 || log.isStable(end)) return true
    const until = performance.now() + budgetMs
    for (;;) {
      const heard = log.listenProgress()
      if (log.isStable(end)) return true
      this.check()
      const left = until - performance.now()
      if (left <= 0) return false
      log.wake()
      log.waitProgress(heard, Math.min(left, this.waitMs))
    }
  }
}
