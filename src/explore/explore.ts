/** The search: which executions are run, in which order, and until when. */
import { BoundedSearch } from './bounded.ts'
import type { SavedChoices } from './choices.ts'
import { unwatchBulk, watchBulk } from './bulk.ts'
import { HeddleError } from '../memory/error.ts'
import { Dpor } from './dpor.ts'
import { Checkpoint } from './checkpoint.ts'
import { type Deal, prefixesOf, take } from './dealing.ts'
import { Execution, NOBODY, type Victim } from './execution.ts'
import { machine } from './machine.ts'
import { type ExploreOptions, type ExploreResult, checkOptions } from './options.ts'
import { memory } from './shared-memory.ts'
import { report } from './report.ts'
import { Random } from './random.ts'
import { Pct, RandomWalk } from './sampling.ts'
import { Replay, parseSchedule, presentSchedule } from './schedule.ts'
import type { Strategy } from './strategy.ts'
import { control, realNow, release } from './surroundings.ts'
import { trace } from './trace.ts'

const DEFAULT_MS = 10_000
const PROGRESS_MS = 200

/** How a part of the search ended. */
type End = 'complete' | 'budget' | 'failed'

type Systematic = 'dpor' | 'dfs' | { readonly bound: number }

interface Budget {
  executions: number
  /** When to stop, by the real clock. */
  readonly until: number
}

export class Exploration {
  readonly execution: Execution
  phase = ''
  executions = 0
  steps = 0
  blocked = 0
  /** Longest run of each thread, for the places where it can be killed. */
  readonly longest: number[]
  private readonly options: ExploreOptions
  private readonly start = realNow()
  private lastProgress = this.start
  private readonly budget: Budget
  private readonly checkpoint: Checkpoint | undefined
  private readonly deal: Deal | undefined
  /** Parts of the search begun so far. */
  private part = 0

  /** @param deal if the search is dealt out to several JavaScript threads */
  constructor(options: ExploreOptions, deal?: Deal) {
    this.options = options
    this.execution = new Execution(options)
    this.longest = options.threads.map(() => 0)
    this.deal = deal
    if (options.checkpoint !== undefined) {
      this.checkpoint = new Checkpoint(options.checkpoint, subjectOf(options))
      this.checkpoint.longest.forEach((steps, t) => (this.longest[t] = steps))
    }
    const maxMs = options.maxMs ?? (options.maxExecutions === undefined ? DEFAULT_MS : Infinity)
    this.budget = { executions: options.maxExecutions ?? Infinity, until: this.start + maxMs }
  }

  /** Searches as the options say. */
  search(): End {
    const { mode = 'auto', replay } = this.options
    if (replay !== undefined) return this.replay(replay)
    if (mode === 'random') return this.sample(new RandomWalk(this.seed))
    if (typeof mode === 'object' && 'pct' in mode) return this.sample(new Pct(mode.pct, this.seed))
    if (mode !== 'auto') return this.everyVictim((budget, victim) => this.systematic(mode, budget, victim), 1)
    const end = this.everyVictim((budget, victim) => this.systematic('dpor', budget, victim), 0.6)
    if (end !== 'budget') return end
    for (const bound of [1, 2, 3]) {
      const bounded = this.everyVictim((budget, victim) => this.systematic({ bound }, budget, victim), 0.5)
      if (bounded === 'failed') return bounded
      if (bounded === 'budget') break
    }
    return this.sample(new Pct(3, this.seed)) === 'failed' ? 'failed' : 'budget'
  }

  private get seed(): number {
    return (this.options.seed ?? 1) + (this.deal?.worker ?? 0)
  }

  private replay(text: string): End {
    this.phase = 'replay'
    const schedule = parseSchedule(text)
    this.once(new Replay(schedule, true), { thread: schedule.victim, steps: schedule.victimSteps })
    return this.execution.failure === undefined ? 'complete' : 'failed'
  }

  /** Runs a search without a victim, and then with each thread stopping after each of its steps. */
  private everyVictim(search: (budget: Budget, victim: Victim) => End, share: number): End {
    const kill = this.options.kill === 'everywhere'
    const until = realNow() + (this.budget.until - realNow()) * share
    const executions = this.budget.executions * share
    let end = search(this.shareOf({ until, executions }, kill ? 0.3 : 1), NOBODY)
    if (end === 'failed' || !kill) return end
    for (let thread = 0; thread < this.options.threads.length; thread++) {
      for (let steps = 0; steps <= this.longest[thread]!; steps++) {
        if (realNow() >= until) return 'budget'
        const left = this.victimsLeft(thread, steps)
        const one = search(this.shareOf({ until, executions }, 1 / left), { thread, steps })
        if (one === 'failed') return one
        if (one === 'budget') end = 'budget'
      }
    }
    return end
  }

  private victimsLeft(thread: number, steps: number): number {
    return this.longest.reduce(
      (sum, longest, t) => sum + (t < thread ? 0 : t === thread ? longest + 1 - steps : longest + 1),
      0,
    )
  }

  /** A share of what is left. */
  private shareOf(whole: Budget, share: number): Budget {
    const now = realNow()
    const left = Math.min(whole.executions, this.budget.executions)
    return { until: now + Math.max(0, whole.until - now) * share, executions: Math.max(1, Math.ceil(left * share)) }
  }

  private systematic(mode: Systematic, budget: Budget, victim: Victim): End {
    const what = typeof mode === 'string' ? mode : `bound ${mode.bound}`
    this.phase = victim.thread < 0 ? what : `${what}, thread ${victim.thread} stops after step ${victim.steps}`
    const done = this.checkpoint?.parts[this.phase]
    if (done === 'complete') return 'complete'
    const part = this.part++
    if (this.deal !== undefined && mode === 'dpor') return this.dealt(this.deal, part, budget, victim)
    const strategy = this.make(mode)
    if (done !== undefined) strategy.choices.load(done)
    const end = this.exhaust(strategy, budget, () => victim)
    if (this.checkpoint !== undefined && end !== 'failed') {
      this.save(this.checkpoint, end === 'complete' ? end : strategy.choices.save())
    }
    return end
  }

  private save(checkpoint: Checkpoint, standing: SavedChoices | 'complete'): void {
    checkpoint.parts[this.phase] = standing
    checkpoint.save(realNow(), this.longest, checkpoint.executions + this.executions, checkpoint.steps + this.steps)
  }

  /** Explores those prefixes of a part of the search that no other JavaScript thread takes. */
  private dealt(deal: Deal, part: number, budget: Budget, victim: Victim): End {
    const { words } = memory.current!
    const prefixes = prefixesOf(words.length, deal.workers, (strategy) => {
      this.once(strategy, victim)
      return this.execution.failure === undefined
    })
    if (prefixes === undefined) return 'failed'
    for (let next = take(deal, part); next < prefixes.length; next = take(deal, part)) {
      const strategy = new Dpor(words.length)
      strategy.choices.load(prefixes[next]!)
      const end = this.exhaust(strategy, budget, () => victim)
      if (end !== 'complete') return end
    }
    return 'complete'
  }

  private make(mode: Systematic): Dpor | BoundedSearch {
    if (mode === 'dpor') return new Dpor(memory.current!.words.length)
    return new BoundedSearch(mode === 'dfs' ? Infinity : mode.bound)
  }

  private sample(strategy: Strategy): End {
    this.phase = strategy instanceof Pct ? 'pct' : 'random'
    const random = new Random(this.seed + 1)
    const kill = this.options.kill === 'everywhere'
    const victim = (): Victim => {
      // The first executions tell how many steps there are.
      if (!kill || this.executions < 2) return NOBODY
      const thread = random.below(this.longest.length)
      return { thread, steps: random.below(this.longest[thread]! + 1) }
    }
    return this.exhaust(strategy, this.budget, victim)
  }

  private exhaust(strategy: Strategy, budget: Budget, victim: () => Victim): End {
    for (let left = budget.executions; left > 0; left--) {
      this.once(strategy, victim())
      if (this.execution.failure !== undefined) return 'failed'
      if (!strategy.advance()) return 'complete'
      if (this.isLate(strategy, budget)) return 'budget'
    }
    return 'budget'
  }

  private isLate(strategy: Strategy, budget: Budget): boolean {
    const now = realNow()
    const { checkpoint } = this
    if (checkpoint?.isDue(now) === true && 'choices' in strategy) {
      this.save(checkpoint, (strategy as Dpor | BoundedSearch).choices.save())
    }
    if (this.options.onProgress !== undefined && now - this.lastProgress >= PROGRESS_MS) {
      this.lastProgress = now
      this.options.onProgress({
        executions: this.executions,
        steps: this.steps,
        executionsPerSecond: (this.executions * 1000) / (now - this.start),
        depth: trace.depth,
        done: strategy.progress(),
        phase: this.phase,
      })
    }
    return now >= budget.until
  }

  private once(strategy: Strategy, victim: Victim): void {
    const first = this.executions === 0
    this.execution.run(strategy, victim)
    if (first && this.execution.failure === undefined) this.repeat(victim)
    this.executions++
    this.budget.executions--
    this.steps += trace.depth
    if (machine.pruned) this.blocked++
    for (let t = 0; t < this.longest.length; t++) {
      if (trace.count[t]! > this.longest[t]!) this.longest[t] = trace.count[t]!
    }
  }

  /** Runs the execution just run once more: what does not come out as before depends on something hidden. */
  private repeat(victim: Victim): void {
    const pruned = machine.pruned
    const schedule = presentSchedule(victim.thread, victim.steps)
    this.execution.run(new Replay(schedule, true, trace.depth), victim)
    machine.pruned = pruned
  }

  result(end: End): ExploreResult {
    const { execution, blocked, phase, checkpoint } = this
    const steps = this.steps + (checkpoint?.steps ?? 0)
    const sampled = phase === 'pct' || phase === 'random'
    const counts = {
      executions: this.executions + (checkpoint?.executions ?? 0),
      steps,
      blocked,
      phase,
      ms: Math.round(realNow() - this.start),
    }
    if (execution.failure !== undefined) {
      const found = presentSchedule(machine.victim, machine.victimSteps)
      return { ...counts, complete: false, error: report(execution, execution.failure, found, this.options) }
    }
    if (steps === 0) {
      const message =
        'no thread took a step: is the code instrumented, and do the threads reach shared memory? (see the README of explore)'
      return {
        ...counts,
        complete: false,
        error: { kind: 'no-steps', message, schedule: 'v1:', minimized: 'v1:', columns: '', cause: undefined },
      }
    }
    return { ...counts, complete: end === 'complete' && !sampled }
  }
}

/** What a checkpoint must be of, to be gone on with. */
function subjectOf({ name = '', memory: { bytes }, threads, mode = 'auto', kill = 'none' }: ExploreOptions): string {
  return JSON.stringify({ name, bytes, threads: threads.map(String), mode, kill })
}

/**
 * Explores the interleavings of threads that use one shared memory.
 * @returns what was explored, and the first failure found
 * @throws HeddleError HEDDLE_INVALID_OPTION
 */
export function explore<T = SharedArrayBuffer, S = unknown>(options: ExploreOptions<T, S>): ExploreResult {
  return exploreDealt(options)
}

/** The same, for one of several JavaScript threads that share a search. */
export function exploreDealt(given: ExploreOptions, deal?: Deal): ExploreResult {
  checkOptions(given)
  if (memory.current !== undefined) {
    throw new HeddleError(
      'HEDDLE_INVALID_OPTION',
      'explore: an exploration runs already; one cannot start inside another',
    )
  }
  const exploration = new Exploration(given, deal)
  control()
  watchBulk()
  try {
    exploration.execution.open()
    return exploration.result(exploration.search())
  } finally {
    exploration.execution.close()
    unwatchBulk()
    release()
  }
}
