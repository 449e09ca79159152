import { setTimeout as sleep } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { Random } from '../random.ts'
import { PAUSE, PAUSED, RUN, STARTING, STOP, type Control } from '../soak/control.ts'
import type { TextStore } from '../text-store.ts'
import type { Plan } from './plan.ts'
import type { BankWork } from './worker.ts'

const MS_BETWEEN_LOOKS = 1
/** A worker that does not answer for so long is stuck. */
const MS_OF_PATIENCE = 30_000

export interface StaffSetting {
  readonly url: URL
  readonly data: object
  readonly seed: number
  readonly plan: Plan
  readonly store: TextStore
  readonly control: Control
  readonly violated: (text: string) => void
}

/** The workers of a bank, one for each slot, and those that take the places of killed ones. */
export class Staff {
  kills = 0
  private readonly setting: StaffSetting
  private readonly random: Random
  private readonly workers: (Worker | undefined)[]
  private readonly exits: Promise<void>[] = []
  private started = 0

  constructor(setting: StaffSetting) {
    this.setting = setting
    this.random = new Random(setting.seed)
    this.workers = setting.control.slots.map(() => undefined)
  }

  async start(): Promise<boolean> {
    this.setting.control.give(RUN)
    for (const index of this.workers.keys()) this.hire(index)
    return this.waitFor((state) => state !== STARTING, 'come up')
  }

  /** Kills a worker at random, wherever it is, and puts another in its place. */
  async killOne(): Promise<void> {
    const index = this.random.below(this.workers.length)
    const worker = this.workers[index]
    if (worker === undefined) return
    this.workers[index] = undefined
    await worker.terminate()
    await this.exits[index]
    this.kills++
    this.hire(index)
  }

  /** Brings all workers to a rest between two operations; false if one does not come. */
  async pause(): Promise<boolean> {
    this.setting.control.give(PAUSE)
    return this.waitFor((state) => state === PAUSED, 'pause')
  }

  resume(): void {
    this.setting.control.give(RUN)
  }

  /** Lets all workers finish what they do. */
  async stop(): Promise<void> {
    const { control, violated } = this.setting
    control.give(STOP)
    const gone = Promise.all(this.exits).then(() => true)
    const inTime = await Promise.race([gone, sleep(MS_OF_PATIENCE, false, { ref: false })])
    if (inTime) return
    violated(`a worker did not stop within ${MS_OF_PATIENCE / 1000} s`)
    for (const worker of this.workers) await worker?.terminate()
  }

  private hire(index: number): void {
    const { store, control, plan, seed, url, data, violated } = this.setting
    const seeds = [seed, index, ++this.started]
    const work: BankWork = { store: store.handle, control: control.buffer, index, plan, seeds }
    control.slots[index].setState(STARTING)
    const worker = store.spawn(url, { workerData: { ...data, ...work } })
    this.workers[index] = worker
    worker.on('message', (text: string) => violated(text))
    worker.on('error', (error) => violated(`a worker failed: ${error.stack ?? error.message}`))
    this.exits[index] = new Promise((resolve) => {
      worker.once('exit', () => {
        resolve()
        // Neither killed (it would be off the list) nor told to stop.
        if (this.workers[index] === worker && control.command() !== STOP) {
          this.workers[index] = undefined
          violated(`the worker of slot ${index} ended by itself`)
        }
      })
    })
  }

  private async waitFor(arrived: (state: number) => boolean, what: string): Promise<boolean> {
    const { control, violated } = this.setting
    const until = performance.now() + MS_OF_PATIENCE
    for (;;) {
      const late = control.slots.findIndex((slot, i) => this.workers[i] !== undefined && !arrived(slot.state()))
      if (late === -1) return true
      if (performance.now() > until) {
        violated(`the worker of slot ${late} did not ${what} within ${MS_OF_PATIENCE / 1000} s`)
        return false
      }
      control.beat()
      await sleep(MS_BETWEEN_LOOKS)
    }
  }
}
