/** Runs a scenario once, under a strategy. */
import { OUTSIDE } from './pending.ts'
import { BEGIN } from './events.ts'
import { type Coroutine, $c, $got, $is, checkConsumed, resume } from './language.ts'
import { Failure, type FailureKind } from './failure.ts'
import { forgetViews } from './plain.ts'
import { history } from './history.ts'
import { checkLinearizable, historyKey } from './linearizability.ts'
import { type Recorder, machine } from './machine.ts'
import { $exec, $pre, forgetView, settle } from './steps.ts'
import type { ExploreOptions } from './options.ts'
import { type Finding, shadow } from './shadow.ts'
import { SharedMemory, memory } from './shared-memory.ts'
import { placeOf } from './sites.ts'
import { forgetHeads } from './spins.ts'
import { setInThread } from './state.ts'
import type { Strategy } from './strategy.ts'
import { rewind } from './surroundings.ts'

/** Executions in which it is checked that nobody wrote unseen; after these, each one whose number is a power of two. */
const CHECKED_EXECUTIONS = 4

export interface Victim {
  readonly thread: number
  readonly steps: number
}

export const NOBODY: Victim = { thread: -1, steps: 0 }

/** By thread: what it runs, the outermost coroutine first. */
type Stacks = Coroutine[][]

export class Execution {
  /** What failed in the last run. */
  failure: { kind: FailureKind; message: string; cause: unknown } | undefined
  private executions = 0
  private readonly options: ExploreOptions
  private readonly shared: SharedMemory
  private product: unknown
  private results: unknown[] = []
  private attached: unknown[] = []
  /** Histories that were found to be linearizable. */
  private readonly explained = new Set<string>()

  constructor(options: ExploreOptions) {
    this.options = options
    this.shared = new SharedMemory(options.memory.bytes)
  }

  /** Takes the machine, and builds what the threads share. */
  open(): void {
    const { options, shared } = this
    memory.current = shared
    memory.buffer = shared.buffer
    machine.maxSteps = options.maxSteps ?? 20_000
    machine.recorder = undefined
    const { invariant } = options
    machine.invariant = invariant === undefined ? undefined : () => invariant(shared.buffer)
    history.ordered = options.linearizable !== undefined
    shadow.configure(shared.words.length, options.races !== 'ignore')
    shadow.onFinding = (finding) => this.found(finding)
    rewind()
    this.product = options.setup?.(shared.buffer)
    shared.save()
  }

  /** Gives the machine back. */
  close(): void {
    setInThread(false)
    machine.current = OUTSIDE
    machine.invariant = machine.recorder = undefined
    memory.current = memory.buffer = undefined
    history.key = ''
    forgetViews()
    forgetView()
  }

  private found({ kind, thread, other, byte, what, site }: Finding): void {
    if (kind === 'use-after-free' && this.options.uaf === false) return
    const whose = other < 0 ? '' : ` of thread ${other}`
    machine.raise(
      kind,
      `thread ${thread} ${what}${whose}, byte ${byte} of the shared memory, at ${placeOf(site) || 'an unknown place'}`,
    )
  }

  /** @returns whether the victim died, if there was to be one */
  run(strategy: Strategy, victim: Victim = NOBODY, recorder?: Recorder): boolean {
    const { options } = this
    const count = options.threads.length
    this.failure = undefined
    this.executions++
    this.prepare(strategy, victim, recorder)
    const reaper = options.reaper !== undefined && victim.thread >= 0 ? count : -1
    machine.begin(count + (reaper >= 0 ? 1 : 0), reaper)
    shadow.begin()
    strategy.begin()
    try {
      this.attached = this.attachAll(count)
      this.interleave(count, reaper)
      this.checkUnseen()
      if (machine.failed) throw machine.failure
      if (!machine.pruned) this.finish()
    } catch (error) {
      this.failure = describe(machine.failed ? machine.failure : error)
    } finally {
      setInThread(false)
      machine.current = OUTSIDE
      machine.recorder = undefined
    }
    return machine.dead >= 0
  }

  private prepare(strategy: Strategy, victim: Victim, recorder: Recorder | undefined): void {
    this.shared.restore()
    this.shared.watch(this.executions <= CHECKED_EXECUTIONS || (this.executions & (this.executions - 1)) === 0)
    rewind()
    forgetHeads()
    history.operations = []
    history.key = ''
    this.results = Array<unknown>(this.options.threads.length).fill(undefined)
    machine.strategy = strategy
    machine.victim = victim.thread
    machine.victimSteps = victim.steps
    machine.recorder = recorder
  }

  private attachAll(count: number): unknown[] {
    const { attach } = this.options
    const { buffer } = this.shared
    const attached: unknown[] = []
    for (let t = 0; t < count; t++) attached.push(attach === undefined ? buffer : attach(buffer, t, this.product))
    return attached
  }

  /** Starts each thread up to its first step, then runs them as the strategy says. */
  private interleave(count: number, reaper: number): void {
    const stacks: Stacks = []
    setInThread(true)
    machine.starting = true
    for (let t = 0; t < count && !machine.failed; t++)
      this.start(t, stacks, () => this.options.threads[t]!(this.attached[t]))
    if (reaper >= 0) this.start(reaper, stacks, () => $c(this.reap()))
    machine.starting = false
    const { victim } = machine
    if (victim >= 0 && machine.victimSteps === 0 && (machine.alive & (1 << victim)) !== 0) machine.kill(victim)
    let next = machine.failed ? -1 : this.guarded(() => machine.schedule(-1))
    while (next >= 0) {
      machine.current = next
      this.proceed(next, stacks)
      if (machine.failed) break
      next =
        (machine.alive & (1 << next)) === 0 && machine.dead !== next
          ? this.guarded(() => machine.schedule(-1))
          : machine.next
    }
    setInThread(false)
    machine.current = OUTSIDE
  }

  /** The reaper waits for the death before its first step, which tells nobody anything. */
  private *reap(): Coroutine {
    if ($pre(-1, BEGIN)) yield
    $exec()
    const given = this.options.reaper!(this.shared.buffer, machine.dead, this.attached)
    return $is(given) ? yield* given as Coroutine : given
  }

  private start(t: number, stacks: Stacks, body: () => unknown): void {
    machine.current = t
    try {
      const given = body()
      if ($is(given)) {
        stacks[t] = [given as Coroutine]
        this.proceed(t, stacks)
      } else this.ended(t, given, stacks)
    } catch (error) {
      machine.end(error)
    }
  }

  private proceed(t: number, stacks: Stacks): void {
    try {
      if (resume(stacks[t]!)) this.ended(t, $got(), stacks)
    } catch (error) {
      machine.end(error)
    }
  }

  /** A body has come to its end; its asynchronous waits may not have. */
  private ended(t: number, result: unknown, stacks: Stacks): void {
    checkConsumed()
    this.results[t] ??= result
    if (machine.waiters.asyncOf(t) !== undefined) {
      stacks[t] = [settle(t)]
      this.proceed(t, stacks)
      return
    }
    machine.alive &= ~(1 << t)
  }

  private guarded(body: () => number): number {
    try {
      return body()
    } catch (error) {
      machine.end(error)
      return -1
    }
  }

  /** Code that is not instrumented may have written to shared memory, which would make all that follows meaningless. */
  private checkUnseen(): void {
    const word = this.shared.blurred ? -1 : this.shared.stray()
    if (word < 0) return
    this.shared.blurred = true
    machine.raise(
      'unsupported',
      `word ${word} of the shared memory was written by code that is not instrumented: include its file`,
    )
  }

  private finish(): void {
    const { options } = this
    const { linearizable } = options
    if (linearizable !== undefined && history.operations.length !== 0) {
      const key = historyKey(history.operations)
      history.key = key
      if (!this.explained.has(key)) {
        const verdict = checkLinearizable(history.operations, linearizable)
        if (!verdict.ok) throw new Failure('not-linearizable', verdict.explanation)
        if (this.explained.size < 1_000_000) this.explained.add(key)
      }
    }
    options.after?.(
      this.shared.buffer,
      { results: this.results, killed: machine.dead, history: history.operations },
      this.attached,
    )
    // What `after` wrote with code that is not instrumented must be put back too.
    if (this.shared.stray() >= 0) this.shared.blurred = true
    if (options.leaks === true && shadow.blocks.size !== 0 && machine.dead < 0) this.leaked()
  }

  private leaked(): never {
    const blocks = [...shadow.blocks].map(
      ([word, { words, site }]) => `${words} words at word ${word} (allocated at ${placeOf(site)})`,
    )
    throw new Failure('leak', `allocated and never freed: ${blocks.join(', ')}`)
  }
}

/** What kind of failure something thrown is. */
function describe(cause: unknown): { kind: FailureKind; message: string; cause: unknown } {
  if (cause instanceof Failure) return { kind: cause.kind, message: cause.message, cause }
  const { code, name, message, stack } = (cause ?? {}) as {
    code?: unknown
    name?: string
    message?: string
    stack?: string
  }
  const text = message === undefined ? String(cause) : `${message}${firstPlace(stack)}`
  const codes = String(code)
  if (codes.endsWith('USE_AFTER_FREE')) return { kind: 'use-after-free', message: text, cause }
  if (codes.endsWith('LEAK')) return { kind: 'leak', message: text, cause }
  const asserted = name === 'AssertionError' || codes === 'ERR_ASSERTION' || codes === 'HEDDLE_INTERNAL'
  return { kind: asserted ? 'assertion' : 'exception', message: text, cause }
}

function firstPlace(stack: string | undefined): string {
  const line = stack?.split('\n').find((text) => text.trim().startsWith('at '))
  return line === undefined ? '' : ` (${line.trim()})`
}
