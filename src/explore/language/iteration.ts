/** Generators that are coroutines, and what goes through the elements of something. */
import { $c, $is, type Coroutine } from './coroutines.ts'

type Step = IteratorResult<unknown, unknown>

/** An iterator each of whose methods may give a coroutine instead of a step. */
interface LooseIterator {
  next(value?: unknown): Step
  return?: ((value?: unknown) => Step) | null | undefined
  throw?: ((error: unknown) => Step) | null | undefined
}

/** A value that a generator hands out, as opposed to a pause. */
class Token {
  readonly value: unknown

  constructor(value: unknown) {
    this.value = value
  }
}

type Body = Generator<Token | undefined, unknown, unknown>

/** A coroutine run by the body of a generator, which may be sent values. */
type Pausing = Generator<undefined, unknown, unknown>

type Method = 'next' | 'return' | 'throw'

/** `yield` of the source. */
export function $token(value: unknown): Token {
  return new Token(value)
}

/** What a generator function returns if its generator is a coroutine. */
class CoroutineIterator implements LooseIterator, Iterable<unknown> {
  private readonly body: Body
  /** Whether somebody waits for its next value. Its body may be paused then, and must not be gone on with by others. */
  private isRunning = false

  constructor(body: Body) {
    this.body = body
  }

  next(value?: unknown): Step {
    return $c(this.proceed('next', value)) as Step
  }

  return(value?: unknown): Step {
    return $c(this.proceed('return', value)) as Step
  }

  throw(error: unknown): Step {
    return $c(this.proceed('throw', error)) as Step
  }

  [Symbol.iterator](): this {
    return this
  }

  /** Goes on through pauses to the next value. */
  private *proceed(method: Method, value: unknown): Coroutine {
    if (this.isRunning) throw new TypeError('Generator is already running')
    this.isRunning = true
    try {
      let step = this.body[method](value)
      while (step.done !== true) {
        if (step.value instanceof Token) return { done: false, value: step.value.value }
        yield
        step = this.body.next(undefined)
      }
      return step
    } finally {
      this.isRunning = false
    }
  }
}

/** Ends the wrapper of a generator function whose generator is a coroutine. */
export function $iter(body: Body): CoroutineIterator {
  return new CoroutineIterator(body)
}

/** Goes through an array without an object per element. */
class ArrayCursor {
  done = false
  value: unknown
  private readonly list: readonly unknown[]
  private index = 0

  constructor(list: readonly unknown[]) {
    this.list = list
  }

  /** An array has nothing to close. */
  get return(): undefined {
    return undefined
  }

  next(): this {
    this.done = this.index >= this.list.length
    this.value = this.done ? undefined : this.list[this.index++]
    return this
  }
}

function makeIterator(source: unknown): LooseIterator {
  return (source as Iterable<unknown>)[Symbol.iterator]() as LooseIterator
}

/** The iterator of a loop. May give a coroutine. */
export function $open(source: unknown): LooseIterator | ArrayCursor {
  return Array.isArray(source) ? new ArrayCursor(source) : makeIterator(source)
}

function* closing(step: Coroutine, isThrown: boolean): Coroutine {
  try {
    requireObject(yield* step, isThrown)
  } catch (error) {
    if (!isThrown) throw error
  }
  return undefined
}

function requireObject(step: unknown, isThrown: boolean): void {
  if (!isThrown && (typeof step !== 'object' || step === null)) {
    throw new TypeError(`Iterator result ${String(step)} is not an object`)
  }
}

/**
 * Closes the iterator of a loop that ends early. May give a coroutine.
 * @param isThrown the loop ends by an error, which then is the one that counts
 */
export function $close(iterator: LooseIterator, isThrown: boolean): unknown {
  try {
    const method = iterator.return
    if (method === undefined || method === null) return undefined
    const step: unknown = method.call(iterator)
    if ($is(step)) return $c(closing(step as Coroutine, isThrown))
    requireObject(step, isThrown)
  } catch (error) {
    if (!isThrown) throw error
  }
  return undefined
}

/** Whether the language itself can go through something without reaching shared memory. */
function isPlain(source: unknown): boolean {
  if (source === undefined || source === null || typeof source !== 'object') return true
  if (Array.isArray(source) || ArrayBuffer.isView(source) || source instanceof Map || source instanceof Set) return true
  return typeof (source as Partial<Iterable<unknown>>)[Symbol.iterator] !== 'function'
}

/**
 * The elements of something that the language is about to go through: at most `limit` of them. May give a coroutine.
 * What the language can go through by itself is returned as it is.
 */
export function $collect(source: unknown, limit: number): unknown {
  return isPlain(source) ? source : $c(collect(source, limit))
}

function* collect(source: unknown, limit: number): Coroutine {
  const opened: unknown = makeIterator(source)
  const iterator = ($is(opened) ? yield* opened as Coroutine : opened) as LooseIterator
  const found: unknown[] = []
  while (found.length < limit) {
    const given: unknown = iterator.next()
    const step = ($is(given) ? yield* given as Coroutine : given) as Step
    if (step.done === true) return found
    found.push(step.value)
  }
  const closed = $close(iterator, false)
  if ($is(closed)) yield* closed as Coroutine
  return found
}

/** `yield*` of the source: hands out the elements of something, and hands in what the user of the generator sends. */
export function* $delegate(source: unknown): Body {
  const opened: unknown = makeIterator(source)
  const iterator = ($is(opened) ? yield* opened as Pausing : opened) as LooseIterator
  let given: unknown = iterator.next()
  for (;;) {
    const step = ($is(given) ? yield* given as Pausing : given) as Step
    if (step.done === true) return step.value
    let sent: unknown
    let how: Method = 'return'
    try {
      sent = yield new Token(step.value)
      how = 'next'
    } catch (error) {
      sent = error
      how = 'throw'
    } finally {
      // Ended by the user of the generator: so is what it delegates to.
      if (how === 'return') {
        const closed = $close(iterator, false)
        if ($is(closed)) yield* closed as Pausing
      }
    }
    if (how === 'throw' && typeof iterator.throw !== 'function') {
      const closed = $close(iterator, false)
      if ($is(closed)) yield* closed as Pausing
      throw new TypeError('The iterator does not provide a throw method')
    }
    given = how === 'throw' ? iterator.throw!(sent) : iterator.next(sent)
  }
}
