/**
 * How coroutines call each other. A function that has become a coroutine still looks like one: called by a virtual thread
 * it returns its coroutine, and whoever called it runs that. The coroutine is kept in `last` meanwhile, so that a caller
 * can tell it from any other value at the price of a comparison, and so that one that nobody runs is noticed.
 */
import { fail } from '../failure.ts'
import { placeOf } from '../sites.ts'
import { inThread } from '../state.ts'

/** An instrumented function that runs: it yields when another thread is to go on. */
export type Coroutine = Generator<undefined, unknown, undefined>

/** What a call has returned or left behind, and nobody has begun to run yet. */
let last: Coroutine | null = null
/** The object whose constructors left `last`. */
let made: unknown

const DROPPED =
  'an instrumented function was called by code that is not instrumented, which dropped its coroutine ' +
  '(a callback of a library, a conversion to a string or number, a getter read by a built-in function)'

/** What stands for a coroutine in `last` after a refusal that cannot be thrown, with the reason. */
const REFUSED = inOrder(undefined as never, undefined as never)
let refusal = ''

/** Forgets what an execution that was given up has left behind. */
export function forget(): void {
  last = null
  made = undefined
}

/** Runs a coroutine to its end, outside virtual threads. @returns its value */
export function runSync(coroutine: Coroutine): unknown {
  for (;;) {
    const step = coroutine.next()
    if (step.done === true) return step.value
  }
}

/** Ends the wrapper of every function that is a coroutine. @returns its value outside virtual threads */
export function $c(coroutine: Coroutine): unknown {
  if (!inThread) return runSync(coroutine)
  if (last !== null) dropped()
  last = coroutine
  return coroutine
}

/** Whether what a call gave is a coroutine, which the caller then has to run. */
export function $is(given: unknown): boolean {
  if (last !== null && given === last) {
    last = null
    return true
  }
  return false
}

/** Throws if a coroutine was made that nobody runs. */
export function checkConsumed(): void {
  if (last !== null) dropped()
}

function dropped(): never {
  const reason = last === REFUSED ? refusal : DROPPED
  forget()
  return fail('unsupported', reason)
}

/**
 * What a setter has stored or constructors have left, to be run by the caller.
 * @param object what was constructed
 */
export function $left(object?: unknown): Coroutine | null {
  const left = last
  if (left === null) return null
  forget()
  if (left === object) fail('unsupported', 'a function that may reach shared memory was used as a constructor')
  return left
}

function* inOrder(first: Coroutine, second: Coroutine): Coroutine {
  yield* first
  return yield* second
}

/** Leaves the rest of a constructor to be run when the object is made. That of the base class comes first. */
export function $later(object: unknown, coroutine: Coroutine): void {
  if (!inThread) {
    runSync(coroutine)
    return
  }
  if (last !== null && made !== object) dropped()
  last = last === null ? coroutine : inOrder(last, coroutine)
  made = object
}

/** A call that may give a coroutine, at a place that cannot run one. */
export function $plain<T>(site: number, given: T): T {
  if (last !== null) {
    forget()
    fail(
      'unsupported',
      `${placeOf(site)}: reaches shared memory where it cannot be paused (an async function, a static initialiser, ` +
        'before a call of super)',
    )
  }
  return given
}

/** At the head of async functions that may reach shared memory. What they throw only rejects a promise. */
export function $async(site: number): void {
  if (!inThread) return
  refusal = `${placeOf(site)}: an async function that reaches shared memory cannot be explored`
  last = REFUSED
  fail('unsupported', refusal)
}

/** `value + delta` as ++ and -- compute it. */
export function $inc(value: unknown, delta: 1 | 0 | -1): number | bigint {
  const before = typeof value === 'bigint' ? value : Number(value)
  return typeof before === 'bigint' ? before + BigInt(delta) : before + delta
}
