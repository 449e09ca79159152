/**
 * Crashes of a whole durable store at every moment of mixed runs: writes, deletes, batches, transactions, swaps, backups,
 * flushes, compactions, deaths of log worker and maintainer; of a store that is larger than its memory, too. For each prefix of
 * what was done to the disk some of the states that a crash may leave there are opened and read, by the production source;
 * some are gone on with for a while, and crash again, in the recovery or after it. All are opened by the tier without a tree,
 * one in eight also by a whole store.
 *
 * What is there is what was there after some number of changes, no fewer than were known to be durable.
 *
 * Disks that are equal are recovered once: what they hold is remembered by a hash of the whole disk. All is fixed by the
 * seed, but for how far it gets in a given time.
 */
import { FileError } from '../../src/lsm/file-error.ts'
import { COUNTER, sumCounter } from '../../src/reclaim/participant.ts'
import { CrashModel, KINDS } from '../support/crash-states.ts'
import { DiskHash } from '../support/disk-hash.ts'
import { InlineStore } from '../support/inline-store.ts'
import { type Copied, type RunShape, type Story, mixedRun } from '../support/mixed-run.ts'
import { EntrySum, textHash } from '../support/entry-hash.ts'
import { PlainRecovery } from '../support/plain-recovery.ts'
import { type Random, random } from '../support/random.ts'
import { type Change, type Files, SimulatedDisk } from '../support/simulated-disk.ts'
import { LARGER, LITTLE, SYNCED } from './crash-shapes.ts'

/** Steps that a store goes on by after a crash, before the next one. */
const STEPS_AFTER = 4
/** Of 100 prefixes, those from which a store goes on. */
const GO_ON_PERCENT = 2
/** Of so many disks that differ, one is also opened by a whole store, which reads all of it. */
const WHOLE_EACH = 8

export interface CrashOptions {
  readonly seed: number
  /** It ends after so many runs, each with a seed of its own, or when the seconds are over. */
  readonly runs?: number
  readonly seconds?: number
  /** States for each prefix. */
  readonly each: number
  /** Changes of each run, by steps; those of the shape by default. */
  readonly steps?: number
  /** What the disk does not do although it says so: for tests, which must see that found out. */
  readonly forgets?: Change['kind']
  /** Called after each run. */
  readonly onRun?: (report: CrashReport) => void
}

export interface CrashReport {
  runs: number
  /** Prefixes of the runs' operations of the disk. */
  prefixes: number
  states: number
  /** Of them, those after a crash in or after the recovery from another one, and those of the target of a backup. */
  again: number
  backups: number
  /** Disks that no other state of the same run was equal to, and so was opened. */
  distinct: number
  /** Of them, those that were opened by a whole store, too. */
  whole: number
  flushes: number
  compactions: number
  evictions: number
  seconds: number
  /** Of them, those in which the processor worked for it. */
  cpuSeconds: number
  /** States in which something of a kind happened. */
  readonly kinds: Map<string, number>
  readonly violations: string[]
}

/** What a disk holds: a digest, or why it does not open. */
type Outcome = number | string
const NO_STORE = 'there is no store'

class Campaign {
  readonly report: CrashReport
  private readonly until: number
  private readonly began = performance.now()
  private readonly cpu = process.cpuUsage()
  private readonly each: number
  private readonly steps: number | undefined
  private readonly forgets: Change['kind'] | undefined
  /** Of the run under way. */
  private known = new Map<number, Outcome>()
  private plain = new PlainRecovery(LITTLE.sizes)
  private readonly hash = new DiskHash()
  private shape: RunShape = LITTLE
  private seed = 0

  constructor({ each, seconds = Infinity, steps, forgets }: CrashOptions) {
    this.forgets = forgets
    this.each = each
    this.steps = steps
    this.until = this.began + seconds * 1000
    const counts = { runs: 0, prefixes: 0, states: 0, again: 0, backups: 0, distinct: 0, whole: 0 }
    const events = { flushes: 0, compactions: 0, evictions: 0 }
    this.report = { ...counts, ...events, seconds: 0, cpuSeconds: 0, kinds: new Map(), violations: [] }
  }

  get isOver(): boolean {
    return performance.now() >= this.until || this.report.violations.length > 0
  }

  /** One run and its crashes. */
  run(seed: number): void {
    const { report } = this
    const shapes = [LITTLE, LARGER, SYNCED, LITTLE]
    this.shape = shapes[seed % shapes.length]!
    this.seed = seed
    this.known = new Map()
    this.plain = new PlainRecovery(this.shape.sizes)
    const disk = this.filled()
    const initial = disk.initial()
    const inline = new InlineStore(disk, this.shape.sizes, seed + 1)
    const story = mixedRun(disk, inline, seed, this.shape, this.steps)
    report.flushes += inline.tier.words.count(0)
    report.compactions += inline.tier.words.count(1)
    report.evictions += sumCounter(inline.engine.arena, COUNTER.evictions)
    const rng = random(seed)
    for (const copied of story.backups) this.crashBackup(copied, story, rng)
    this.crash(disk.journal, rng, initial, (files, prefix) => {
      this.judge(files, (found) => story.fault(found, prefix), `after ${prefix} operations`)
      if (rng.chance(GO_ON_PERCENT) && !this.isOver) this.goOn(files, story, prefix, rng)
    })
    report.runs++
    report.seconds = (performance.now() - this.began) / 1000
    const { user, system } = process.cpuUsage(this.cpu)
    report.cpuSeconds = (user + system) / 1e6
  }

  /** A disk with what the run begins with: nothing, or more than fits memory, in tables. */
  private filled(): SimulatedDisk {
    const { shape, seed } = this
    const disk = new SimulatedDisk(seed)
    if (shape.reads === 0) return disk
    const inline = new InlineStore(disk, shape.sizes, seed + 1)
    const rng = random(seed)
    for (let i = 0; i < shape.keys; i++) {
      inline.makeRoom()
      inline.store.set(`key ${i}`, `first ${'.'.repeat(rng.int(shape.valueBytes))}`)
      if (i % 8 === 7) inline.settle()
    }
    inline.close()
    this.report.evictions += sumCounter(inline.engine.arena, COUNTER.evictions)
    return SimulatedDisk.with(disk.files(), seed)
  }

  /** Visits states of each prefix. */
  private crash(
    journal: readonly Change[],
    rng: Random,
    initial: ReturnType<SimulatedDisk['initial']>,
    visit: (files: Files, prefix: number) => void,
    each = this.each,
  ): void {
    const model = new CrashModel(rng, initial)
    for (let prefix = 0; prefix <= journal.length && !this.isOver; prefix++) {
      const change = journal[prefix - 1]
      if (change !== undefined && change.kind !== this.forgets) model.apply(change)
      this.report.prefixes++
      const count = model.uncertain() === 0 ? 1 : each
      for (let i = 0; i < count; i++) {
        const files = model.state()
        this.count(model.kinds)
        visit(files, prefix)
      }
    }
  }

  private count(kinds: number): void {
    this.report.states++
    const { kinds: counts } = this.report
    for (const name in KINDS) {
      if ((kinds & KINDS[name as keyof typeof KINDS]) !== 0) counts.set(name, (counts.get(name) ?? 0) + 1)
    }
  }

  /** Opens what is left and has it judged. */
  private judge(files: Files, fault: (found: number) => string, where: string): void {
    const found = this.outcome(files)
    const wrong = typeof found === 'string' ? found : fault(found)
    if (wrong !== '') this.violation(wrong, where)
  }

  private violation(wrong: string, where: string): void {
    this.report.violations.push(`seed ${this.seed} (${this.shape.name}), ${where}: ${wrong}`)
  }

  private outcome(files: Files): Outcome {
    const hash = this.hash.of(files)
    let outcome = this.known.get(hash)
    if (outcome === undefined) {
      this.report.distinct++
      outcome = this.recover(files)
      // By the hash, so that it is the same disks whatever came before.
      if (typeof outcome === 'number' && hash % WHOLE_EACH === 0) {
        this.report.whole++
        const whole = this.recoverWhole(files)
        if (whole !== outcome) outcome = `the whole store has ${whole}, what was recovered is ${outcome}`
      }
      this.known.set(hash, outcome)
    }
    return outcome
  }

  /** Opens it without a tree. */
  private recover(files: Files): Outcome {
    try {
      const disk = SimulatedDisk.with(files)
      const sum = this.plain.open(disk)
      return disk.openFiles === 0 ? sum : `${disk.openFiles} files are open`
    } catch (error) {
      if (error instanceof FileError && error.message.includes('no manifest is')) return NO_STORE
      return (error as Error).stack ?? String(error)
    }
  }

  /** Opens the whole store, reads all, and closes it. */
  private recoverWhole(files: Files): Outcome {
    try {
      const disk = SimulatedDisk.with(files)
      const inline = new InlineStore(disk, this.shape.sizes, 1)
      const sum = new EntrySum()
      let some = ''
      for (const [key, value] of inline.store) {
        sum.add(textHash(key, value))
        if (some === '' || value.length % 8 === 0) some = `${key}=${value}`
      }
      const key = some.slice(0, some.indexOf('='))
      if (some !== '' && `${key}=${inline.store.get(key)}` !== some) return `a scan finds ${some}, and get does not`
      if (inline.store.get('no such key') !== undefined) return 'a key is there that was never set'
      inline.close()
      return disk.openFiles === 0 ? sum.value : `${disk.openFiles} files are open`
    } catch (error) {
      return (error as Error).stack ?? String(error)
    }
  }

  /** Opens what a crash has left, has it changed for a while, and crashes at every moment of that. */
  private goOn(files: Files, story: Story, prefix: number, rng: Random): void {
    const disk = SimulatedDisk.with(files, prefix)
    const initial = disk.initial()
    const inline = new InlineStore(disk, this.shape.sizes, this.seed + 1)
    const openedAt = disk.journal.length
    const after = mixedRun(disk, inline, this.seed + prefix, this.shape, STEPS_AFTER)
    const before = this.report.states
    this.crash(
      disk.journal,
      rng,
      initial,
      (left, at) => {
        // Before the first start was over, nobody had seen what it found.
        const fault = (found: number): string => (at < openedAt ? story.fault(found, prefix) : after.fault(found, at))
        this.judge(left, fault, `after ${prefix} operations and ${at} more`)
      },
      Math.max(1, this.each >> 2),
    )
    this.report.again += this.report.states - before
  }

  /** Crashes of the machine with a backup's target: there is no store, or all of it. */
  private crashBackup({ disk, least, most }: Copied, story: Story, rng: Random): void {
    const before = this.report.states
    const whole = disk.journal.length
    this.crash(disk.journal, rng, new Map(), (files, prefix) => {
      const found = this.outcome(files)
      const isStore = [...files.keys()].some((name) => name.endsWith('.manifest'))
      const where = `the backup, after ${prefix} operations`
      if (!isStore) {
        if (prefix === whole) this.violation('it is not there', where)
      } else if (typeof found === 'string') this.violation(found, where)
      else {
        const wrong = story.isBetween(found, least, most)
        if (wrong !== '') this.violation(wrong, where)
      }
    })
    this.report.backups += this.report.states - before
  }
}

/** Runs with one seed after the other, until there are enough, the time is over, or something is wrong. */
export function crashRun(options: CrashOptions): CrashReport {
  const { seed, runs = Infinity, onRun } = options
  const campaign = new Campaign(options)
  for (let run = 0; run < runs && !campaign.isOver; run++) {
    campaign.run(seed + run)
    onRun?.(campaign.report)
  }
  return campaign.report
}

/** One line. */
export function crashLine(report: CrashReport, seed: number): string {
  const {
    runs,
    prefixes,
    states,
    again,
    backups,
    distinct,
    whole,
    flushes,
    compactions,
    evictions,
    seconds,
    cpuSeconds,
  } = report
  const kinds = [...report.kinds].map(([name, count]) => `${name} ${count}`).join(', ')
  return (
    `${states} crash states (${distinct} disks that differ, ${whole} of them opened by a whole store; ${again} after a second crash, ${backups} of backups; ${kinds}) of ` +
    `${prefixes} prefixes in ${runs} runs with ${flushes} flushes, ${compactions} compactions and ${evictions} evictions, ` +
    `seed ${seed}, ${seconds.toFixed(1)} s, ${cpuSeconds.toFixed(1)} of them worked, ${Math.round(states / cpuSeconds)} states in each of those, ` +
    `${report.violations.length} violations`
  )
}
