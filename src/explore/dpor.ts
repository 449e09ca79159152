/**
 * Dynamic partial order reduction with source sets and sleep sets (Abdulla, Aronis, Jonsson, Sagonas: "Source sets: a
 * foundation for optimal dynamic partial order reduction", JACM 2017). Two steps depend on each other if they are of one
 * thread, or touch a common word and one of them writes; of the steps of the history, calls depend on returns, so that
 * every order of operations in real time is met. A failed compareExchange is a read. Parking, notifying and waking write
 * the list of a word's waiters, which counts as a word of its own.
 *
 * Executions that differ only in the order of independent steps are run once: every reachable final state and history is
 * met. A thread that waits for words to change reads all of them when it goes on.
 *
 * Cost for each step: O(threads), plus for each reversible race O(steps between its two steps).
 */
import { Cells } from './cells.ts'
import { Choices } from './choices.ts'
import {
  COMPARE_EXCHANGE,
  LOAD,
  MAX_THREADS,
  NOTIFY,
  WAIT,
  WAIT_ASYNC,
  WAKE,
  isHistoryStep,
  isWaking,
} from './events.ts'
import { touches } from './machine.ts'
import { pendingA, pendingAwait, pendingB, pendingOp, pendingSpan, pendingView, pendingWord } from './pending.ts'
import { PARKED } from './waiters.ts'
import { type Strategy, has, lowest } from './strategy.ts'
import { fillRow, grown, trace } from './trace.ts'

const NONE = -1
const CALLS = 0
const RETURNS = 1

export class Dpor implements Strategy {
  readonly choices = new Choices()
  /** Depth at which executions end, to deal out what lies below; Infinity for none. */
  cut = Infinity
  /** Hears of each prefix that `cut` has found. */
  onCut: (() => void) | undefined
  private readonly words: number
  private asleep = 0
  private fresh = 0
  private execution = 0
  private readonly cells: Cells
  private stamp = new Int32Array(0)
  /** By cell: row of the last write, and by thread that of the last read since. */
  private lastWrite = new Int32Array(0)
  private lastRead = new Int32Array(0)
  private readonly clocks = new Int32Array(MAX_THREADS * MAX_THREADS)
  /** Last rows of calls and of returns, by thread. */
  private readonly lastHistory = [new Int32Array(MAX_THREADS), new Int32Array(MAX_THREADS)]
  private candidates = new Int32Array(64)
  private candidateCount = 0
  private readonly without = new Int32Array(MAX_THREADS)
  private readonly first = new Int32Array(MAX_THREADS)

  /** @param words of the shared memory */
  constructor(words: number) {
    this.words = words
    this.cells = new Cells(words * 2, (capacity) => {
      this.stamp = grown(this.stamp, new Int32Array(capacity))
      this.lastWrite = grown(this.lastWrite, new Int32Array(capacity))
      this.lastRead = grown(this.lastRead, new Int32Array(capacity * MAX_THREADS))
    })
  }

  get known(): number {
    return this.choices.known
  }

  begin(): void {
    this.execution++
    this.asleep = 0
    const { length, floor } = this.choices
    // The last choice is a new one, except for a prefix that was explored elsewhere.
    this.fresh = length === floor ? length : length - 1
    for (let t = 0; t < MAX_THREADS; t++) fillRow(this.clocks, t, 0)
    fillRow(this.lastHistory[CALLS]!, 0, NONE)
    fillRow(this.lastHistory[RETURNS]!, 0, NONE)
  }

  choose(current: number, enabled: number): number {
    const { choices } = this
    const depth = trace.depth
    if (depth < choices.length) {
      const chosen = choices.repeat(depth, enabled)
      if (depth === choices.length - 1) {
        this.asleep = choices.length === choices.floor ? choices.asleepBelow : choices.asleep[depth]! & ~(1 << chosen)
      }
      return chosen
    }
    const open = enabled & ~this.asleep
    if (open === 0) return -1
    if (depth >= this.cut) {
      this.onCut?.()
      return -1
    }
    const chosen = has(open, current) ? current : lowest(open)
    // What lies below the cut is explored by others, who cannot add to our choices: so all of them are wanted here.
    choices.push(chosen, enabled, this.cut === Infinity ? 1 << chosen : open, this.asleep)
    this.asleep &= ~(1 << chosen)
    return chosen
  }

  /** Threads asleep where the search stands. */
  get sleepers(): number {
    return this.asleep
  }

  order(first: number, then: number): void {
    this.join(then, this.clocks, first * MAX_THREADS)
  }

  advance(): boolean {
    return this.choices.backtrack()
  }

  progress(): number {
    return this.choices.progress()
  }

  executed(row: number): void {
    const t = trace.thread[row]!
    if (this.asleep !== 0 && row >= this.fresh) this.wake(row)
    this.candidateCount = 0
    if (isHistoryStep(trace.op[row]!)) this.collectHistory(row, t)
    else this.collect(row, t)
    if (row >= this.fresh) this.findRaces(row, t)
    this.clocks[t * MAX_THREADS + t] = trace.position[row]!
    for (let i = 0; i < this.candidateCount; i++) this.join(t, trace.clock, this.candidates[i]! * MAX_THREADS)
    const at = row * MAX_THREADS
    for (let q = 0; q < trace.threads; q++) trace.clock[at + q] = this.clocks[t * MAX_THREADS + q]!
    this.remember(row, t)
  }

  /** Threads asleep whose next step depends on this one must be explored after it. */
  private wake(row: number): void {
    for (let rest = this.asleep; rest !== 0; rest &= rest - 1) {
      const q = lowest(rest)
      if (dependsOnNext(row, q)) this.asleep &= ~(1 << q)
    }
  }

  private collectHistory(row: number, t: number): void {
    const others = this.lastHistory[trace.op[row]! & 1 ? CALLS : RETURNS]!
    for (let q = 0; q < trace.threads; q++) if (q !== t && others[q] !== NONE) this.candidate(others[q]!)
  }

  /** The last steps of others on which this one depends. */
  private collect(row: number, t: number): void {
    const word = trace.word[row]!
    const end = word + trace.span[row]!
    const write = trace.write[row] !== 0
    if (changesWaiters(row)) this.collectAt(this.cellOf(this.words + word), t, true)
    if (!isWaking(trace.op[row]!)) for (let at = word; at < end; at++) this.collectAt(this.cellOf(at), t, write)
    const awaited = trace.awaited[row]
    if (awaited === undefined) return
    for (let i = 0; i < awaited.length; i += 2) this.collectAt(this.cellOf(awaited[i]!), t, false)
  }

  private collectAt(cell: number, t: number, write: boolean): void {
    const last = this.lastWrite[cell]!
    if (last !== NONE && trace.thread[last] !== t) this.candidate(last)
    if (!write) return
    for (let q = 0; q < trace.threads; q++) {
      const read = this.lastRead[cell * MAX_THREADS + q]!
      if (read !== NONE && q !== t) this.candidate(read)
    }
  }

  private candidate(row: number): void {
    const { candidates } = this
    for (let i = 0; i < this.candidateCount; i++) if (candidates[i] === row) return
    if (this.candidateCount === candidates.length)
      this.candidates = grown(candidates, new Int32Array(candidates.length * 2))
    this.candidates[this.candidateCount++] = row
  }

  private cellOf(word: number): number {
    const cell = this.cells.of(word)
    if (this.stamp[cell] !== this.execution) {
      this.stamp[cell] = this.execution
      this.lastWrite[cell] = NONE
      fillRow(this.lastRead, cell, NONE)
    }
    return cell
  }

  private remember(row: number, t: number): void {
    const op = trace.op[row]!
    if (isHistoryStep(op)) {
      this.lastHistory[op & 1 ? RETURNS : CALLS]![t] = row
      return
    }
    const word = trace.word[row]!
    const end = word + trace.span[row]!
    const write = trace.write[row] !== 0
    if (changesWaiters(row)) this.rememberAt(this.cellOf(this.words + word), row, t, true)
    if (!isWaking(op)) for (let at = word; at < end; at++) this.rememberAt(this.cellOf(at), row, t, write)
    const awaited = trace.awaited[row]
    if (awaited === undefined) return
    for (let i = 0; i < awaited.length; i += 2) this.lastRead[this.cellOf(awaited[i]!) * MAX_THREADS + t] = row
  }

  private rememberAt(cell: number, row: number, t: number, write: boolean): void {
    if (write) {
      this.lastWrite[cell] = row
      fillRow(this.lastRead, cell, NONE)
    } else this.lastRead[cell * MAX_THREADS + t] = row
  }

  private join(t: number, from: Int32Array, at: number): void {
    const own = t * MAX_THREADS
    for (let q = 0; q < trace.threads; q++)
      if (from[at + q]! > this.clocks[own + q]!) this.clocks[own + q] = from[at + q]!
  }

  /** For each step that races with this one, sees to it that their other order is explored. */
  private findRaces(row: number, t: number): void {
    const own = t * MAX_THREADS
    for (let x = 0; x < this.candidateCount; x++) {
      const earlier = this.candidates[x]!
      const q = trace.thread[earlier]!
      const position = trace.position[earlier]!
      if (position <= this.clocks[own + q]! || !this.isImmediate(x, q, position)) continue
      if (!isReversible(earlier, row, t)) continue
      // The clock of this step if it did not depend on the earlier one.
      for (let z = 0; z < trace.threads; z++) this.without[z] = this.clocks[own + z]!
      for (let y = 0; y < this.candidateCount; y++) {
        if (y === x) continue
        const at = this.candidates[y]! * MAX_THREADS
        for (let z = 0; z < trace.threads; z++) {
          if (trace.clock[at + z]! > this.without[z]!) this.without[z] = trace.clock[at + z]!
        }
      }
      this.want(earlier, this.initials(earlier, row, t), t)
    }
  }

  private isImmediate(x: number, q: number, position: number): boolean {
    for (let y = 0; y < this.candidateCount; y++) {
      if (y !== x && trace.clock[this.candidates[y]! * MAX_THREADS + q]! >= position) return false
    }
    return true
  }

  /**
   * Threads that can take the first step of what is left, after the earlier step, when all that depends on it is taken
   * out, and `t`'s step is put at the end.
   */
  private initials(earlier: number, row: number, t: number): number {
    const { first } = this
    const q = trace.thread[earlier]!
    const position = trace.position[earlier]!
    let initials = 0
    fillRow(first, 0, 0)
    for (let m = earlier + 1; m < row; m++) {
      const at = m * MAX_THREADS
      if (trace.clock[at + q]! >= position) continue
      const r = trace.thread[m]!
      if (first[r] !== 0) continue
      if (!dependsOnFirst(first, trace.clock, at, r)) initials |= 1 << r
      first[r] = trace.position[m]!
    }
    if (first[t] === 0 && !dependsOnFirst(first, this.without, 0, t)) initials |= 1 << t
    return initials
  }

  private want(depth: number, initials: number, t: number): void {
    const { choices } = this
    if (depth < choices.floor || (choices.wanted[depth]! & initials) !== 0) return
    const enabled = choices.enabled[depth]!
    const able = initials & enabled
    if (able === 0) choices.wanted[depth]! |= enabled
    else choices.wanted[depth]! |= has(able, t) ? 1 << t : able & -able
  }
}

function dependsOnFirst(first: Int32Array, clock: Int32Array, at: number, self: number): boolean {
  for (let z = 0; z < trace.threads; z++) if (z !== self && first[z] !== 0 && clock[at + z]! >= first[z]!) return true
  return false
}

/** A thread that was made able to go on by the earlier step alone cannot go first. */
function isReversible(earlier: number, row: number, t: number): boolean {
  if (trace.op[row] === WAKE && trace.op[earlier] === NOTIFY && pendingB[t] === Infinity) return false
  const awaited = trace.awaited[row]
  if (awaited === undefined || trace.write[earlier] === 0) return true
  if (!touches(awaited, trace.word[earlier]!, trace.span[earlier]!)) return true
  const q = trace.thread[earlier]!
  const position = trace.position[earlier]!
  for (let m = awaited[1]! + 1; m < row; m++) {
    if (m === earlier || trace.write[m] === 0 || trace.thread[m] === t) continue
    if (m > earlier && trace.clock[m * MAX_THREADS + q]! >= position) continue
    if (touches(awaited, trace.word[m]!, trace.span[m]!)) return true
  }
  return false
}

/** Whether the step parked a thread, notified some or woke one. */
function changesWaiters(row: number): boolean {
  const op = trace.op[row]!
  return isWaking(op) || ((op === WAIT || op === WAIT_ASYNC) && trace.result[row] === PARKED.length)
}

/** Whether a step of that kind leaves its word as it is. */
function onlyReads(op: number): boolean {
  return op === LOAD || op === WAIT || op === WAIT_ASYNC
}

/** Whether the step that thread `q` has announced depends on the one just taken. */
function dependsOnNext(row: number, q: number): boolean {
  const op = trace.op[row]!
  const next = pendingOp[q]!
  if (isHistoryStep(op)) return isHistoryStep(next) && next !== op
  const write = trace.write[row] !== 0
  const word = trace.word[row]!
  const span = trace.span[row]!
  const awaited = pendingAwait[q]
  if (write && awaited !== undefined && touches(awaited, word, span)) return true
  if (isHistoryStep(next)) return false
  if ((next === WAIT || next === WAIT_ASYNC || isWaking(next)) && changesWaiters(row) && pendingWord[q] === word)
    return true
  if (isWaking(op) || isWaking(next)) return false
  const nextWord = pendingWord[q]!
  const nextSpan = pendingSpan[q]!
  if (!write) {
    const ours = trace.awaited[row]
    if (ours !== undefined && !onlyReads(next) && touches(ours, nextWord, nextSpan)) return true
  }
  if (nextWord >= word + span || word >= nextWord + nextSpan) return false
  if (write) return true
  if (onlyReads(next)) return false
  // A compareExchange that fails before and after a read of its word does not depend on it.
  const fails =
    next === COMPARE_EXCHANGE &&
    nextWord === word &&
    pendingView[q] instanceof Int32Array &&
    ((pendingA[q] as number) | 0) !== trace.result[row] &&
    op === LOAD
  return !fails
}
