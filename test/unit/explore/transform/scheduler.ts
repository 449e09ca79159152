/** A scheduler that goes on to the next thread at every step. */
import * as language from '../../../../src/explore/language.ts'
import { $sites } from '../../../../src/explore/sites.ts'
import { setInThread } from '../../../../src/explore/state.ts'

type Step = () => unknown

interface Result {
  value: unknown
  error: { thrown: unknown } | undefined
}

/** The operation on a shared word that a code of the transform stands for. */
function perform(op: number, args: readonly unknown[]): unknown {
  const name = ['load', 'store', 'compareExchange', 'add', 'sub', 'and', 'or', 'xor', 'exchange', 'wait', 'notify'][
    op - 1
  ]!
  return (Atomics as unknown as Record<string, (...given: unknown[]) => unknown>)[name]!(...args)
}

class Scheduler {
  /** How often a thread was paused. */
  pauses = 0
  private current = 0
  private readonly pending: Step[] = []

  announce(step: Step): boolean {
    language.checkConsumed()
    this.pending[this.current] = step
    return this.inThreads
  }

  perform(): unknown {
    return this.pending[this.current]!()
  }

  /** Runs the threads to their ends, in turn. */
  run(bodies: readonly Step[]): Result[] {
    const results: Result[] = bodies.map(() => ({ value: undefined, error: undefined }))
    const waiting = bodies.map((body, index) => ({
      index,
      body,
      stack: undefined as language.Coroutine[] | undefined,
    }))
    setInThread(true)
    this.inThreads = true
    try {
      while (waiting.length > 0) {
        const thread = waiting.shift()!
        this.current = thread.index
        const result = results[thread.index]!
        try {
          if (this.resume(thread, result)) waiting.push(thread)
        } catch (thrown) {
          result.error = { thrown }
          language.forget()
        }
      }
    } finally {
      this.inThreads = false
      setInThread(false)
      language.forget()
    }
    return results
  }

  private inThreads = false

  private resume(thread: { body: Step; stack: language.Coroutine[] | undefined }, result: Result): boolean {
    if (thread.stack === undefined) {
      const given = thread.body()
      if (!language.$is(given)) {
        result.value = given
        language.checkConsumed()
        return false
      }
      thread.stack = [given as language.Coroutine]
    }
    const isOver = language.resume(thread.stack)
    if (isOver) result.value = language.$got()
    else this.pauses++
    language.checkConsumed()
    return !isOver
  }
}

export const scheduler = new Scheduler()

type Indexed = Record<PropertyKey, unknown>

/** Places that were used, by the helper that was told of them. */
export const seen: { helper: string; site: number; args: unknown[] }[] = []

function see(helper: string, site: number, ...args: unknown[]): void {
  seen.push({ helper, site, args })
  if (seen.length > 100_000) seen.length = 0
}

class Reference {
  private readonly view: Indexed
  private readonly key: PropertyKey

  constructor(view: Indexed, key: PropertyKey) {
    this.view = view
    this.key = key
  }

  set v(value: unknown) {
    this.view[this.key] = value
  }
}

/** What rewritten programs import. */
export const runtime = {
  ...language,
  $sites,
  $pre: (_site: number, op: number, ...args: unknown[]): boolean => scheduler.announce(() => perform(op, args)),
  $exec: (): unknown => scheduler.perform(),
  *$wait(_site: number, ...args: unknown[]): language.Coroutine {
    if (scheduler.announce(() => perform(10, args))) yield
    return scheduler.perform()
  },
  $direct: (site: number, op: number, ...args: unknown[]): unknown => {
    see('direct', site)
    return perform(op, args)
  },
  $rd: (site: number, view: Indexed, key: PropertyKey): unknown => {
    see('rd', site, key)
    return view[key]
  },
  $wr: (site: number, view: Indexed, key: PropertyKey, value: unknown): unknown => {
    see('wr', site, key, value)
    return (view[key] = value)
  },
  $upd: (site: number, view: Indexed, key: PropertyKey, delta: 1 | -1, prefix: boolean): unknown => {
    see('upd', site, key)
    const before = language.$inc(view[key], 0)
    const after = language.$inc(before, delta)
    view[key] = after
    return prefix ? after : before
  },
  $ref: (site: number, view: Indexed, key: PropertyKey): Reference => {
    see('ref', site, key)
    return new Reference(view, key)
  },
  $at: (site: number, receiver: unknown): unknown => {
    see('at', site)
    return receiver
  },
  $lp: (site: number, token: number, ...locals: unknown[]): number => {
    see('lp', site, ...locals)
    return token + 1
  },
  $m: (value: unknown): unknown => {
    see('m', -1)
    return value
  },
}
