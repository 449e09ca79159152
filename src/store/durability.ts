/**
 * Durability as a store sees it: waiting for changes to be on disk, slowing down for the background, and the orderly end.
 *
 * Thread safety: belongs to one store. Waits have limits, are outside of critical regions, and end when the log fails.
 */
import { HeddleError } from '../memory/error.ts'
import { GLOBAL_STOP } from '../memory/layout.ts'
import { raise } from '../memory/parking.ts'
import type { DirectoryLock } from '../lsm/directory-lock.ts'
import type { Disk } from '../lsm/disk.ts'
import { LOG_WORKS, logFault, logState } from '../lsm/log-committer.ts'
import { Throttle } from '../lsm/throttle.ts'
import type { Tier } from '../lsm/tier.ts'
import { LogWorker } from '../lsm/tier-log.ts'
import type { Engine } from './engine.ts'
import type { TierThreads } from './tier-threads.ts'

/** The longest single park while waiting. */
const PARK_MS = 100
/** How long `close` waits for the threads to end, and for the changes of other threads that are under way. */
const STOP_MS = 10_000
const UNDER_WAY_MS = 1000
/** How long nothing may happen in the log while a thread waits for it: whoever could replace its worker may be that thread. */
const STUCK_MS = 30_000

/** Ends a wait for a log in which nothing happens. */
class Patience {
  private readonly mostMs: number
  private heard = -1
  private since = performance.now()

  constructor(mostMs: number) {
    this.mostMs = mostMs
  }

  /** @throws HeddleError HEDDLE_IO */
  check(heard: number): void {
    const now = performance.now()
    if (heard !== this.heard) {
      this.heard = heard
      this.since = now
    }
    if (now - this.since <= this.mostMs) return
    throw new HeddleError(
      'HEDDLE_IO',
      'the log was not written for a long time, so changes may be durable or not; look after the disk, and after the thread that has opened the store',
    )
  }
}

/** The log works, and another thread that writes it did not end. */
function unwritten(): HeddleError {
  return new HeddleError(
    'HEDDLE_IO',
    'the thread that writes the log did not end in time, so what was changed last may be durable or not; open the store again to see',
  )
}

/** What only the opener has. */
export interface Opener {
  readonly disk: Disk
  readonly fileBytes: number
  readonly lock: DirectoryLock
  readonly threads: TierThreads
}

export class Durability {
  /** Milliseconds after which a log in which nothing happens is taken to be stuck. */
  stuckMs = STUCK_MS
  private readonly engine: Engine
  private readonly tier: Tier
  private readonly opener: Opener | null
  private readonly throttle: Throttle
  private readonly waits: boolean

  constructor(engine: Engine, tier: Tier, opener: Opener | null) {
    this.engine = engine
    this.tier = tier
    this.opener = opener
    this.throttle = new Throttle(tier.words)
    this.waits = tier.words.settings.durability === 'sync'
  }

  /** Before a change: holds the writer up if the background is behind. */
  before(): void {
    this.throttle.pause()
  }

  /**
   * After a change: with durability 'sync', waits until it is on disk.
   * @throws HeddleError HEDDLE_IO, HEDDLE_NO_SPACE: the change has been made, and may be durable or not
   */
  after(): void {
    if (!this.waits) return
    const journal = this.engine.journal!
    const end = journal.lastEnd
    // Once waited for it is forgotten: positions come round again, and the next call may change nothing.
    journal.lastEnd = -1
    const { log } = this.tier
    if (end < 0 || log.isStable(end)) return
    const patience = new Patience(this.stuckMs)
    for (;;) {
      const heard = log.listenProgress()
      if (log.isStable(end)) return
      this.checkLog()
      patience.check(heard)
      this.opener?.threads.look(true)
      log.wake()
      log.waitProgress(heard, PARK_MS)
    }
  }

  private checkLog(): void {
    const fault = logFault(this.tier.log)
    if (fault !== undefined) throw fault
  }

  /** Blocks until everything that was changed before the call, by any thread, is durable. */
  flushSync(): void {
    const { log, words } = this.tier
    const end = log.frontier()
    const patience = new Patience(this.stuckMs)
    for (let request = words.request(); ; request = this.renewed(request)) {
      const heard = log.listenProgress()
      if (this.isFlushed(end, request)) return
      patience.check(heard)
      this.opener?.threads.look(true)
      log.wake()
      log.waitProgress(heard, PARK_MS)
    }
  }

  /** As `flushSync`, without blocking the thread. */
  async flush(): Promise<void> {
    const { log, words } = this.tier
    const end = log.frontier()
    const patience = new Patience(this.stuckMs)
    for (let request = words.request(); ; request = this.renewed(request)) {
      const heard = log.listenProgress()
      if (this.isFlushed(end, request)) return
      patience.check(heard)
      log.wake()
      await log.hearProgress(heard, PARK_MS)
    }
  }

  /**
   * What was asked for is done, but changes that were under way then are finished only now: they have to be synced too. Not if
   * it was tried in vain, which is to be told.
   */
  private renewed(request: number): number {
    const { log, words } = this.tier
    const isLeft = words.isServed(request) && logState(log) === LOG_WORKS && log.finishedAt(log.stable()) !== 0
    return isLeft ? words.request() : request
  }

  /** @throws HeddleError HEDDLE_IO, HEDDLE_NO_SPACE if it was tried and failed */
  private isFlushed(end: number, request: number): boolean {
    const { log, words } = this.tier
    if (log.isStable(end)) return true
    const fault = logFault(log)
    if (fault !== undefined && (fault.code === 'HEDDLE_IO' || words.isServed(request))) throw fault
    if (log.isSealed())
      throw new HeddleError('HEDDLE_CLOSED', 'the store was closed by its opener; its close wrote the log')
    return false
  }

  /**
   * The opener's end: nobody writes any more, what was written becomes durable, the threads end, the directory is free.
   * @throws HeddleError HEDDLE_IO, HEDDLE_NO_SPACE if something could not be made durable; all the rest is done then
   */
  close(): void {
    if (this.opener === null) return
    const { tier, opener } = this
    const { log, words, me } = tier
    log.seal()
    raise(tier.arena.words, GLOBAL_STOP)
    words.ring()
    log.wake()
    const claimed = (claim: () => boolean): boolean =>
      this.waitFor(() => {
        opener.threads.look(false)
        return claim()
      }, STOP_MS)
    const hasLog = claimed(() => log.claim(me.label))
    const isAlone = claimed(() => words.claim(me.label)) && hasLog
    let isDurable = false
    try {
      if (hasLog) isDurable = this.writeRest(opener)
    } finally {
      opener.threads.stop(isAlone, () => opener.lock.release())
    }
    if (!isDurable) throw logFault(log) ?? unwritten()
  }

  private waitFor(isSo: () => boolean, mostMs: number): boolean {
    const { log } = this.tier
    for (const until = performance.now() + mostMs; ;) {
      const heard = log.listenProgress()
      if (isSo()) return true
      if (performance.now() > until) return false
      log.waitProgress(heard, 10)
    }
  }

  /** @returns whether everything is durable */
  private writeRest({ disk, fileBytes }: Opener): boolean {
    const { tier } = this
    const { log, words } = tier
    const end = log.frontier()
    if (log.isStable(end)) return true
    const worker = new LogWorker(tier, disk, fileBytes)
    // Other threads may have changes under way, which end soon, or never if their thread is dead.
    this.waitFor(() => {
      words.request()
      worker.turn()
      return log.isStable(end) || logState(log) !== LOG_WORKS
    }, UNDER_WAY_MS)
    worker.close()
    if (logState(log) === LOG_WORKS && this.isAnyLeft(end)) {
      throw new HeddleError(
        'HEDDLE_IO',
        'a thread has left a change unfinished, so what was changed after it is not on disk; end threads before the store',
      )
    }
    return logState(log) === LOG_WORKS
  }

  /** Whether there are changes that were made and are not durable, behind one that is not finished. */
  private isAnyLeft(end: number): boolean {
    const { log } = this.tier
    if (log.isStable(end)) return false
    for (let position = log.stable(); position !== end; position = log.endOf(position, 1)) {
      if (log.finishedAt(position) !== 0 && log.isComplete(position)) return true
    }
    return false
  }
}
