import type { Worker } from 'node:worker_threads'
import type { Store } from '../../src/index.ts'
import { asError, endedWithoutReport, newGate, program, reportOf, stop, type Report } from './crew.ts'
import { random, type Random } from './random.ts'
import { pause } from './stores.ts'
import { assertOneValue, counterKey, groupKeys, groups, StormWords, type StormData } from './storm-words.ts'

export interface StormOptions {
  readonly kills: number
  readonly seed: number
  readonly workers: number
  readonly bigValues?: boolean
}

const counters = 5
const longestWait = 30_000

/** Workers that do everything at once, killed at random moments and replaced; then the counters must add up. */
export class Storm {
  readonly #store: Store<string, string>
  readonly #options: StormOptions
  readonly #rng: Random
  readonly #gate = newGate(1)
  readonly #buffer: SharedArrayBuffer
  readonly #words: StormWords
  readonly #crew: { worker: Worker; report: Promise<Report<number>> }[] = []
  readonly #killedInFlight = new Array<number>(counters).fill(0)
  #started = 0
  #failed: Error | undefined

  constructor(store: Store<string, string>, options: StormOptions) {
    this.#store = store
    this.#options = options
    this.#rng = random(options.seed)
    this.#buffer = StormWords.create(options.workers, counters)
    this.#words = new StormWords(this.#buffer, options.workers, counters)
  }

  /** Gives how many of the kills hit an addition to a counter. */
  async run(): Promise<number> {
    const { kills, workers } = this.#options
    for (let slot = 0; slot < workers; slot++) this.#start(slot)
    for (let kill = 0; kill < kills; kill++) {
      await this.#kill(this.#rng.int(workers))
      await this.#othersGoOn()
    }
    await this.#allGoOn()
    stop(this.#gate)
    for (const { report } of this.#crew) {
      const found = await report
      if ('error' in found) throw asError(found.error)
    }
    if (this.#failed !== undefined) throw this.#failed
    this.#checkCounters()
    for (let group = 0; group < groups; group++) assertOneValue(groupKeys(group).map((key) => this.#store.get(key)))
    return this.#killedInFlight.reduce((a, b) => a + b)
  }

  #start(slot: number): void {
    const { workers, seed, bigValues = false } = this.#options
    const shared = { words: this.#buffer, slots: workers, counters, gate: this.#gate, bigValues }
    const data: StormData = { ...shared, slot, seed: seed * 10_000 + this.#started++ }
    const worker = this.#store.spawn(program('mix'), { workerData: data })
    const report = reportOf<number>(worker)
    this.#crew[slot] = { worker, report }
    void report.then((found) => {
      if ('error' in found && found.error.message !== endedWithoutReport) this.#failed ??= asError(found.error)
    })
  }

  /** Kills a worker: seldom while it starts, else in the middle of its work. */
  async #kill(slot: number): Promise<void> {
    const { worker, report } = this.#crew[slot]!
    if (this.#rng.chance(90)) {
      const enough = this.#words.operations(slot) + 1 + this.#rng.int(300)
      await this.#until(() => this.#words.operations(slot) >= enough, `worker ${slot} does not go on`)
    }
    // A wait of another length each time, by the clock and by this thread's own work.
    if (this.#rng.chance(30)) await pause(this.#rng.int(4))
    for (let i = this.#rng.int(20_000); i > 0; i--) Math.imul(i, i)
    await worker.terminate()
    const counter = this.#words.takeInFlight(slot)
    if (counter >= 0) this.#killedInFlight[counter]!++
    await report
    this.#start(slot)
  }

  /** Those that were at work go on, whatever the dead one has left behind. */
  async #othersGoOn(): Promise<void> {
    const before = this.#crew.map((_, slot) => this.#words.operations(slot))
    const survivor = this.#rng.int(before.length)
    if (before[survivor] === 0) return
    const goesOn = (): boolean => this.#words.operations(survivor) > before[survivor]!
    await this.#until(goesOn, `worker ${survivor} does not go on after a kill`)
    for (let counter = 0; counter < counters; counter++) this.#store.get(counterKey(counter))
  }

  async #allGoOn(): Promise<void> {
    for (let slot = 0; slot < this.#crew.length; slot++) {
      const enough = this.#words.operations(slot) + 50
      await this.#until(() => this.#words.operations(slot) >= enough, `worker ${slot} does not go on at the end`)
    }
  }

  async #until(reached: () => boolean, otherwise: string): Promise<void> {
    for (let waited = 0; waited < longestWait; waited++) {
      if (reached()) return
      await pause(1)
      if (this.#failed !== undefined) throw this.#failed
    }
    throw new Error(otherwise)
  }

  #checkCounters(): void {
    for (let counter = 0; counter < counters; counter++) {
      const value = Number(this.#store.get(counterKey(counter)) ?? '0')
      const [done, perhaps] = [this.#words.done(counter), this.#killedInFlight[counter]!]
      if (value < done || value > done + perhaps) {
        throw new Error(`counter ${counter} is ${value}: ${done} additions were done, ${perhaps} were killed`)
      }
    }
  }
}
