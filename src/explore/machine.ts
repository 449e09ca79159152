/**
 * The machine that runs virtual threads: one execution at a time, all of it in one JavaScript thread.
 *
 * A thread announces its next step (`$pre`), the scheduler decides who goes on, and the step is performed (`$exec`) when
 * its thread is chosen. A thread leaves its coroutine only when another one is chosen: as long as it goes on itself, a
 * step costs no switch of coroutines. An execution that is given up just leaves its coroutines as they are, so that no
 * `finally` of the code under test runs then.
 *
 * There is one machine for each JavaScript thread, and it is not reentrant.
 */
import {
  ALLOCATE,
  BEGIN,
  CALL,
  COMPARE_EXCHANGE,
  FREE,
  LOAD,
  MAX_THREADS,
  NOTIFY,
  WAIT,
  WAIT_ASYNC,
  WAKE,
  isHistoryStep,
} from './events.ts'
import { Failure, type FailureKind, watch } from './failure.ts'
import { checkConsumed, forget } from './language.ts'
import type { HistoryOperation } from './linearizability.ts'
import { expectedOf, perform, rawLoad } from './raw-atomics.ts'
import { memory } from './shared-memory.ts'
import {
  OUTSIDE,
  type View,
  pendingA,
  pendingAwait,
  pendingB,
  pendingIndex,
  pendingOp,
  pendingSite,
  pendingSpan,
  pendingView,
  pendingWord,
} from './pending.ts'
import { shadow } from './shadow.ts'
import { markEffect } from './effects.ts'
import { placeOf } from './sites.ts'
import { inThread, setInThread } from './state.ts'
import type { Strategy } from './strategy.ts'
import { trace } from './trace.ts'

/** The step touches memory that is not shared. */
const PRIVATE = -2
/** The step touches no memory. */
const NOWHERE = -1
/** Turns that spinning threads get when nobody else can go on, before that is called a livelock. */
const LAST_CHANCES = 3

/** What a parked thread is told by `$exec`, before it is woken. */
export const PARKED = 'parked'

/** Hears of each step and of each plain access, when an execution is repeated to be shown. */
export interface Recorder {
  step(row: number, view: View | undefined, index: number, a: unknown, b: unknown, result: unknown): void
  plain(byte: number, width: number, write: boolean, site: number): void
  called(operation: HistoryOperation): void
  returned(operation: HistoryOperation): void
}

export class Machine {
  /** The thread that runs, or OUTSIDE. */
  current = OUTSIDE
  alive = 0
  blocked = 0
  /** Threads that wait in `Atomics.wait`, and those of them that were notified. */
  parked = 0
  notified = 0
  /** The thread to go on with after a yield; -1 ends the execution. */
  next = -1
  starting = false
  switches = 0
  /** What ended the execution, if it did not just come to its end. */
  failure: unknown = undefined
  failed = false
  /** Given up because whatever follows is explored elsewhere. */
  pruned = false
  /** The thread that dies, after this many steps; -1 for none. */
  victim = -1
  victimSteps = 0
  dead = -1
  /** A thread that starts when the victim is dead, or -1. */
  reaper = -1
  maxSteps = 0
  invariant: (() => void) | undefined
  recorder: Recorder | undefined
  strategy!: Strategy
  private chances = 0
  /** Words on which somebody was notified while nobody waited. */
  private readonly missed = new Set<number>()

  begin(threads: number, reaper: number): void {
    this.alive = (1 << threads) - 1
    this.reaper = reaper
    this.blocked = reaper >= 0 ? 1 << reaper : 0
    this.parked = this.notified = 0
    this.next = this.dead = -1
    this.failed = this.pruned = false
    this.failure = undefined
    this.chances = 0
    this.missed.clear()
    pendingAwait.fill(undefined)
    trace.clear()
    forget()
  }

  /** Ends the execution with a failure, at once. */
  raise(kind: FailureKind, message: string): never {
    const failure = new Failure(kind, message)
    this.end(failure)
    throw failure
  }

  end(failure: unknown): void {
    if (this.failed) return
    this.failed = true
    this.failure = failure
  }

  /** A thread has announced its step. @returns whether it must yield */
  announce(t: number): boolean {
    checkConsumed()
    if (this.failed) {
      this.next = -1
      return true
    }
    if (this.starting) return true
    if (t === this.victim && trace.count[t] === this.victimSteps) {
      this.kill(t)
      this.next = this.schedule(-1)
      return true
    }
    const awaited = pendingAwait[t]
    if (awaited !== undefined && !changedSince(t, awaited)) this.blocked |= 1 << t
    if (pendingOp[t] === WAKE && pendingB[t] === Infinity && (this.notified & (1 << t)) === 0) this.blocked |= 1 << t
    this.next = this.schedule(t)
    return this.next !== t
  }

  /** Stops a thread for good, where it is. */
  kill(t: number): void {
    this.alive &= ~(1 << t)
    this.parked &= ~(1 << t)
    this.dead = t
    this.releaseReaper(t)
  }

  private releaseReaper(t: number): void {
    if (this.reaper < 0) return
    this.blocked &= ~(1 << this.reaper)
    shadow.order(t, this.reaper)
    this.strategy.order(t, this.reaper)
  }

  /** @returns the thread that goes on, or -1 if the execution is over */
  schedule(t: number): number {
    let enabled = this.alive & ~this.blocked
    if (enabled === 0) {
      if (this.dead < 0 && this.reaper >= 0) this.alive &= ~(1 << this.reaper)
      if (this.alive === 0) return -1
      enabled = this.lastChance()
      if (enabled === 0) return -1
    }
    if (trace.depth >= this.maxSteps) {
      this.end(new Failure('unbounded', `no end after ${this.maxSteps} steps (maxSteps): ${this.whereTheyAre()}`))
      return -1
    }
    const chosen = this.strategy.choose(t, enabled)
    if (chosen < 0) this.pruned = true
    else if (chosen !== t) this.switches++
    return chosen
  }

  /** Nobody can go on. A loop that gives up after some turns is no livelock, so spinners get a few more. */
  private lastChance(): number {
    let spinners = 0
    for (let t = 0; t < MAX_THREADS; t++) {
      if ((this.blocked & this.alive & (1 << t)) !== 0 && pendingAwait[t] !== undefined) spinners |= 1 << t
    }
    if (spinners !== 0 && this.chances < LAST_CHANCES) {
      this.chances++
      this.blocked &= ~spinners
      for (let t = 0; t < MAX_THREADS; t++) if ((spinners & (1 << t)) !== 0) pendingAwait[t] = undefined
      return spinners
    }
    this.end(new Failure(this.standstill(spinners), `nobody can go on: ${this.whereTheyAre()}`))
    return 0
  }

  /** A thread that sleeps although its word has changed, or somebody was notified before, has lost its wake-up. */
  private standstill(spinners: number): FailureKind {
    if (spinners === (this.alive & this.blocked)) return 'livelock'
    for (let t = 0; t < MAX_THREADS; t++) {
      if ((this.parked & (1 << t)) === 0) continue
      const changed = rawLoad(pendingView[t]!, pendingIndex[t]!) !== expectedOf(pendingView[t]!, pendingA[t])
      if (changed || this.missed.has(pendingWord[t]!)) return 'lost-wake-up'
    }
    return 'deadlock'
  }

  private whereTheyAre(): string {
    const lines: string[] = []
    for (let t = 0; t < MAX_THREADS; t++) {
      if ((this.alive & (1 << t)) === 0 || (t === this.reaper && this.dead < 0)) continue
      const how = (this.parked & (1 << t)) !== 0 ? 'waits' : (this.blocked & (1 << t)) !== 0 ? 'spins' : 'is'
      lines.push(`thread ${t} ${how} at ${placeOf(pendingSite[t]!) || 'an operation of the history'}`)
    }
    return lines.join(', ')
  }

  /** Writes the step that was just performed into the trace, and tells everybody. */
  take(t: number, op: number, write: number, result: number): void {
    const row = trace.depth
    trace.reserve()
    const word = pendingWord[t]!
    const span = pendingSpan[t]!
    if (row < this.strategy.known) this.compare(row, t, op, word, result)
    trace.thread[row] = t
    trace.op[row] = op
    trace.word[row] = word
    trace.span[row] = span
    trace.write[row] = write
    trace.site[row] = pendingSite[t]!
    trace.result[row] = result
    trace.awaited[row] = pendingAwait[t]
    const position = trace.count[t]! + 1
    trace.count[t] = position
    trace.position[row] = position
    trace.rows[t]![position] = row
    this.strategy.executed(row)
    pendingAwait[t] = undefined
    trace.depth = row + 1
    if (write !== 0 && word >= 0) {
      memory.current!.touch(word, span)
      if (this.blocked !== 0) this.unblock(word, span)
    }
  }

  /** An execution that repeats a prefix must repeat it exactly. */
  private compare(row: number, t: number, op: number, word: number, result: number): void {
    if (trace.thread[row] === t && trace.op[row] === op && trace.word[row] === word && trace.result[row] === result)
      return
    this.raise(
      'nondeterminism',
      `step ${row} of thread ${t} differs when it is repeated (at ${placeOf(pendingSite[t]!)}): the code depends on something that is not in the shared memory, and is kept from one execution to the next`,
    )
  }

  /** Spinning threads go on when a word changes that they have read. */
  private unblock(word: number, span: number): void {
    for (let t = 0; t < MAX_THREADS; t++) {
      if ((this.blocked & (1 << t)) === 0) continue
      const awaited = pendingAwait[t]
      if (awaited !== undefined && touches(awaited, word, span)) this.blocked &= ~(1 << t)
    }
  }

  /** Parks the running thread. */
  park(t: number): void {
    this.parked |= 1 << t
    this.notified &= ~(1 << t)
  }

  /** Wakes up to `count` threads that wait for a word, in the order in which they came. @returns how many */
  notify(word: number, count: number): number {
    let woken = 0
    for (const t of this.waiters) {
      if (woken >= count) break
      if ((this.parked & ~this.notified & (1 << t)) === 0 || pendingWord[t] !== word) continue
      this.notified |= 1 << t
      this.blocked &= ~(1 << t)
      woken++
    }
    if (woken === 0) this.missed.add(word)
    return woken
  }

  /** Threads in the order in which they were parked. */
  waiters: number[] = []
}

export const machine = new Machine()

watch.onFailure = (failure) => {
  if (inThread) machine.end(failure)
}

export function touches(awaited: readonly number[], word: number, span: number): boolean {
  for (let i = 0; i < awaited.length; i += 2) {
    const at = awaited[i]!
    if (at >= word && at < word + span) return true
  }
  return false
}

/** Whether an awaited word was written by somebody else after it was read (`awaited` holds pairs of word and row). */
function changedSince(t: number, awaited: readonly number[]): boolean {
  for (let i = 0; i < awaited.length; i += 2) {
    const word = awaited[i]!
    for (let row = awaited[i + 1]! + 1; row < trace.depth; row++) {
      if (trace.write[row] === 0 || trace.thread[row] === t) continue
      const first = trace.word[row]!
      if (word >= first && word < first + trace.span[row]!) return true
    }
  }
  return false
}

function locate(t: number, op: number, view: View | undefined, index: number): void {
  if (isHistoryStep(op) || op === BEGIN) {
    pendingWord[t] = NOWHERE
    pendingSpan[t] = 0
    return
  }
  if (view === undefined || view.buffer !== memory.buffer) {
    pendingWord[t] = PRIVATE
    return
  }
  const width = view.BYTES_PER_ELEMENT
  if (!(index >= 0 && index < view.length)) {
    pendingWord[t] = PRIVATE
    return
  }
  const byte = view.byteOffset + index * width
  pendingWord[t] = byte >> 2
  pendingSpan[t] =
    op === ALLOCATE || op === FREE ? ((byte + Number(pendingA[t]) * width + 3) >> 2) - (byte >> 2) : (width + 3) >> 2
}

/** Announces a step. @returns whether the coroutine must yield before it performs it */
export function $pre(site: number, op: number, view?: View, index = 0, a?: unknown, b?: unknown): boolean {
  const t = machine.current
  pendingOp[t] = op
  pendingSite[t] = site
  pendingView[t] = view
  pendingIndex[t] = index
  pendingA[t] = a
  pendingB[t] = b
  locate(t, op, view, index)
  if (t === OUTSIDE) return false
  if (pendingWord[t] === PRIVATE) {
    refuseForeign(site, view)
    return false
  }
  return machine.announce(t)
}

function refuseForeign(site: number, view: View | undefined): void {
  if (view?.buffer instanceof SharedArrayBuffer && view.buffer !== memory.buffer) {
    machine.raise('unsupported', `${placeOf(site)}: this shared memory is not the one that explore() gave to setup`)
  }
}

/** Performs the step announced last. */
export function $exec(): unknown {
  const t = machine.current
  const op = pendingOp[t]!
  const view = pendingView[t]
  const index = pendingIndex[t]!
  const a = pendingA[t]
  const b = pendingB[t]
  const word = pendingWord[t]!
  if (t === OUTSIDE || word === PRIVATE) return performOutside(op, view!, index, a, b, word)
  let result: unknown
  let write = 1
  if (op === LOAD) {
    result = rawLoad(view!, index)
    write = 0
  } else if (op < WAIT) {
    result = perform(op, view!, index, a, b)
    if (op === COMPARE_EXCHANGE && result !== expectedOf(view!, a)) write = 0
  } else {
    result = performRare(t, op, view!, index, a, b)
    write = op === ALLOCATE || op === FREE ? 1 : 0
  }
  machine.take(t, op, write, codeOf(result))
  if (write !== 0 || op === NOTIFY || op >= CALL || result === 'ok') markEffect(t)
  shadow.atomic(t, op, view, index, word, pendingSpan[t]!, write, pendingSite[t]!)
  if (machine.recorder !== undefined) machine.recorder.step(trace.depth - 1, view, index, a, b, result)
  if (machine.invariant !== undefined) checkInvariant()
  return result
}

function codeOf(result: unknown): number {
  if (typeof result === 'number') return result | 0
  if (typeof result === 'bigint') return Number(BigInt.asIntN(32, result ^ (result >> 32n)))
  return typeof result === 'string' ? result.length : 0
}

function performOutside(op: number, view: View, index: number, a: unknown, b: unknown, word: number): unknown {
  if (op >= CALL) return a
  if (op === WAIT || op === WAIT_ASYNC) return waitOutside(op, view, index, a, b)
  const result = perform(op, view, index, a, b)
  if (word >= 0 && op !== LOAD) memory.current?.touch(word, pendingSpan[OUTSIDE]!)
  return result
}

/** Outside the threads nobody could notify, so nobody waits. */
function waitOutside(op: number, view: View, index: number, expected: unknown, timeout: unknown): unknown {
  const same = rawLoad(view, index) === expectedOf(view, expected)
  if (memory.buffer === undefined) return perform(op, view, index, expected, timeout)
  if (same && !(Number(timeout ?? Infinity) < Infinity)) {
    throw new Failure('deadlock', 'setup, attach, after or an invariant waits for ever: no thread runs meanwhile')
  }
  const value = same ? 'timed-out' : 'not-equal'
  return op === WAIT ? value : { async: false, value }
}

function performRare(t: number, op: number, view: View, index: number, a: unknown, b: unknown): unknown {
  switch (op) {
    case WAIT:
    case WAIT_ASYNC:
      if (rawLoad(view, index) !== expectedOf(view, a)) return 'not-equal'
      if (op === WAIT) {
        machine.park(t)
        machine.waiters.push(t)
      }
      return PARKED
    case WAKE: {
      const woken = (machine.notified & (1 << t)) !== 0
      machine.parked &= ~(1 << t)
      machine.notified &= ~(1 << t)
      machine.waiters.splice(machine.waiters.indexOf(t), 1)
      return woken ? 'ok' : 'timed-out'
    }
    case NOTIFY:
      return machine.notify(pendingWord[t]!, a === undefined ? Infinity : Number(a))
    default:
      return b
  }
}

function checkInvariant(): void {
  const t = machine.current
  machine.current = OUTSIDE
  setInThread(false)
  try {
    machine.invariant!()
  } catch (error) {
    machine.end(error)
    throw error
  } finally {
    machine.current = t
    setInThread(true)
  }
}

/** `Atomics.wait`: parks, and goes on when it is notified or, as a choice of the scheduler, when its time is over. */
export function* $wait(
  site: number,
  view: View,
  index: number,
  expected: unknown,
  timeoutMs?: unknown,
): Generator<undefined, unknown, undefined> {
  const limit = timeoutMs === undefined || Number.isNaN(Number(timeoutMs)) ? Infinity : Number(timeoutMs)
  if ($pre(site, WAIT, view, index, expected, limit)) yield
  const result = $exec()
  if (result !== PARKED) return result
  if ($pre(site, WAKE, view, index, expected, limit)) yield
  return $exec()
}

/** An `Atomics` call where no coroutine can be paused. */
export function $direct(site: number, op: number, view: View, index: number, a?: unknown, b?: unknown): unknown {
  if (inThread && view.buffer instanceof SharedArrayBuffer) {
    machine.raise(
      'unsupported',
      `${placeOf(site)}: a shared access in code that cannot be paused (an async function, a static initialiser, or a callback of code that is not instrumented)`,
    )
  }
  $pre(site, op, view, index, a, b)
  return $exec()
}
