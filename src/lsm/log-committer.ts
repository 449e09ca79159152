/**
 * The log worker's part: takes contiguous finished slots from the shared log, writes them to the present log file, syncs
 * once for all who wait, and says what is durable.
 *
 * The committer's words (in the shared log's control words):
 *   0 STATE     0 it works; 1 NO_SPACE: it is tried again; 2 FAILED: it will not be durable, the store is read-only; from
 *               bit 8 on, why (tier-words.ts)
 *   1 SYNCING   1 while a sync is under way
 *   2 SELECT    which of the two file records counts
 *   3, 9 RECORD id, previous log, position of the first slot, its LSN (low, high), 0 no file yet, 1 begun, 2 synced once
 *   15 ROOM     1 if somebody waits for room in the ring, until it is given out
 *
 * Failures. A file in which a write or a sync has failed is never written or synced again: what it holds below STABLE is
 * durable, the rest is unknown. All slots from STABLE on are still in the ring; they are written to a new file, whose BEGIN
 * says that they count from there. If that file fails too, in a round in which nothing became durable, the log has FAILED.
 * If there is no room, writers are told so (NO_SPACE), and each later round tries again with a new file. A file that was
 * never synced is followed on by no other one, and is removed at once, to make room; so a manifest may only name logs that
 * were synced, as `rotate` leaves them.
 *
 * Death. The next consumer cannot know how far the dead one got: it begins a new file at STABLE, as after a failed sync.
 * That holds whether SYNCING is set or not; set, it means that the kernel may have told a failure to the dead one, once. A
 * dead one may leave a file that nobody names: an orphan, removed at the next start.
 *
 * Thread safety: one at a time, who holds the claim of the shared log. Progress: blocks on the disk.
 */
import { assert } from '../memory/assert.ts'
import { HeddleError } from '../memory/error.ts'
import type { Disk } from './disk.ts'
import { isNoSpace } from './file-error.ts'
import { causeIn, whyOf } from './failure-cause.ts'
import { fileName } from './file-name.ts'
import { get32 } from './little-endian.ts'
import { RECORD_HEADER_BYTES, TYPE_ABORTED, TYPE_BATCH, TYPE_PADDING } from './log-format.ts'
import { LogWriter } from './log-writer.ts'
import { type SharedLog, distance } from './shared-log.ts'
import { WHY } from './tier-words.ts'

export const LOG_WORKS = 0
export const LOG_NO_SPACE = 1
export const LOG_FAILED = 2
const STATE_BITS = 8
const STATE_MASK = (1 << STATE_BITS) - 1

const STATE = 0
const SYNCING = 1
const SELECT = 2
const RECORDS = 3
const RECORD_WORDS = 6
const ROOM = 15
const BEGUN = 1
const SYNCED = 2
const TWO_32 = 2 ** 32

const REASONS: Readonly<Record<number, string>> = {
  [WHY.log]: 'the log could not be written',
  [WHY.tables]: 'tables could not be written, or not be read by a compaction',
  [WHY.maintainer]: 'the thread that makes tables could not begin, again and again',
}

/** The present log file, as all threads can know it. */
export interface LogFile {
  readonly id: number
  /** Id of the log before it. */
  readonly previous: number
  /** Where in the ring its first slot was, and that slot's LSN. */
  readonly position: number
  readonly lsn: number
  /** Whether it was synced since it began, so that another one may follow on it. */
  readonly synced: boolean
}

export interface CommitterOptions {
  readonly disk: Disk
  readonly generation: number
  /** An id that no file has or had. */
  readonly nextFileId: () => number
  /** Bytes to set aside for each file. */
  readonly fileBytes: number
  /** The bytes of the arena. */
  readonly bytes: Uint8Array
  /** Id of an empty log that somebody has made ahead (`LogWriter.make`), 0 if there is none; given out once. */
  readonly takePrepared?: () => number
}

/** The state of a log's committer. Any thread. */
export function logState(log: SharedLog): number {
  return log.load(STATE) & STATE_MASK
}

/**
 * The error for writers, and for those who wait, while the log does not work; undefined if it does. Any thread. Of one load, so
 * that it fits the state that it was decided by: room may be there again at any moment.
 */
export function logFault(log: SharedLog): HeddleError | undefined {
  const word = log.load(STATE)
  const state = word & STATE_MASK
  return state === LOG_WORKS ? undefined : logError(state, word >>> STATE_BITS)
}

/** Asks for the next round to be synced, so that there is room. Any thread; again after each round that was not enough. */
export function wantRoom(log: SharedLog): void {
  log.store(ROOM, 1)
}

/** Whether somebody waits for room. */
export function isRoomWanted(log: SharedLog): boolean {
  return log.load(ROOM) !== 0
}

/** The present file, or undefined before the first. Any thread: read until it reads the same twice. */
export function logFile(log: SharedLog): LogFile | undefined {
  let file = readRecord(log)
  for (;;) {
    const again = readRecord(log)
    if (isSame(file, again)) return file
    file = again
  }
}

function isSame(a: LogFile | undefined, b: LogFile | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return (
    a.id === b.id && a.previous === b.previous && a.position === b.position && a.lsn === b.lsn && a.synced === b.synced
  )
}

function readRecord(log: SharedLog): LogFile | undefined {
  const at = RECORDS + log.load(SELECT) * RECORD_WORDS
  if (log.load(at + 5) === 0) return undefined
  return {
    id: log.load(at),
    previous: log.load(at + 1),
    position: log.load(at + 2),
    lsn: (log.load(at + 3) >>> 0) + log.load(at + 4) * TWO_32,
    synced: log.load(at + 5) === SYNCED,
  }
}

/** LSN of a position not before the present file. */
export function lsnAt(log: SharedLog, position: number): number {
  const file = logFile(log)
  assert(file !== undefined, 'the log has no file yet')
  return file!.lsn + distance(file!.position, position)
}

/** The same for a state, and a reason as `TierWords.fail` has it. */
export function logError(state: number, reason: number = WHY.log): HeddleError {
  if (state === LOG_NO_SPACE) {
    return new HeddleError('HEDDLE_NO_SPACE', 'there is no room for the log; make some, and writing goes on by itself')
  }
  return new HeddleError(
    'HEDDLE_IO',
    `${REASONS[whyOf(reason)] ?? REASONS[WHY.log]}${causeIn(reason)}, so the store is read-only; close it and open it again`,
  )
}

function writeRecord(log: SharedLog, file: LogFile): void {
  const select = 1 - log.load(SELECT)
  const at = RECORDS + select * RECORD_WORDS
  log.store(at, file.id)
  log.store(at + 1, file.previous)
  log.store(at + 2, file.position)
  log.store(at + 3, file.lsn | 0)
  log.store(at + 4, Math.floor(file.lsn / TWO_32))
  log.store(at + 5, file.synced ? SYNCED : BEGUN)
  log.store(SELECT, select)
}

/** Says where the log begins, before there are threads: the LSN, and the newest log that holds what is before, or 0. */
export function initLog(log: SharedLog, lsn: number, previous: number): void {
  writeRecord(log, { id: previous, previous, position: log.stable(), lsn, synced: previous !== 0 })
}

export class LogCommitter {
  private readonly log: SharedLog
  private readonly options: CommitterOptions
  private writer: LogWriter | undefined
  private prepared: LogWriter | undefined
  /** Up to where slots were handed to the writer. */
  private taken: number
  private lastFailed = false
  /** Changes taken since the committer was made; those that had to be taken again are counted again. */
  changes = 0
  /** The newest failure, for the log worker to report. */
  failure: unknown

  /** The caller holds the claim of `log`. */
  constructor(log: SharedLog, options: CommitterOptions) {
    assert(new Uint8Array(Int32Array.of(1).buffer)[0] === 1, 'the log needs a little-endian machine')
    this.log = log
    this.options = options
    this.taken = log.stable()
    log.store(SYNCING, 0)
    // The one before may have died between what it said to be durable and giving out the room.
    log.release(this.taken)
    log.announce()
  }

  /** Id of the file that is written to, 0 if none is open. */
  get fileId(): number {
    return this.writer?.id ?? 0
  }

  /** Bytes in use in the present file. */
  get fileSize(): number {
    return this.writer?.size ?? 0
  }

  /** Makes the next file ahead, so that `rotate` need not wait for it. Its failure is none: it is tried again then. */
  prepare(): void {
    if (this.prepared !== undefined) return
    try {
      this.prepared = this.newFile()
    } catch (error) {
      this.failure = error
    }
  }

  /**
   * One round: writes what is finished and makes it durable.
   * @param sync false to only hand it to the system: then nothing becomes stable, and the ring is not released
   * @returns granules that have become durable
   */
  round(sync = true): number {
    const { log } = this
    const stable = log.stable()
    if (logState(log) === LOG_FAILED || (this.taken === stable && log.finishedAt(stable) === 0)) return 0
    try {
      this.take()
      if (!sync) return 0
      this.syncAll()
    } catch (error) {
      this.fail(error)
      return 0
    }
    return distance(stable, this.taken)
  }

  /** Ends the present file, once it is durable, and begins the next. @returns whether it did; if not, see `failure` */
  rotate(): boolean {
    if (logState(this.log) === LOG_FAILED) return false
    try {
      if (this.writer !== undefined && this.taken !== this.log.stable()) this.syncAll()
      this.writer?.close()
      this.writer = undefined
      this.begin()
      this.syncAll()
      return true
    } catch (error) {
      this.fail(error)
      return false
    }
  }

  /** Parks until there is something to do, at most `budgetMs`. After a failure it waits although there is. See the log. */
  sleep(budgetMs: number, isWanted: () => boolean, anyway = false): void {
    this.log.sleep(this.taken, budgetMs, isWanted, anyway || logState(this.log) !== LOG_WORKS)
  }

  /** Whether there are slots to be taken, or taken ones to be synced. */
  hasWork(): boolean {
    return this.taken !== this.log.stable() || this.log.finishedAt(this.taken) !== 0
  }

  /** Somebody else has found that the store must be read-only: nothing more becomes durable. */
  giveUp(reason: number = WHY.log): void {
    if (logState(this.log) === LOG_FAILED) return
    this.log.store(STATE, LOG_FAILED | (reason << STATE_BITS))
    this.log.announce()
  }

  /**
   * Closes the files. What is not durable yet stays in the ring for the next consumer. A last MARK says how far the log was
   * durable, so that damage to its last group is not taken for a torn end.
   */
  close(): void {
    const { writer, prepared } = this
    this.writer = undefined
    this.prepared = undefined
    try {
      writer?.mark()
      writer?.sync()
    } catch (error) {
      this.failure = error
    }
    writer?.close()
    if (prepared === undefined) return
    prepared.close()
    this.remove(fileName(prepared.id, 'log'))
  }

  private newFile(): LogWriter {
    const { disk, generation, nextFileId, fileBytes } = this.options
    const id = nextFileId()
    try {
      return LogWriter.prepare(disk, id, generation, fileBytes)
    } catch (error) {
      this.remove(fileName(id, 'temp'))
      this.remove(fileName(id, 'log'))
      throw error
    }
  }

  /** A file that somebody else has made, if its id is above those of all files before. */
  private adopted(): LogWriter | undefined {
    const id = this.options.takePrepared?.() ?? 0
    if (id === 0) return undefined
    if (id > (logFile(this.log)?.id ?? 0)) return LogWriter.adopt(this.options.disk, id, this.options.generation)
    this.remove(fileName(id, 'log'))
    return undefined
  }

  /** Begins a file at what is stable. */
  private begin(): void {
    const { log } = this
    const writer = this.prepared ?? this.adopted() ?? this.newFile()
    this.prepared = undefined
    this.writer = writer
    const before = logFile(log)
    assert(before !== undefined, 'the log was not initialised')
    const position = log.stable()
    const lsn = before!.lsn + distance(before!.position, position)
    const previous = before!.synced ? before!.id : before!.previous
    this.taken = position
    // Known before it begins: a file that has begun may be the newest one that the next start finds. So whoever comes after
    // a death or a failure in between must not go on with one of a lower id.
    writeRecord(log, { id: writer.id, previous, position, lsn, synced: false })
    writer.begin(lsn, previous)
  }

  private take(): void {
    if (this.writer === undefined) this.begin()
    const { log } = this
    const writer = this.writer!
    writer.mark()
    for (;;) {
      const granules = log.finishedAt(this.taken)
      if (granules === 0) break
      const next = log.endOf(this.taken, granules)
      if (log.isComplete(this.taken)) {
        const at = log.slotAt(this.taken) * 4
        const type = log.typeAt(this.taken)
        this.changes += type === TYPE_BATCH ? get32(this.options.bytes, at + RECORD_HEADER_BYTES) : 1
        writer.addSlot(this.options.bytes, at, type, granules, log.lengthAt(this.taken))
      } else {
        writer.addEmpty((next & (log.granules - 1)) === 0 ? TYPE_PADDING : TYPE_ABORTED, granules)
      }
      this.taken = next
    }
    writer.flush()
  }

  private syncAll(): void {
    const { log } = this
    log.store(SYNCING, 1)
    this.writer!.sync()
    const file = logFile(log)!
    if (!file.synced) writeRecord(log, { ...file, synced: true })
    log.setStable(this.taken)
    log.store(SYNCING, 0)
    // Before: whoever finds that it is still not enough says so again.
    log.store(ROOM, 0)
    log.release(this.taken)
    this.lastFailed = false
    log.store(STATE, LOG_WORKS)
    log.announce()
  }

  /** Abandons the file, and decides what is to come. */
  private fail(error: unknown): void {
    const { log } = this
    this.failure = error
    const present = logFile(log)
    const abandoned = this.writer
    this.writer = undefined
    this.taken = log.stable()
    abandoned?.close()
    if (abandoned !== undefined && !(present?.id === abandoned.id && present.synced)) {
      this.remove(fileName(abandoned.id, 'log'))
    }
    log.store(SYNCING, 0)
    if (isNoSpace(error)) log.store(STATE, LOG_NO_SPACE)
    else if (this.lastFailed) log.store(STATE, LOG_FAILED)
    this.lastFailed = !isNoSpace(error)
    log.announce()
  }

  /** Removes a file of no worth, if it can. */
  private remove(name: string): void {
    try {
      if (this.options.disk.sizeOf(name) !== undefined) this.options.disk.remove(name)
    } catch {
      // It is an orphan then, and goes at the next start.
    }
  }
}
