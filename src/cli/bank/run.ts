import { setTimeout as sleep } from 'node:timers/promises'
import { workerUrl } from '../../memory/worker-url.ts'
import type { BankOptions } from '../bank.ts'
import { grouped } from '../format.ts'
import { Random } from '../random.ts'
import { Screen } from '../screen.ts'
import { Control } from '../soak/control.ts'
import { isBadOption, openText, type TextStore } from '../text-store.ts'
import { isExpired, transactional, type TransactionalStore } from '../transactional-store.ts'
import { UsageError } from '../usage-error.ts'
import { audit } from './audit.ts'
import { opening, type Plan } from './plan.ts'
import { Staff } from './staff.ts'
import { TRANSFERS } from './teller.ts'
import type { View } from './worker.ts'

const TINY_PAGES = { leafEntries: 6, leafSlots: 3, innerEntries: 4, segmentWords: 4096, paranoid: true }
const MOST_TOLD = 50
const MS_BETWEEN_LOOKS = 5
const MS_BETWEEN_KILLS = [20, 200] as const
const MS_BETWEEN_VERIFIES = 1000
const WATCHDOG_MS = 180_000

/** Whose transactions are tried: another store's, and by another worker, in tests of the bank itself. */
export interface Staging {
  readonly worker: URL
  /** What that worker is told besides its work. */
  readonly data?: object
  readonly view: View
}

/** The whole campaign; its exit code. */
export async function runBank(
  options: BankOptions,
  screen: Screen = new Screen(),
  staging: Staging = { worker: workerUrl('bank'), view: transactional },
): Promise<number> {
  const store = openStore(options)
  const control = new Control(options.workers)
  try {
    const bank = staging.view(store)
    const watchdog = store.spawn(workerUrl('soak'), { workerData: { watch: control.buffer, limitMs: WATCHDOG_MS } })
    try {
      return await new Bank(options, screen, store, bank, control, staging).run()
    } finally {
      control.end()
      await new Promise((resolve) => watchdog.once('exit', resolve))
    }
  } finally {
    store.close()
  }
}

function openStore({ memory, workers }: BankOptions): TextStore {
  try {
    return openText({ memory, tuning: TINY_PAGES, maxThreads: 2 * workers + 8 })
  } catch (error) {
    if (isBadOption(error)) throw new UsageError(error.message)
    throw error
  }
}

class Bank {
  private readonly options: BankOptions
  private readonly screen: Screen
  private readonly store: TextStore
  private readonly bank: TransactionalStore
  private readonly control: Control
  private readonly plan: Plan
  private readonly staff: Staff
  private readonly random: Random
  private violations = 0
  private audits = 0

  constructor(
    options: BankOptions,
    screen: Screen,
    store: TextStore,
    bank: TransactionalStore,
    control: Control,
    { worker: url, data = {} }: Staging,
  ) {
    this.options = options
    this.screen = screen
    this.store = store
    this.bank = bank
    this.control = control
    this.plan = { accounts: options.accounts, slots: options.workers }
    const violated = (text: string): void => this.violated(text)
    this.staff = new Staff({ url, data, seed: options.seed, plan: this.plan, store, control, violated })
    this.random = new Random(options.seed, 1)
  }

  async run(): Promise<number> {
    const from = performance.now()
    this.bank.batch(opening(this.plan))
    this.audit()
    try {
      if (await this.staff.start()) await this.watch(this.options.seconds * 1000)
    } finally {
      await this.staff.stop()
    }
    this.close()
    // A worker's message may be lost with it, its count is not.
    this.violations = Math.max(this.violations, this.control.violations())
    this.screen.line(this.describe((performance.now() - from) / 1000))
    return this.violations === 0 ? 0 : 1
  }

  /** Kills, audits and verifies for so long. */
  private async watch(ms: number): Promise<void> {
    const { control, staff } = this
    const from = performance.now()
    const until = from + ms
    const progress = this.screen.quietProgress('bank', ms)
    let kill = performance.now() + this.random.between(...MS_BETWEEN_KILLS)
    let verify = performance.now() + MS_BETWEEN_VERIFIES
    while (performance.now() < until && this.violations < MOST_TOLD) {
      await sleep(MS_BETWEEN_LOOKS)
      control.beat()
      progress.show(performance.now() - from)
      this.audit()
      if (performance.now() >= kill) {
        await staff.killOne()
        kill = performance.now() + this.random.between(...MS_BETWEEN_KILLS)
      }
      if (performance.now() >= verify) {
        if (!(await staff.pause())) return
        this.verify()
        staff.resume()
        verify = performance.now() + MS_BETWEEN_VERIFIES
      }
    }
    progress.end()
  }

  private audit(): void {
    const snapshot = this.bank.snapshot()
    try {
      for (const problem of audit(snapshot.entries(), this.plan).problems) this.violated(`an audit: ${problem}`)
      this.audits++
    } catch (error) {
      if (!isExpired(error)) throw error
    } finally {
      snapshot.close()
    }
  }

  private verify(): void {
    this.store.drain()
    const { ok, problems, leakedWords, leakedPageIds } = this.store.verify()
    for (const problem of problems) this.violated(`verify: ${problem}`)
    if (!ok && problems.length === 0) this.violated('verify is not content, without saying why')
    if (leakedWords + leakedPageIds > 0) this.violated(`leaked: ${leakedWords} words, ${leakedPageIds} page ids`)
  }

  /** Everybody is gone: now the plain store, too, must hold what every slot says that it has done. */
  private close(): void {
    const { problems, sequences } = audit(this.bank.entries(), this.plan)
    for (const problem of problems) this.violated(`at the end: ${problem}`)
    for (const [index, slot] of this.control.slots.entries()) {
      const made = sequences.get(index) ?? NaN
      if (!(made >= slot.done(TRANSFERS) && made <= slot.intended(TRANSFERS))) {
        this.violated(`slot ${index} has made ${slot.done(TRANSFERS)} transfers, and ${made} are found`)
      }
    }
    this.verify()
    this.store.clear()
    this.verify()
    if (this.store.size !== 0) this.violated(`the store has ${this.store.size} entries after clear`)
    if (this.transfers() === 0) this.violated('nothing was done at all')
  }

  private transfers(): number {
    return this.control.slots.reduce((sum, slot) => sum + slot.done(TRANSFERS), 0)
  }

  private violated(text: string): void {
    if (++this.violations <= MOST_TOLD) process.stderr.write(`violation: ${text}\n`)
  }

  private describe(took: number): string {
    const sum = (of: (slot: Control['slots'][number]) => number): string =>
      grouped(this.control.slots.reduce((total, slot) => total + of(slot), 0))
    return [
      `bank: ${took.toFixed(1)} s`,
      `${this.options.workers} workers`,
      `${sum((slot) => slot.operations())} operations`,
      `${grouped(this.transfers())} transfers`,
      `${sum((slot) => slot.full())} refused`,
      `${grouped(this.staff.kills)} kills`,
      `${grouped(this.audits)} audits`,
      `${grouped(this.violations)} violations`,
      `seed ${this.options.seed}`,
    ].join(', ')
  }
}
