/** Locks, each with the words it needs from `at` on. What they protect is plain: a lock that fails shows as a data race. */
import { sections, type Lock } from '../support/critical-section.ts'
import { passes, type Scenario } from '../support/scenario.ts'

/** First come, first served: the next ticket, and the one being served. */
export class TicketLock implements Lock {
  readonly words: Int32Array
  readonly at: number

  constructor(words: Int32Array, at = 0) {
    this.words = words
    this.at = at
  }

  lock(): void {
    const ticket = Atomics.add(this.words, this.at, 1)
    while (Atomics.load(this.words, this.at + 1) !== ticket);
  }

  unlock(): void {
    Atomics.add(this.words, this.at + 1, 1)
  }
}

/** Mellor-Crummey and Scott's: a queue of nodes, one for each thread, of which each waits on its own word. */
export class McsLock implements Lock {
  readonly words: Int32Array
  readonly tail: number
  /** This thread's node: the node after it, and whether it has to wait. */
  readonly node: number

  constructor(words: Int32Array, thread: number, at = 0) {
    this.words = words
    this.tail = at
    this.node = at + 8 + 2 * thread
  }

  lock(): void {
    const { words, node } = this
    Atomics.store(words, node, 0)
    Atomics.store(words, node + 1, 1)
    const before = Atomics.exchange(words, this.tail, node)
    if (before === 0) return
    Atomics.store(words, before, node)
    while (Atomics.load(words, node + 1) === 1);
  }

  unlock(): void {
    const { words, node } = this
    let next = Atomics.load(words, node)
    if (next === 0) {
      if (Atomics.compareExchange(words, this.tail, node, 0) === node) return
      // Somebody has put itself at the tail and is about to say so.
      while (next === 0) next = Atomics.load(words, node)
    }
    Atomics.store(words, next + 1, 0)
  }
}

/** 0 free, 1 locked, 2 locked and perhaps waited for. Waiters sleep. */
export class FutexMutex implements Lock {
  readonly words: Int32Array
  readonly at: number

  constructor(words: Int32Array, at = 0) {
    this.words = words
    this.at = at
  }

  lock(): void {
    const { words, at } = this
    let state = Atomics.compareExchange(words, at, 0, 1)
    while (state !== 0) {
      if (state === 2 || Atomics.compareExchange(words, at, 1, 2) !== 0) Atomics.wait(words, at, 2)
      state = Atomics.compareExchange(words, at, 0, 2)
    }
  }

  unlock(): void {
    if (Atomics.sub(this.words, this.at, 1) === 1) return
    Atomics.store(this.words, this.at, 0)
    Atomics.notify(this.words, this.at, 1)
  }
}

/** Peterson's, for two threads: the flag of each, and whose turn it is. */
export class PetersonLock implements Lock {
  readonly words: Int32Array
  readonly me: number

  constructor(words: Int32Array, thread: number) {
    this.words = words
    this.me = thread
  }

  lock(): void {
    const { words, me } = this
    Atomics.store(words, me, 1)
    Atomics.store(words, 2, 1 - me)
    while (Atomics.load(words, 1 - me) === 1 && Atomics.load(words, 2) === 1 - me);
  }

  unlock(): void {
    Atomics.store(this.words, this.me, 0)
  }
}

/** Dekker's, for two threads: who does not have the turn takes its flag back until it has. */
export class DekkerLock implements Lock {
  readonly words: Int32Array
  readonly me: number

  constructor(words: Int32Array, thread: number) {
    this.words = words
    this.me = thread
  }

  lock(): void {
    const { words, me } = this
    Atomics.store(words, me, 1)
    while (Atomics.load(words, 1 - me) === 1) {
      if (Atomics.load(words, 2) === me) continue
      Atomics.store(words, me, 0)
      while (Atomics.load(words, 2) !== me);
      Atomics.store(words, me, 1)
    }
  }

  unlock(): void {
    Atomics.store(this.words, 2, 1 - this.me)
    Atomics.store(this.words, this.me, 0)
  }
}

export const scenarios: Scenario[] = [
  passes(
    'a ticket lock',
    sections((words) => new TicketLock(words), [1, 1, 1]),
  ),
  passes(
    'a ticket lock, taken twice',
    sections((words) => new TicketLock(words), [2, 2]),
  ),
  passes(
    'an MCS lock',
    sections((words, thread) => new McsLock(words, thread), [2, 1]),
  ),
  passes(
    'an MCS lock, three threads',
    sections((words, thread) => new McsLock(words, thread), [1, 1, 1]),
  ),
  passes(
    'a futex mutex',
    sections((words) => new FutexMutex(words), [2, 1]),
  ),
  passes('a futex mutex, three threads, two preemptions', {
    ...sections((words) => new FutexMutex(words), [1, 1, 1]),
    mode: { bound: 2 },
  }),
  passes(
    "Peterson's lock",
    sections((words, thread) => new PetersonLock(words, thread), [2, 2]),
  ),
  passes(
    "Dekker's lock",
    sections((words, thread) => new DekkerLock(words, thread), [2, 1]),
  ),
]
