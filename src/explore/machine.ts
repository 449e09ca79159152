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
import { MAX_THREADS, WAKE } from './events.ts'
import { Failure, type FailureKind, watch } from './failure.ts'
import { checkConsumed, forget } from './language.ts'
import type { HistoryOperation } from './linearizability.ts'
import {
  OUTSIDE,
  type View,
  pendingA,
  pendingAwait,
  pendingIndex,
  pendingOp,
  pendingSite,
  pendingSpan,
  pendingView,
  pendingWord,
} from './pending.ts'
import { expectedOf, rawLoad } from './raw-atomics.ts'
import { shadow } from './shadow.ts'
import { memory } from './shared-memory.ts'
import { placeOf } from './sites.ts'
import { inThread } from './state.ts'
import type { Strategy } from './strategy.ts'
import { trace } from './trace.ts'
import { Waiters } from './waiters.ts'

/** Turns that spinning threads get when nobody else can go on, before that is called a livelock. */
const LAST_CHANCES = 3

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
  readonly waiters = new Waiters()
  /** The thread to go on with after a yield; -1 ends the execution. */
  next = -1
  starting = false
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
  /** Rows of the trace that this execution repeats. */
  private known = 0

  begin(threads: number, reaper: number): void {
    this.alive = (1 << threads) - 1
    this.reaper = reaper
    this.blocked = reaper >= 0 ? 1 << reaper : 0
    this.waiters.clear()
    this.next = this.dead = -1
    this.failed = this.pruned = false
    this.failure = undefined
    this.chances = 0
    this.known = this.strategy.known
    pendingAwait.fill(undefined)
    trace.clear(threads)
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
    if (pendingOp[t] === WAKE && !this.waiters.canWake(t)) this.blocked |= 1 << t
    this.next = this.schedule(t)
    return this.next !== t
  }

  /** Stops a thread for good, where it is. */
  kill(t: number): void {
    this.alive &= ~(1 << t)
    this.waiters.remove(t)
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
      if ((this.alive & (1 << t)) === 0 || !this.waiters.holds(t)) continue
      const changed = rawLoad(pendingView[t]!, pendingIndex[t]!) !== expectedOf(pendingView[t]!, pendingA[t])
      if (changed || this.waiters.missed.has(pendingWord[t]!)) return 'lost-wake-up'
    }
    return 'deadlock'
  }

  private whereTheyAre(): string {
    const lines: string[] = []
    for (let t = 0; t < MAX_THREADS; t++) {
      if ((this.alive & (1 << t)) === 0 || (t === this.reaper && this.dead < 0)) continue
      const how = this.waiters.holds(t) ? 'waits' : (this.blocked & (1 << t)) !== 0 ? 'spins' : 'is'
      lines.push(`thread ${t} ${how} at ${placeOf(pendingSite[t]!) || 'an operation of the history'}`)
    }
    return lines.join(', ')
  }

  /** Writes the step that was just performed into the trace, and tells everybody. */
  take(t: number, op: number, write: number, result: number): void {
    const row = trace.depth
    if (row + 2 >= trace.capacity) trace.reserve()
    const word = pendingWord[t]!
    const span = pendingSpan[t]!
    if (row < this.known) this.compare(row, t, op, word, result)
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
      if (span === 1) memory.current!.touchWord(word)
      else memory.current!.touch(word, span)
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

  /** Wakes up to `count` waiters of a word. @returns how many */
  notify(word: number, count: number): number {
    const woken = this.waiters.notify(word, count)
    for (const t of woken) this.blocked &= ~(1 << t)
    return woken.length
  }
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
