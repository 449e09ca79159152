/** What a user gives to `explore`, and gets from it. */
import { HeddleError } from '../memory/error.ts'
import { MAX_THREADS } from './events.ts'
import type { FailureKind } from './failure.ts'
import type { HistoryOperation, SequentialModel } from './linearizability.ts'

/**
 * How schedules are chosen: `dpor` all that differ (source-DPOR with sleep sets), `dfs` all, `{ bound }` all with so many
 * preemptions at most, `{ pct }` probabilistic concurrency testing of that depth, `random` a random walk; `auto` dpor,
 * then what is left of the budget for bounds and for pct.
 */
export type Mode = 'auto' | 'dpor' | 'dfs' | 'random' | { readonly bound: number } | { readonly pct: number }

/** What `after` is told of an execution. */
export interface Run {
  /** What the threads returned; undefined for one that was killed. */
  readonly results: readonly unknown[]
  /** The thread that was killed, or -1. */
  readonly killed: number
  readonly history: readonly HistoryOperation[]
}

/** A function which also fits where less is known of what it is given, so that scenarios of all kinds fit in one list. */
type Loose<A extends readonly unknown[], R> = { of(...given: A): R }['of']

export interface ExploreOptions<T = unknown, S = unknown> {
  /** Shown in reports. */
  readonly name?: string
  /** Size of the memory under test in bytes, a multiple of 4; it is zeroed. */
  readonly memory: { readonly bytes: number }
  /** Runs once, before everything: builds what the threads share. */
  readonly setup?: (memory: SharedArrayBuffer) => S
  /** Runs for each thread in each execution: what it gives is handed to the thread. The memory itself by default. */
  readonly attach?: Loose<[memory: SharedArrayBuffer, thread: number, shared: S], T>
  /** The bodies of the threads, which run concurrently; at most 8, a reaper included. */
  readonly threads: readonly Loose<[attached: T], unknown>[]
  /** With `kill`: one more thread, that starts when the victim is dead and runs beside the survivors. */
  readonly reaper?: Loose<[memory: SharedArrayBuffer, dead: number, attached: readonly T[]], unknown>
  /** Runs at the end of each execution, not interleaved with anything: what it throws is a failure. */
  readonly after?: Loose<[memory: SharedArrayBuffer, run: Run, attached: readonly T[]], void>
  /** Runs after each step; only looks. */
  readonly invariant?: (memory: SharedArrayBuffer) => void
  /** What the operations of the history must be explained by; see `orderedMap` and the other models. */
  readonly linearizable?: SequentialModel<unknown>
  /** `auto` by default. */
  readonly mode?: Mode
  /** `everywhere`: also all executions in which one thread stops for good, after each of its steps in turn. */
  readonly kill?: 'none' | 'everywhere'
  readonly maxExecutions?: number
  /** Milliseconds; 10,000 by default, if `maxExecutions` is not given. */
  readonly maxMs?: number
  /** Steps of one execution; more of them are the failure `unbounded`. 20,000 by default. */
  readonly maxSteps?: number
  /** Of the random modes. */
  readonly seed?: number
  /** A schedule that a failure printed: only that is run. */
  readonly replay?: string
  /** A file that keeps where the search stands: it goes on there when it is run again. */
  readonly checkpoint?: string
  /** Whether a data race is a failure; `error` by default. */
  readonly races?: 'error' | 'ignore'
  /** Whether blocks announced as allocated, and not as freed, are a failure at the end. */
  readonly leaks?: boolean
  /** Whether accesses to blocks announced as freed are a failure; true by default. */
  readonly uaf?: boolean
  /** Whether a failure is minimised before it is reported; true by default. */
  readonly minimize?: boolean
  /** Hears how far the search is, about five times per second. */
  readonly onProgress?: (progress: Progress) => void
}

export interface Progress {
  readonly executions: number
  readonly steps: number
  readonly executionsPerSecond: number
  /** Steps of the last execution. */
  readonly depth: number
  /** Estimate of the part explored, from 0 to 1; NaN for random modes. */
  readonly done: number
  readonly phase: string
}

export interface ExploreError {
  readonly kind: FailureKind
  readonly message: string
  /** The execution that failed, for `replay`. */
  readonly schedule: string
  /** The same failure with as few switches and steps as were found, for `replay`. */
  readonly minimized: string
  /** The minimised execution, one column for each thread. */
  readonly columns: string
  /** What was thrown. */
  readonly cause: unknown
}

export interface ExploreResult {
  /** Whether everything was explored that the mode covers: with `dpor` and `dfs`, all executions. */
  readonly complete: boolean
  readonly executions: number
  readonly steps: number
  /** Executions that were given up because all that followed was explored elsewhere. */
  readonly blocked: number
  readonly ms: number
  /** The last phase of the search. */
  readonly phase: string
  readonly error?: ExploreError
}

function refuse(message: string): never {
  throw new HeddleError('HEDDLE_INVALID_OPTION', `explore: ${message}`)
}

function isCount(value: unknown, least: number): boolean {
  return value === undefined || (typeof value === 'number' && value >= least && !Number.isNaN(value))
}

/** @throws HeddleError HEDDLE_INVALID_OPTION if the options make no sense */
export function checkOptions(options: ExploreOptions): void {
  const { memory, threads, reaper, mode } = options
  if (!Number.isInteger(memory?.bytes) || memory.bytes < 4 || memory.bytes % 4 !== 0) {
    refuse('memory.bytes must be a multiple of 4')
  }
  if (!Array.isArray(threads) || threads.length === 0) refuse('threads must list at least one function')
  const most = MAX_THREADS - (reaper === undefined ? 0 : 1)
  if (threads.length > most) refuse(`at most ${most} threads here`)
  if (!threads.every((thread) => typeof thread === 'function')) refuse('threads must be functions')
  if (!isCount(options.maxExecutions, 1)) refuse('maxExecutions must be at least 1')
  if (!isCount(options.maxMs, 0)) refuse('maxMs must be a number of milliseconds')
  if (!isCount(options.maxSteps, 1)) refuse('maxSteps must be at least 1')
  if (typeof mode === 'object' && !('bound' in mode ? mode.bound >= 0 : mode.pct >= 1)) {
    refuse('mode must be { bound: 0 or more } or { pct: 1 or more }')
  }
  if (typeof mode === 'string' && !['auto', 'dpor', 'dfs', 'random'].includes(mode)) refuse(`no mode "${mode}"`)
  if (options.kill !== undefined && !['none', 'everywhere'].includes(options.kill)) refuse(`no kill "${options.kill}"`)
}
