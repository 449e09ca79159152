/**
 * The steps of threads, as instrumented code calls them: a step is announced by `$pre`, and performed by `$exec` when its
 * thread is chosen. Outside virtual threads, in `setup` and the like, both just perform it.
 */
import { markEffect } from './effects.ts'
import {
  ALLOCATE,
  BEGIN,
  CALL,
  COMPARE_EXCHANGE,
  FREE,
  LOAD,
  NOTIFY,
  WAIT,
  WAIT_ASYNC,
  WAKE,
  isHistoryStep,
} from './events.ts'
import { Failure } from './failure.ts'
import { $is, type Coroutine } from './language.ts'
import { machine } from './machine.ts'
import {
  OUTSIDE,
  type View,
  pendingA,
  pendingB,
  pendingIndex,
  pendingOp,
  pendingSite,
  pendingSpan,
  pendingView,
  pendingWord,
} from './pending.ts'
import { expectedOf, perform, performWord, rawLoad } from './raw-atomics.ts'
import { shadow } from './shadow.ts'
import { memory } from './shared-memory.ts'
import { placeOf } from './sites.ts'
import { inThread, setInThread } from './state.ts'
import { trace } from './trace.ts'
import { AsyncResult, PARKED } from './waiters.ts'

/** The step touches memory that is not shared. */
const PRIVATE = -2
/** The step touches no memory. */
const NOWHERE = -1

/** The view of the shared memory by words that was used last: to ask a view for its buffer and sizes takes long. */
let words: View | undefined
let firstWord = 0
let wordCount = 0

function isShared(view: View): boolean {
  if (view === words) return true
  if (memory.buffer === undefined || view.buffer !== memory.buffer) return false
  if (view instanceof Int32Array) {
    words = view
    firstWord = view.byteOffset >> 2
    wordCount = view.length
  }
  return true
}

/** The views of one exploration are none of the next. */
export function forgetView(): void {
  words = undefined
}

function locate(t: number, op: number, view: View | undefined, index: number): void {
  if (op < CALL && view === words && index >= 0 && index < wordCount) {
    pendingWord[t] = firstWord + (index | 0)
    pendingSpan[t] = 1
  } else locateElement(t, op, view, index)
}

function locateElement(t: number, op: number, view: View | undefined, index: number): void {
  if (isHistoryStep(op) || op === BEGIN) {
    pendingWord[t] = NOWHERE
    pendingSpan[t] = 0
    return
  }
  if (view === undefined || !isShared(view)) {
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
  if (op < WAIT) {
    result = view instanceof Int32Array ? performWord(op, view, index, a, b) : perform(op, view!, index, a, b)
    if (op === LOAD || (op === COMPARE_EXCHANGE && result !== expectedOf(view!, a))) write = 0
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
  if (typeof result === 'string') return result.length
  return (result as { async?: boolean } | undefined)?.async === true ? PARKED.length : 0
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
      if (rawLoad(view, index) !== expectedOf(view, a)) return 'not-equal'
      machine.waiters.park(t, pendingWord[t]!, b !== Infinity)
      return PARKED
    case WAIT_ASYNC:
      return waitAsync(t, view, index, a, b)
    case WAKE:
      return machine.waiters.wake(t)
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

function limitOf(timeoutMs: unknown): number {
  return timeoutMs === undefined || Number.isNaN(Number(timeoutMs)) ? Infinity : Number(timeoutMs)
}

/** `Atomics.wait`: parks, and goes on when it is notified or, as a choice of the scheduler, when its time is over. */
export function* $wait(site: number, view: View, index: number, expected: unknown, timeoutMs?: unknown): Coroutine {
  const limit = limitOf(timeoutMs)
  if ($pre(site, WAIT, view, index, expected, limit)) yield
  const result = $exec()
  if (result !== PARKED) return result
  if ($pre(site, WAKE, view, index, expected, limit)) yield
  return $exec()
}

function waitAsync(t: number, view: View, index: number, expected: unknown, timeoutMs: unknown): unknown {
  if (rawLoad(view, index) !== expectedOf(view, expected)) return { async: false, value: 'not-equal' }
  const limit = limitOf(timeoutMs)
  if (limit <= 0) return { async: false, value: 'timed-out' }
  const value = new AsyncResult(view, index, expected, limit, pendingSite[t]!)
  machine.waiters.park(t, pendingWord[t]!, limit !== Infinity, value)
  return { async: true, value }
}

/** What a thread still has to do when its body is over: the callbacks of its asynchronous waits. */
export function* settle(t: number): Coroutine {
  for (let next = machine.waiters.asyncOf(t); next !== undefined; next = machine.waiters.asyncOf(t)) {
    const { view, index, expected, limitMs, site } = next
    if ($pre(site, WAKE, view, index, expected, limitMs)) yield
    let value = $exec()
    for (const callback of next.callbacks) {
      const given = callback(value)
      value = $is(given) ? yield* given as Coroutine : given
    }
  }
  return undefined
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
