/**
 * The log worker: rounds of the committer when they are due, the end of a log when the maintainer asks for it.
 *
 * When a round is due: at once if somebody wants everything synced, if writers wait for their changes ('sync') or for room,
 * or if half of the ring is in use; else `groupMs / 2` after the last one ('group'), so that a change is durable `groupMs`
 * after it was made, as long as the disk syncs in half of that. With 'none' what is finished is handed to the system at the
 * same pace, and synced only when asked for, or to have room in the ring.
 *
 * Thread safety: one at a time, the holder of the shared log's claim. Progress: blocks on the disk.
 * Death: the reap frees the claim; the next one begins a new file at what is stable (log-committer.ts).
 */
import type { Disk } from './disk.ts'
import { LOG_FAILED, LOG_NO_SPACE, LOG_WORKS, LogCommitter, isRoomWanted, logFile, logState } from './log-committer.ts'
import { distance } from './shared-log.ts'
import type { Tier } from './tier.ts'
import { WHY } from './tier-words.ts'

/** Milliseconds after which a log that had no room is tried again. */
const RETRY_MS = 50
/** Share of the memtable at which the next log is made ahead. */
export const PREPARE_SHARE = 0.8
const GRANULE_BYTES = 32

export class LogWorker {
  private readonly tier: Tier
  private readonly committer: LogCommitter
  private readonly groupMs: number
  private readonly now: () => number
  /** Whether somebody wants everything synced. */
  private readonly isWanted = (): boolean => !this.tier.words.isServed(this.tier.words.requests())
  private lastRound = -Infinity
  private closed = false

  /**
   * The caller holds the claim of the log.
   * @param fileBytes to set aside for a log
   * @param now milliseconds of a clock that does not go back
   */
  constructor(tier: Tier, disk: Disk, fileBytes: number, now: () => number = () => performance.now()) {
    const { words, log } = tier
    this.tier = tier
    this.now = now
    const { generation, groupMs } = words.settings
    this.groupMs = groupMs / 2
    this.committer = new LogCommitter(log, {
      disk,
      generation,
      nextFileId: () => words.takeFileId(),
      fileBytes,
      bytes: tier.arena.bytes,
      takePrepared: () => words.takePrepared(),
    })
  }

  /** The newest failure. */
  get failure(): unknown {
    return this.committer.failure
  }

  /**
   * Does what is due.
   * @returns milliseconds for which nothing will be, unless somebody rings
   */
  turn(): number {
    const { committer, tier } = this
    const { words, log } = tier
    if (words.hasFailed()) committer.giveUp(words.failure())
    const requests = words.requests()
    const wanted = this.isWanted()
    const now = this.now()
    const wait = this.lastRound + this.groupMs - now
    if (!wanted && !this.isUrgent() && wait > 0) {
      this.rotateIfAsked()
      return Math.max(1, Math.min(wait, this.groupMs))
    }
    const worked = committer.hasWork()
    const lacksRoom = logState(log) === LOG_NO_SPACE
    if (worked) {
      this.lastRound = now
      this.round(wanted || lacksRoom || words.settings.durability !== 'none' || this.isCrowded())
    } else if (lacksRoom && committer.rotate()) {
      // Nobody writes while there is no room, so nothing but a try without anything to write tells that there is some.
      words.markRotation()
      words.ring()
    }
    if (wanted) words.serve(requests)
    if (logState(log) === LOG_FAILED) words.fail(WHY.log)
    // A round that has made something durable, or failed, has said so; of another one nobody who waits has anything.
    if (wanted) log.announce()
    this.rotateIfAsked()
    if (worked) this.tellMaintainer()
    if (logState(log) !== LOG_WORKS) return RETRY_MS
    return Math.max(1, this.groupMs)
  }

  /** Sleeps until somebody rings, or there is something to write and it is time for it. */
  sleep(milliseconds: number): void {
    const { committer, tier } = this
    const paced = tier.words.settings.durability !== 'sync'
    committer.sleep(milliseconds, this.isWanted, paced && this.now() < this.lastRound + this.groupMs)
  }

  private isUrgent(): boolean {
    return (this.tier.words.settings.durability === 'sync' && this.committer.hasWork()) || this.isCrowded()
  }

  private isCrowded(): boolean {
    const { log } = this.tier
    return isRoomWanted(log) || distance(log.stable(), log.frontier()) * 2 > log.granules
  }

  private round(sync: boolean): void {
    const { committer, tier } = this
    const { words } = tier
    const before = committer.changes
    const granules = committer.round(sync)
    words.addEntries(committer.changes - before)
    if (granules === 0) return
    words.addLogged(granules * GRANULE_BYTES)
    words.addSync()
  }

  private rotateIfAsked(): void {
    const { committer, tier } = this
    const { words, log } = tier
    if (!words.isToRotate(logFile(log)!.id) || logState(log) === LOG_FAILED) return
    if (committer.rotate()) words.markRotation()
    words.ring()
  }

  /** Wakes the maintainer when there is something for it. */
  private tellMaintainer(): void {
    const { words } = this.tier
    const { full, bytes, entries } = fillOf(this.tier)
    if (full >= PREPARE_SHARE && (bytes > 0 || entries > 0)) words.ring()
  }

  /** Ends the log in order. What is not durable yet stays in the ring for the next one. Idempotent. */
  close(): void {
    if (this.closed) return
    this.closed = true
    this.committer.close()
  }
}

/** How full the memtable is, 1 when it is to be flushed. */
export function fillOf({ words, log }: Tier): { full: number; bytes: number; entries: number } {
  const entries = words.windowEntries()
  const bytes = distance(words.flushedPosition(), log.stable()) * GRANULE_BYTES
  const { memtableEntries, memtableBytes } = words.settings
  return { full: Math.max(entries / memtableEntries, bytes / memtableBytes), bytes, entries }
}
