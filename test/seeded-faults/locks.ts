/** Locks that let two in, or nobody. */
import { sections, type Lock } from '../explore/support/critical-section.ts'
import { fails, type Scenario } from '../explore/support/scenario.ts'
import { FutexMutex, McsLock, PetersonLock, TicketLock } from '../explore/textbook/locks.ts'
import { ReadWriteLock, readBoth, writeBoth } from '../explore/textbook/permits.ts'

class PlainPetersonLock extends PetersonLock {
  override lock(): void {
    const { words, me } = this
    words[me] = 1
    words[2] = 1 - me
    while (words[1 - me] === 1 && words[2] === 1 - me);
  }
}

/** Gives the turn before it says that it wants to come in. */
class HastyPetersonLock extends PetersonLock {
  override lock(): void {
    const { words, me } = this
    Atomics.store(words, 2, 1 - me)
    Atomics.store(words, me, 1)
    while (Atomics.load(words, 1 - me) === 1 && Atomics.load(words, 2) === 1 - me);
  }
}

class SpinLock implements Lock {
  readonly words: Int32Array

  constructor(words: Int32Array) {
    this.words = words
  }

  lock(): void {
    while (Atomics.compareExchange(this.words, 0, 0, 1) !== 0);
  }

  unlock(): void {
    this.words[0] = 0
  }
}

class PlainTicketLock extends TicketLock {
  override lock(): void {
    const ticket = Atomics.add(this.words, this.at, 1)
    while (this.words[this.at + 1] !== ticket);
  }
}

/** Takes nobody behind it for nobody coming. */
class HastyMcsLock extends McsLock {
  override unlock(): void {
    const { words, node } = this
    const next = Atomics.load(words, node)
    if (next === 0) Atomics.compareExchange(words, this.tail, node, 0)
    else Atomics.store(words, next + 1, 0)
  }
}

/** Looks for a writer before it counts itself in, when none may have come yet. */
class WrongOrderReadWriteLock extends ReadWriteLock {
  override lockRead(): void {
    while (Atomics.load(this.words, 1) === 1);
    Atomics.add(this.words, 0, 1)
  }

  override lockWrite(): void {
    while (Atomics.compareExchange(this.words, 1, 0, 1) !== 0);
    while (Atomics.load(this.words, 0) !== 0);
  }

  override unlockWrite(): void {
    Atomics.store(this.words, 1, 0)
  }
}

class TwoLocks implements Lock {
  readonly first: Lock
  readonly second: Lock

  constructor(first: Lock, second: Lock) {
    this.first = first
    this.second = second
  }

  lock(): void {
    this.first.lock()
    this.second.lock()
  }

  unlock(): void {
    this.second.unlock()
    this.first.unlock()
  }
}

/** Whoever sees the other gives way, for ever if both do it in step. */
class PoliteLock extends PetersonLock {
  override lock(): void {
    const { words, me } = this
    Atomics.store(words, me, 1)
    while (Atomics.load(words, 1 - me) === 1) {
      Atomics.store(words, me, 0)
      Atomics.store(words, me, 1)
    }
  }
}

/** Gives way as long as the other wants to come in, and says all the time that it wants to. */
class StubbornLock extends PetersonLock {
  override lock(): void {
    const { words, me } = this
    Atomics.store(words, me, 1)
    while (Atomics.load(words, 1 - me) === 1);
  }
}

function crossed(words: Int32Array, thread: number): Lock {
  const [a, b] = [new FutexMutex(words, 0), new FutexMutex(words, 8)]
  return thread === 0 ? new TwoLocks(a, b) : new TwoLocks(b, a)
}

function crossedSpinning(words: Int32Array, thread: number): Lock {
  const [a, b] = [new TicketLock(words, 0), new TicketLock(words, 8)]
  return thread === 0 ? new TwoLocks(a, b) : new TwoLocks(b, a)
}

export const scenarios: Scenario[] = [
  fails(
    "Peterson's lock with plain accesses",
    'data-race',
    2,
    sections((words, thread) => new PlainPetersonLock(words, thread)),
  ),
  fails(
    "Peterson's lock with its first two steps exchanged",
    'data-race',
    16,
    sections((words, thread) => new HastyPetersonLock(words, thread)),
  ),
  fails(
    'a lock that is given back by a plain store',
    'data-race',
    2,
    sections((words) => new SpinLock(words)),
  ),
  fails(
    'a ticket lock that spins on a plain read',
    'data-race',
    2,
    sections((words) => new PlainTicketLock(words)),
  ),
  fails(
    'an MCS lock that does not wait for its successor',
    'livelock',
    4,
    sections((words, thread) => new HastyMcsLock(words, thread)),
  ),
  fails('a read-write lock that looks before it counts', 'data-race', 8, {
    memory: { bytes: 4096 },
    attach: (sab) => new WrongOrderReadWriteLock(new Int32Array(sab)),
    threads: [readBoth, writeBoth],
  }),
  fails('two locks taken in two orders', 'deadlock', 812, sections(crossed)),
  fails('two locks taken in two orders, spinning', 'livelock', 20, sections(crossedSpinning)),
  fails('two that give way to each other', 'unbounded', 4, {
    ...sections((words, thread) => new PoliteLock(words, thread)),
    maxSteps: 500,
  }),
  fails(
    'two that wait for each other',
    'livelock',
    8,
    sections((words, thread) => new StubbornLock(words, thread)),
  ),
]
