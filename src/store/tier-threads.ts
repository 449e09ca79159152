/**
 * The threads of the durable tier as the opener sees them: started, watched, replaced when they die, stopped.
 *
 * They keep no process alive. A thread that ends without having been told to is reaped, which frees its claim, and another
 * one is started: at once the first time, later after a pause, so that one which always fails does not take all the time.
 * Their end is seen by the event loop, and by `look`, for whoever keeps the event loop from running.
 */
import { Worker } from 'node:worker_threads'
import { hasEnded } from '../lsm/kernel-thread.ts'
import type { TierConfig } from '../lsm/tier-loops.ts'
import type { TierWords } from '../lsm/tier-words.ts'
import { loaderArguments, workerUrl } from '../memory/worker-url.ts'
import type { StoreHandle } from './handle.ts'

const LONGEST_PAUSE_MS = 1000
/** A thread that has worked for so long before it died is replaced at once. */
const WELL_MS = 1000

export type TierThreadName = 'log' | 'maintainer'

class TierThread {
  worker: Worker | null = null
  private readonly name: TierThreadName
  private readonly data: { store: StoreHandle; tier: TierConfig }
  private readonly reap: (threadId: number) => void
  private readonly words: TierWords
  private readonly which: number
  private stopped = false
  private pause = 0
  private startAt = 0
  private ended: () => void = () => {}

  constructor(
    name: TierThreadName,
    words: TierWords,
    handle: StoreHandle,
    tier: TierConfig,
    reap: (threadId: number) => void,
  ) {
    this.name = name
    this.words = words
    this.which = name === 'log' ? 0 : 1
    this.data = { store: handle, tier }
    this.reap = reap
    this.start()
  }

  private start(): void {
    if (this.stopped || this.worker !== null) return
    this.words.setKernelThread(this.which, 0)
    const url = workerUrl(this.name)
    const loader = loaderArguments(url)
    const worker = new Worker(url, {
      workerData: this.data,
      name: `heddle-${this.name}`,
      ...(loader.length > 0 ? { execArgv: [...process.execArgv, ...loader] } : {}),
    })
    this.worker = worker
    const { threadId } = worker
    const from = performance.now()
    worker.unref()
    // An error of its is no reason to end the program; its end is noticed below.
    worker.on('error', () => {})
    this.ended = () => {
      if (this.worker !== worker) return
      this.worker = null
      if (this.stopped) return
      this.reap(threadId)
      const now = performance.now()
      this.pause = now - from > WELL_MS ? 0 : Math.min(LONGEST_PAUSE_MS, 2 * this.pause + 10)
      this.startAt = now + this.pause
      setTimeout(() => this.start(), this.pause).unref()
    }
    worker.once('exit', this.ended)
  }

  /** Does what is done when the thread has ended, if the kernel says that it has. @param replace whether it is replaced */
  look(replace: boolean): void {
    if (this.worker !== null && hasEnded(this.words.kernelThread(this.which))) this.ended()
    if (replace && this.worker === null && performance.now() >= this.startAt) this.start()
  }

  /** @returns the thread if it has not ended yet */
  stop(): Worker | null {
    this.stopped = true
    return this.worker
  }
}

export class TierThreads {
  private readonly threads: readonly TierThread[]

  /** @param reap called with the thread id of one that has died */
  constructor(words: TierWords, handle: StoreHandle, tier: TierConfig, reap: (threadId: number) => void) {
    const start = (name: TierThreadName): TierThread => new TierThread(name, words, handle, tier, reap)
    this.threads = [start('log'), start('maintainer')]
  }

  /** Notices those that have ended although the event loop does not run. @param replace whether others are started */
  look(replace: boolean): void {
    for (const thread of this.threads) thread.look(replace)
  }

  /** The thread of a name, if it lives. For tests, which end it. */
  worker(name: TierThreadName): Worker | null {
    return this.threads[name === 'log' ? 0 : 1].worker
  }

  /**
   * Replaces none any more. The caller has told them to stop.
   * @param ended called when the last one has ended; at once if they have given their claims back
   */
  stop(haveEnded: boolean, ended: () => void): void {
    let left = 1
    const one = (): void => {
      if (--left === 0) ended()
    }
    for (const thread of this.threads) {
      const worker = thread.stop()
      if (worker === null) continue
      if (!haveEnded) {
        left++
        worker.once('exit', one)
      }
      void worker.terminate()
    }
    one()
  }
}
