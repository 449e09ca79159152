import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { workerUrl } from '../../memory/worker-url.ts'
import { Random } from '../random.ts'
import type { TextStore } from '../text-store.ts'
import { checkModel } from './check-model.ts'
import { PAUSE, PAUSED, RUN, RUNNING, STARTING, STOP, STORM, type Control } from './control.ts'
import type { Plan } from './plan.ts'
import type { SoakWork } from './worker.ts'

const MS_BETWEEN_LOOKS = 5
const MS_BETWEEN_KILLS = [40, 500] as const
const MS_BETWEEN_VERIFIES = 1000
const MS_OF_STORM = 150
const CLEARS_IN_STORM = 5
/** A worker that does not answer for so long is stuck. */
const MS_OF_PATIENCE = 30_000

/** What all rounds have counted. */
export interface Counts {
  operations: number
  kills: number
  verifies: number
  full: number
  leaked: number
}

export interface RoundSetting {
  readonly number: number
  readonly seed: number
  readonly plan: Plan
  readonly store: TextStore
  readonly control: Control
  readonly counts: Counts
  readonly violated: (text: string) => void
  /** True once there are so many violations that going on tells nothing more. */
  readonly enough: () => boolean
}

/** One round: workers come, are killed, replaced, checked and stopped; the store is empty before and after. */
export class Round {
  private readonly setting: RoundSetting
  private readonly random: Random
  private readonly workers: (Worker | undefined)[]
  private readonly generations: number[]
  private readonly exits: Promise<void>[] = []
  private stuck = false

  constructor(setting: RoundSetting) {
    this.setting = setting
    this.random = new Random(setting.seed, setting.number)
    this.workers = setting.control.slots.map(() => undefined)
    this.generations = setting.control.slots.map(() => 0)
  }

  /** Runs until the time given, and at least until every worker has come up once. */
  async run(until: number): Promise<void> {
    const { control, counts } = this.setting
    control.reset()
    control.give(RUN)
    for (const index of control.slots.keys()) this.start(index)
    try {
      await this.waitFor((state) => state !== STARTING, 'come up')
      await this.work(until)
      if (await this.pause()) {
        this.verify()
        checkModel(this.setting.store, control, this.setting.plan, this.setting.violated)
        await this.storm()
      }
    } finally {
      await this.stop()
    }
    for (const slot of control.slots) {
      counts.operations += slot.operations()
      counts.full += slot.full()
    }
  }

  /** Terminates all workers that are left. */
  async stop(): Promise<void> {
    this.setting.control.give(STOP)
    const gone = Promise.all(this.exits).then(() => true)
    const inTime = await Promise.race([gone, sleep(MS_OF_PATIENCE, false, { ref: false })])
    if (inTime) return
    this.setting.violated(`a worker did not stop within ${MS_OF_PATIENCE / 1000} s`)
    for (const worker of this.workers) await worker?.terminate()
  }

  private async work(until: number): Promise<void> {
    let kill = performance.now() + this.untilKill()
    let verify = performance.now() + MS_BETWEEN_VERIFIES
    while (performance.now() < until && !this.stuck && !this.setting.enough()) {
      await sleep(MS_BETWEEN_LOOKS)
      this.setting.control.beat()
      if (performance.now() >= kill) {
        await this.killOne()
        kill = performance.now() + this.untilKill()
      }
      if (performance.now() >= verify) {
        if (await this.pause()) this.verify()
        this.setting.control.give(RUN)
        verify = performance.now() + MS_BETWEEN_VERIFIES
      }
    }
  }

  private untilKill(): number {
    return this.random.between(...MS_BETWEEN_KILLS)
  }

  private start(index: number): void {
    const { control, store, seed, number, plan } = this.setting
    const generation = ++this.generations[index]
    const seeds = [seed, number, index, generation]
    const work: SoakWork = { store: store.handle, control: control.buffer, index, generation, plan, seeds }
    control.slots[index].setState(STARTING)
    const worker = this.launch(work)
    this.workers[index] = worker
    worker.on('message', (text: string) => this.setting.violated(text))
    worker.on('error', (error) => this.setting.violated(`a worker failed: ${error.stack ?? error.message}`))
    this.exits[index] = new Promise((resolve) => {
      worker.once('exit', () => {
        resolve()
        // Neither killed (it would be off the list) nor told to stop.
        if (this.workers[index] === worker && control.command() !== STOP) this.replaceFallen(index)
      })
    })
  }

  /** Mostly as the store starts workers; now and then as somebody else would, who tells the store about it. */
  private launch(work: SoakWork): Worker {
    const { store } = this.setting
    const url = workerUrl('soak')
    if (!url.pathname.endsWith('.js') || !this.random.oneIn(4)) return store.spawn(url, { workerData: work })
    const worker = new Worker(url, { workerData: work })
    store.watch(worker)
    return worker
  }

  private replaceFallen(index: number): void {
    this.setting.violated(`the worker of slot ${index} ended by itself`)
    if (!this.setting.enough()) this.start(index)
  }

  private async killOne(): Promise<void> {
    const index = this.random.below(this.workers.length)
    const worker = this.workers[index]
    if (worker === undefined) return
    this.workers[index] = undefined
    await worker.terminate()
    await this.exits[index]
    this.setting.counts.kills++
    this.start(index)
  }

  /** Brings all workers to a rest between two operations; false if one does not come. */
  private async pause(): Promise<boolean> {
    this.setting.control.give(PAUSE)
    return this.waitFor((state) => state === PAUSED, 'pause')
  }

  private async waitFor(arrived: (state: number) => boolean, what: string): Promise<boolean> {
    const { control, violated } = this.setting
    const until = performance.now() + MS_OF_PATIENCE
    for (;;) {
      const late = control.slots.findIndex((slot) => !arrived(slot.state()))
      if (late === -1) return true
      if (this.setting.enough()) return false
      if (performance.now() > until) {
        violated(`the worker of slot ${late} did not ${what} within ${MS_OF_PATIENCE / 1000} s`)
        this.stuck = true
        return false
      }
      control.beat()
      await sleep(1)
    }
  }

  private verify(): void {
    const { store, counts, violated } = this.setting
    store.drain()
    checkVerify(store, counts, violated)
  }

  /** The store is cleared again and again under the workers' hands. */
  private async storm(): Promise<void> {
    const { control, store } = this.setting
    control.give(STORM)
    for (let i = 0; i < CLEARS_IN_STORM; i++) {
      await sleep(MS_OF_STORM / CLEARS_IN_STORM)
      control.beat()
      store.clear()
      if (i === 2) await this.killOne()
    }
    await this.waitFor((state) => state === RUNNING, 'get on')
  }
}

/** Whole structure, nothing leaked. Nobody writes. */
export function checkVerify(store: TextStore, counts: Counts, violated: (text: string) => void): void {
  const { ok, problems, leakedWords, leakedPageIds } = store.verify()
  counts.verifies++
  for (const problem of problems) violated(`verify: ${problem}`)
  if (!ok && problems.length === 0) violated('verify is not content, without saying why')
  counts.leaked += leakedWords + leakedPageIds
  if (leakedWords + leakedPageIds > 0) violated(`leaked: ${leakedWords} words, ${leakedPageIds} page ids`)
}
