/** Who waits for a word, with `Atomics.wait` or `Atomics.waitAsync`, in the order in which they came. */
import { fail } from './failure.ts'
import type { View } from './pending.ts'

/** What a thread is told that parks, before it is woken. */
export const PARKED = 'parked'

interface Waiter {
  readonly thread: number
  readonly word: number
  /** Whether it goes on by itself some day. */
  readonly finite: boolean
  /** What `waitAsync` has given; undefined for a thread that is parked itself. */
  readonly result: AsyncResult | undefined
  woken: boolean
}

type Callback = (value: unknown) => unknown

/** Stands for the promise of `waitAsync`: its callbacks run in the same virtual thread, when its body is over. */
export class AsyncResult {
  readonly view: View
  readonly index: number
  readonly expected: unknown
  readonly limitMs: number
  readonly site: number
  readonly callbacks: Callback[] = []

  constructor(view: View, index: number, expected: unknown, limitMs: number, site: number) {
    this.view = view
    this.index = index
    this.expected = expected
    this.limitMs = limitMs
    this.site = site
  }

  // A promise of its own would run its callbacks when the execution is over.
  then(callback: Callback): this {
    this.callbacks.push(callback)
    return this
  }
}

export class Waiters {
  /** Words on which somebody was notified while nobody waited. */
  readonly missed = new Set<number>()
  private list: Waiter[] = []

  clear(): void {
    if (this.list.length !== 0) this.list = []
    if (this.missed.size !== 0) this.missed.clear()
  }

  park(thread: number, word: number, finite: boolean, result?: AsyncResult): void {
    if (result !== undefined && this.list.some((one) => one.thread === thread && one.word !== word)) {
      fail('unsupported', 'a thread that waits asynchronously for several words at once cannot be explored')
    }
    this.list.push({ thread, word, finite, result, woken: false })
  }

  /** Wakes up to `count`. @returns their threads */
  notify(word: number, count: number): number[] {
    const threads: number[] = []
    for (const waiter of this.list) {
      if (threads.length >= count) break
      if (waiter.word !== word || waiter.woken) continue
      waiter.woken = true
      threads.push(waiter.thread)
    }
    if (threads.length === 0) this.missed.add(word)
    return threads
  }

  /** Whether a thread waits. */
  holds(thread: number): boolean {
    return this.list.some((waiter) => waiter.thread === thread)
  }

  /** Whether a thread that waits may go on. */
  canWake(thread: number): boolean {
    return this.list.some((waiter) => waiter.thread === thread && (waiter.woken || waiter.finite))
  }

  /** A thread goes on: the first of its waits that was notified is over, or else one whose time is over. */
  wake(thread: number): 'ok' | 'timed-out' {
    const own = this.list.filter((waiter) => waiter.thread === thread)
    const ended = own.find((waiter) => waiter.woken) ?? own.find((waiter) => waiter.finite)!
    this.list = this.list.filter((waiter) => waiter !== ended)
    return ended.woken ? 'ok' : 'timed-out'
  }

  /** What `waitAsync` gave for the wait of a thread that ends next, if anybody listens. */
  asyncOf(thread: number): AsyncResult | undefined {
    if (this.list.length === 0) return undefined
    const own = this.list.filter(
      (waiter) => waiter.thread === thread && waiter.result !== undefined && waiter.result.callbacks.length > 0,
    )
    const next = own.find((waiter) => waiter.woken) ?? own.find((waiter) => waiter.finite) ?? own[0]
    return next?.result
  }

  remove(thread: number): void {
    this.list = this.list.filter((waiter) => waiter.thread !== thread)
  }
}
