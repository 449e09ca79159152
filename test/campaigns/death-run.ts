/**
 * The background threads of a durable store under load are terminated at random moments: the log worker, the maintainer,
 * which flushes and compacts, and the cleaner, which evicts; several at once, and now and then a writer. The others go on.
 *
 * At the end of each round everything that returned is there, and nothing else; the store in memory is whole and has lost
 * nothing; its files are verified; and so is what the next opener finds. Rounds with little and with more than memory
 * holds take turns.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { open, type Store } from '../../src/index.ts'
import { verifyDirectory } from '../../src/lsm/directory-verify.ts'
import { FileDisk, openDirectory } from '../../src/lsm/file-disk.ts'
import { FROM_SOURCES } from '../../src/memory/worker-url.ts'
import { type Report, reportOf } from '../support/crew.ts'
import { WRITERS, faultOf, lastKey } from '../support/numbered-changes.ts'
import { type Random, random } from '../support/random.ts'
import { pause, settle } from '../support/stores.ts'
import { type Amount, PROGRESS, type WriterData, extentOf, writtenOptions } from '../support/written-store.ts'

/** How long nobody may get on: far more than a thread takes to be replaced. */
const HANG_MS = 60_000
const LONGEST_PAUSE_MS = 60
/** Changes of each writer by which the memory is filled first, if there is more than it holds. */
const FILLING = 900

const EXTENSION = FROM_SOURCES ? 'ts' : 'js'
const PROGRAM = new URL(`../support/workers/write-while-killed.${EXTENSION}`, import.meta.url)

export interface DeathOptions {
  readonly seed: number
  /** It ends after so many terminations, in whole rounds, or when the seconds are over. */
  readonly deaths: number
  readonly seconds?: number
  readonly deathsOfRound?: number
  /** Changes of each writer by which the memory is filled first, where there is more than it holds. */
  readonly filling?: number
  readonly onRound?: (report: DeathReport) => void
}

export interface DeathReport {
  rounds: number
  /** Terminations, and by whom they hit. */
  deaths: number
  readonly kinds: Map<string, number>
  changes: number
  flushes: number
  compactions: number
  evictions: number
  readonly violations: string[]
}

type Victim = 'log' | 'maintainer' | 'cleaner' | 'writer'

/** Inside a store: nobody else gets at them. */
interface Insides {
  readonly durability: {
    readonly opener: { readonly threads: { worker(name: 'log' | 'maintainer'): Worker | null } }
  }
  readonly cleanerThread: { worker(): Worker | null }
}

interface Writer {
  readonly name: string
  readonly words: Int32Array
  worker: Worker
  report: Promise<Report<number>>
}

class Round {
  private readonly store: Store
  private readonly writers: Writer[] = []
  private readonly rng: Random
  private readonly seed: number
  private readonly amount: Amount
  private readonly sync: boolean
  private readonly directory: string
  private readonly report: DeathReport
  private started = 0

  constructor(directory: string, seed: number, report: DeathReport) {
    this.directory = directory
    this.seed = seed
    this.report = report
    this.rng = random(seed)
    this.amount = seed % 2 === 0 ? 'little' : 'much'
    this.sync = this.rng.chance(40)
    this.store = open({ ...writtenOptions(directory, this.amount), durability: this.sync ? 'sync' : 'group' })
    for (const name of WRITERS) {
      const words = new Int32Array(new SharedArrayBuffer(16))
      this.writers.push({ name, words, ...this.start(name, words) })
    }
  }

  private start(name: string, words: Int32Array): Pick<Writer, 'worker' | 'report'> {
    const { amount, sync } = this
    const progress = words.buffer as SharedArrayBuffer
    const data: WriterData = { writer: name, seed: this.seed * 1000 + this.started++, amount, sync, progress }
    const worker = this.store.spawn(PROGRAM, { workerData: data })
    return { worker, report: reportOf<number>(worker) }
  }

  /** @returns what is wrong, or '' */
  async run(deaths: number, filling: number): Promise<string> {
    const { rng, report } = this
    try {
      if (this.amount === 'much') await this.goOn(filling)
      for (let i = 0; i < deaths; i++) {
        await pause(rng.int(LONGEST_PAUSE_MS))
        for (let spin = rng.int(20_000); spin > 0; spin--) Math.imul(spin, spin)
        const first = rng.pick<Victim>(['log', 'log', 'maintainer', 'maintainer', 'maintainer', 'cleaner', 'writer'])
        const victims: Victim[] = rng.chance(20) ? ['log', 'maintainer', 'cleaner'] : [first]
        await Promise.all(victims.map((victim) => this.kill(victim)))
        if (rng.chance(30)) await this.goOn(1)
      }
      await this.goOn(3)
      await this.end()
      const { flushes, compactions, evictions } = this.store.stats()
      report.flushes += flushes
      report.compactions += compactions
      report.evictions += evictions
      await settle(this.store)
      return this.wrongWith(this.store) || this.reopened()
    } catch (error) {
      return (error as Error).stack ?? String(error)
    }
  }

  private async kill(victim: Victim): Promise<void> {
    const { durability, cleanerThread } = this.store as unknown as Insides
    if (victim === 'writer') {
      const writer = this.rng.pick(this.writers)
      await writer.worker.terminate()
      await writer.report
      Object.assign(writer, this.start(writer.name, writer.words))
    } else {
      const worker = victim === 'cleaner' ? cleanerThread.worker() : durability.opener.threads.worker(victim)
      // It has just been killed, and its successor is yet to come.
      if (worker === null || worker.threadId < 0) return
      await worker.terminate()
    }
    this.report.deaths++
    this.report.kinds.set(victim, (this.report.kinds.get(victim) ?? 0) + 1)
  }

  /** Every writer gets on by so many changes. */
  private async goOn(changes: number): Promise<void> {
    for (const { name, words, report } of this.writers) {
      let made = Atomics.load(words, PROGRESS.made)
      const enough = made + changes
      for (let since = performance.now(); made < enough;) {
        const ended = await Promise.race([pause(2), report])
        if (ended !== undefined && 'error' in ended) throw new Error(`writer ${name}: ${ended.error.stack}`)
        const now = Atomics.load(words, PROGRESS.made)
        if (now > made) since = performance.now()
        else if (performance.now() - since > HANG_MS) throw new Error(`writer ${name} hangs after ${now} changes`)
        made = now
      }
    }
  }

  private async end(): Promise<void> {
    for (const { words } of this.writers) Atomics.store(words, PROGRESS.stop, 1)
    for (const { name, report } of this.writers) {
      const ended = await Promise.race([report, pause(HANG_MS)])
      if (ended === undefined) throw new Error(`writer ${name} does not come to its end`)
      if ('error' in ended) throw new Error(`writer ${name}: ${ended.error.stack}`)
    }
  }

  private wrongWith(store: Store): string {
    for (const { name, words } of this.writers) {
      const last = Number(store.get(lastKey(name)) ?? 0)
      const made = Atomics.load(words, PROGRESS.made)
      if (last !== made) return `${made} changes of ${name} were made, ${last} are there`
      const wrong = faultOf((key) => store.get(key), name, last, extentOf(this.amount))
      if (wrong !== '') return wrong
      this.report.changes += last
    }
    return ''
  }

  /** What the files say, and the next opener. */
  private reopened(): string {
    this.store.close()
    const { wrong } = verifyDirectory(new FileDisk(openDirectory(this.directory)))
    if (wrong.length > 0) return `verify: ${JSON.stringify(wrong[0])}`
    const store = open(writtenOptions(this.directory, this.amount))
    try {
      return this.wrongWith(store)
    } finally {
      store.close()
    }
  }

  /** Whatever has come to pass, nothing goes on. */
  async over(): Promise<void> {
    for (const { worker } of this.writers) await worker.terminate()
    this.store.close()
  }
}

/** Rounds of deaths, each in a directory of its own, until there are enough, the time is over, or something is wrong. */
export async function deathRun({
  seed,
  deaths,
  seconds = Infinity,
  deathsOfRound = 25,
  filling = FILLING,
  onRound,
}: DeathOptions): Promise<DeathReport> {
  const until = performance.now() + seconds * 1000
  const counts = { rounds: 0, deaths: 0, changes: 0, flushes: 0, compactions: 0, evictions: 0 }
  const report: DeathReport = { ...counts, kinds: new Map(), violations: [] }
  while (report.deaths < deaths && performance.now() < until && report.violations.length === 0) {
    const directory = mkdtempSync(join(tmpdir(), 'heddle-death-'))
    const round = new Round(directory, seed + report.rounds, report)
    const wrong = await round.run(Math.min(deathsOfRound, deaths - report.deaths), filling)
    await round.over()
    report.rounds++
    if (wrong === '') rmSync(directory, { recursive: true })
    else report.violations.push(`seed ${seed + report.rounds - 1}, in ${directory}: ${wrong}`)
    onRound?.(report)
  }
  return report
}

/** One line. */
export function deathLine(report: DeathReport, seed: number): string {
  const { rounds, deaths, changes, flushes, compactions, evictions, violations } = report
  const kinds = [...report.kinds].map(([name, count]) => `${name} ${count}`).join(', ')
  return (
    `${deaths} terminations (${kinds}) in ${rounds} rounds, seed ${seed}, with ${changes} looks at changes, ${flushes} flushes, ` +
    `${compactions} compactions, ${evictions} evictions, ${violations.length} violations`
  )
}
