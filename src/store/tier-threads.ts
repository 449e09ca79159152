/**
 * The threads of the durable tier as the opener sees them: started, watched, replaced when they die, stopped.
 *
 * They keep no process alive. A thread that ends without having been told to is reaped, which frees its claim, and another
 * one is started: at once the first time, later after a pause, so that one which always fails does not take all the time.
 */
import { Worker } from 'node:worker_threads'
import type { TierConfig } from '../lsm/tier-loops.ts'
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
  private stopped = false
  private pause = 0

  constructor(name: TierThreadName, handle: StoreHandle, tier: TierConfig, reap: (threadId: number) => void) {
    this.name = name
    this.data = { store: handle, tier }
    this.reap = reap
    this.start()
  }

  private start(): void {
    if (this.stopped) return
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
    worker.once('exit', () => {
      this.worker = null
      if (this.stopped) return
      this.reap(threadId)
      this.pause = performance.now() - from > WELL_MS ? 0 : Math.min(LONGEST_PAUSE_MS, 2 * this.pause + 10)
      setTimeout(() => this.start(), this.pause).unref()
    })
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
  constructor(handle: StoreHandle, tier: TierConfig, reap: (threadId: number) => void) {
    this.threads = [new TierThread('log', handle, tier, reap), new TierThread('maintainer', handle, tier, reap)]
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
