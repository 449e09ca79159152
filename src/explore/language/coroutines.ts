/**
 * How coroutines call each other. A function that has become a coroutine still looks like one: called by a virtual thread
 * it returns its coroutine, and whoever called it runs that. The coroutine is kept in `last` meanwhile, so that a caller
 * can tell it from any other value at the price of a comparison, and so that one that nobody runs is noticed.
 *
 * A coroutine that pauses makes all of its callers pause. But it alone is gone on with, and its callers only when it has
 * come to its end: so a pause costs the same however deep the calls are.
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

/** The coroutines that pause right now, the innermost first; the outermost is not among them. */
const pausing: Coroutine[] = []
/** What the call that ended last gave to its caller. */
let result: unknown
let isError = false

/** Forgets what an execution that was given up has left behind. */
export function forget(): void {
  forgetLast()
  // To set the length of an array takes long.
  if (pausing.length !== 0) pausing.length = 0
  result = undefined
  isError = false
}

function forgetLast(): void {
  last = null
  made = undefined
}

/**
 * Takes what a call gave, and begins to run it if it is a coroutine.
 * @returns whether that pauses, and so must the caller; `$got` then gives the value of the call
 */
export function $run(given: unknown): boolean {
  if (last === null || given !== last) {
    result = given
    return false
  }
  const coroutine = last
  last = null
  const step = coroutine.next()
  if (step.done === true) {
    result = step.value
    return false
  }
  pausing.push(coroutine)
  return true
}

/** The value of the call that the caller has run. */
export function $got(): unknown {
  if (isError) {
    isError = false
    throw result
  }
  return result
}

/**
 * Goes on with a coroutine that has paused, and with its callers when it ends, until one of them pauses.
 * @param stack the coroutine and its callers, the outermost first; as many are left as have not ended
 * @returns whether all have ended; `$got` gives what the outermost gave
 */
export function resume(stack: Coroutine[]): boolean {
  for (let top = stack.length - 1; top >= 0; top--) {
    try {
      const step = stack[top]!.next()
      if (step.done !== true) {
        while (pausing.length > 0) stack.push(pausing.pop()!)
        return false
      }
      result = step.value
    } catch (error) {
      result = error
      isError = true
    }
    stack.pop()
  }
  return true
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
  forgetLast()
  return fail('unsupported', reason)
}

/**
 * What a setter has stored or constructors have left, to be run by the caller.
 * @param object what was constructed
 */
export function $left(object?: unknown): Coroutine | null {
  const left = last
  if (left === null) return null
  forgetLast()
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
    forgetLast()
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
