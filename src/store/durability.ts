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
import { LOG_FAILED, LOG_WORKS, logError, logState } from '../lsm/log-committer.ts'
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
/** Between two looks of the asynchronous wait. */
const LOOK_MS = 1
/** How long nothing may happen in the log, for all who wait for it, until it is taken to be stuck. */
const PATIENCE_MS = 30_000

/** What only the opener has. */
export interface Opener {
  readonly disk: Disk
  readonly fileBytes: number
  readonly lock: DirectoryLock
  readonly threads: TierThreads
}

export class Durability {
  private readonly engine: Engine
  private readonly tier: Tier
  private readonly opener: Opener | null
  private readonly throttle: Throttle
  private readonly waits: boolean
  /** See PATIENCE_MS. */
  patienceMs = PATIENCE_MS

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
    // Once for each change: what is so old that 2^30 granules came after it would pass for what is yet to come.
    journal.lastEnd = -1
    if (end < 0) return
    const { log } = this.tier
    const isStuck = this.stuckness()
    while (!log.isStable(end)) {
      const heard = log.listenProgress()
      if (log.isStable(end)) return
      this.checkLog()
      if (isStuck()) throw stuck()
      log.wake()
      log.waitProgress(heard, PARK_MS)
    }
  }

  /** @returns what says whether nothing has happened in the log for so long that nothing will: its threads may be gone */
  private stuckness(): () => boolean {
    const { log } = this.tier
    let heard = log.listenProgress()
    let since = performance.now()
    return () => {
      const now = log.listenProgress()
      if (now === heard) return performance.now() - since > this.patienceMs
      heard = now
      since = performance.now()
      return false
    }
  }

  private checkLog(): void {
    const state = logState(this.tier.log)
    if (state !== LOG_WORKS) throw logError(state)
  }

  /** Blocks until everything that was changed before the call, by any thread, is durable. */
  flushSync(): void {
    const { log, words } = this.tier
    const end = log.frontier()
    const request = words.request()
    const isStuck = this.stuckness()
    for (;;) {
      const heard = log.listenProgress()
      if (this.isFlushed(end, request)) return
      if (isStuck()) throw stuck()
      log.wake()
      log.waitProgress(heard, PARK_MS)
    }
  }

  /** As `flushSync`, without blocking the thread. */
  async flush(): Promise<void> {
    const { log, words } = this.tier
    const end = log.frontier()
    const request = words.request()
    const isStuck = this.stuckness()
    while (!this.isFlushed(end, request)) {
      if (isStuck()) throw stuck()
      log.wake()
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }

  /** @throws HeddleError HEDDLE_IO, HEDDLE_NO_SPACE if it was tried and failed */
  private isFlushed(end: number, request: number): boolean {
    const { log, words } = this.tier
    if (log.isStable(end)) return true
    const state = logState(log)
    if (state === LOG_FAILED || (state !== LOG_WORKS && words.isServed(request))) throw logError(state)
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
    const hasLog = this.waitFor(() => log.claim(me.label), STOP_MS)
    const isAlone = this.waitFor(() => words.claim(me.label), STOP_MS) && hasLog
    let isDurable = false
    try {
      if (hasLog) isDurable = this.writeRest(opener)
    } finally {
      opener.threads.stop(isAlone, () => opener.lock.release())
    }
    if (!isDurable) throw logState(log) === LOG_WORKS && hasLog ? heldUp() : logError(logState(log))
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
    return log.isStable(end)
  }
}

function stuck(): HeddleError {
  return new HeddleError(
    'HEDDLE_IO',
    'the log was not written for a long time, so what was changed may be durable or not; look after the disk, and whether ' +
      'the thread that opened the store still runs',
  )
}

function heldUp(): HeddleError {
  return new HeddleError(
    'HEDDLE_IO',
    'a thread is in the middle of a change, or has died there, so what was changed after that could not be written; end the ' +
      'threads that write, and wait for their exit, before the store is closed',
  )
}
