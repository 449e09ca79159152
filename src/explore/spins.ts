/**
 * Finds threads that spin. At the head of an iteration, a thread whose last iteration had no effect, and whose local
 * variables are what they were one iteration ago, is in the state it was in then: it will go round in the same way until
 * a word changes that it has read. So it waits for that, as an explicit condition of its next step. Nothing is
 * approximated by that, except for effects inside code that is not instrumented. A wait that has timed out is such a
 * turn too: to be notified in the next one is to be notified in this one.
 */
import { effectTick, markEffect, ticks } from './effects.ts'
import { MAX_THREADS, isHistoryStep, isWaking } from './events.ts'
import { fail } from './failure.ts'
import { machine } from './machine.ts'
import { pendingAwait } from './pending.ts'
import { placeOf } from './sites.ts'
import { inThread } from './state.ts'
import { trace } from './trace.ts'

/** Iterations in a row that change nothing and take no step, before a loop is called endless. */
const IDLE_LIMIT = 100_000

/** The heads passed by one thread in this execution. */
class Heads {
  length = 0
  /** Steps of the thread before the head. */
  readonly position: number[] = []
  readonly tick: number[] = []
  readonly locals: unknown[][] = [[], [], [], []]
  readonly others: (readonly unknown[])[] = []
  idle = 0

  push(position: number, tick: number): number {
    const at = this.length++
    this.position[at] = position
    this.tick[at] = tick
    return at
  }
}

const heads: Heads[] = Array.from({ length: MAX_THREADS }, () => new Heads())
const NO_OTHERS: readonly unknown[] = []

export function forgetHeads(): void {
  for (const own of heads) own.length = own.idle = 0
}

/** Marks an effect on something that is neither shared memory nor a local variable. @returns its argument */
export function $m<T>(value?: T): T | undefined {
  if (inThread) markEffect(machine.current)
  return value
}

/**
 * At the head of a loop's iteration.
 * @param token what this gave at the head before, 0 at first
 * @param locals the variables that the loop carries from one iteration to the next
 */
export function $lp(
  site: number,
  token: number,
  a?: unknown,
  b?: unknown,
  c?: unknown,
  d?: unknown,
  ...rest: unknown[]
): number {
  if (!inThread) return 0
  const t = machine.current
  const own = heads[t]!
  const position = trace.count[t]!
  const at = token - 1
  if (token !== 0 && own.position[at] === position) {
    if (effectTick[t]! >= own.tick[at]! || !same(own, at, a, b, c, d, rest)) own.idle = 0
    else if (++own.idle > IDLE_LIMIT) endless(site)
    own.tick[at] = ++ticks[t]!
    keep(own, at, a, b, c, d, rest)
    return token
  }
  if (token !== 0 && effectTick[t]! < own.tick[at]! && same(own, at, a, b, c, d, rest)) {
    const words = wordsRead(t, own.position[at]!, position)
    if (words !== undefined) pendingAwait[t] = words
  }
  const next = own.push(position, ++ticks[t]!)
  own.idle = 0
  keep(own, next, a, b, c, d, rest)
  return next + 1
}

function endless(site: number): never {
  return fail(
    'unbounded',
    `${placeOf(site)}: the loop goes on without a step that another thread could see; a loop that waits must read with Atomics`,
  )
}

function keep(own: Heads, at: number, a: unknown, b: unknown, c: unknown, d: unknown, rest: readonly unknown[]): void {
  const { locals } = own
  locals[0]![at] = a
  locals[1]![at] = b
  locals[2]![at] = c
  locals[3]![at] = d
  own.others[at] = rest.length === 0 ? NO_OTHERS : rest
}

function same(
  own: Heads,
  at: number,
  a: unknown,
  b: unknown,
  c: unknown,
  d: unknown,
  rest: readonly unknown[],
): boolean {
  const { locals } = own
  if (locals[0]![at] !== a || locals[1]![at] !== b || locals[2]![at] !== c || locals[3]![at] !== d) return false
  const before = own.others[at]!
  return before.length === rest.length && rest.every((value, i) => value === before[i])
}

/** Pairs of each word that the thread read after step `from`, up to step `to`, and the row where it did. */
function wordsRead(t: number, from: number, to: number): number[] | undefined {
  const words: number[] = []
  for (let position = from + 1; position <= to; position++) {
    const row = trace.rowOf(t, position)
    if (trace.write[row] !== 0 || isHistoryStep(trace.op[row]!)) return undefined
    if (isWaking(trace.op[row]!)) continue
    for (let i = 0; i < trace.span[row]!; i++) words.push(trace.word[row]! + i, row)
  }
  return words.length === 0 ? undefined : words
}
