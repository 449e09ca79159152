/** What lets several in at once: a counting semaphore, and a lock for many readers or one writer. */
import assert from 'node:assert/strict'
import { sections, type Lock } from '../support/critical-section.ts'
import { passes, type Scenario } from '../support/scenario.ts'

const data = 128

/** A number of permits. Who finds none sleeps until there is one. */
export class Semaphore implements Lock {
  readonly words: Int32Array

  constructor(words: Int32Array) {
    this.words = words
  }

  lock(): void {
    for (;;) {
      const permits = Atomics.load(this.words, 0)
      if (permits === 0) Atomics.wait(this.words, 0, 0)
      else if (Atomics.compareExchange(this.words, 0, permits, permits - 1) === permits) return
    }
  }

  unlock(): void {
    Atomics.add(this.words, 0, 1)
    Atomics.notify(this.words, 0, 1)
  }
}

/** One word: how many readers are in, or -1 for a writer. */
export class ReadWriteLock {
  readonly words: Int32Array

  constructor(words: Int32Array) {
    this.words = words
  }

  lockRead(): void {
    for (;;) {
      const readers = Atomics.load(this.words, 0)
      if (readers >= 0 && Atomics.compareExchange(this.words, 0, readers, readers + 1) === readers) return
    }
  }

  unlockRead(): void {
    Atomics.sub(this.words, 0, 1)
  }

  lockWrite(): void {
    while (Atomics.compareExchange(this.words, 0, 0, -1) !== 0);
  }

  unlockWrite(): void {
    Atomics.store(this.words, 0, 0)
  }
}

export interface AnyReadWriteLock {
  readonly words: Int32Array
  lockRead(): void
  unlockRead(): void
  lockWrite(): void
  unlockWrite(): void
}

/** Sets two plain words that are equal whenever nobody writes. */
export function writeBoth(lock: AnyReadWriteLock): void {
  lock.lockWrite()
  lock.words[data] = lock.words[data]! + 1
  lock.words[data + 1] = lock.words[data + 1]! + 1
  lock.unlockWrite()
}

export function readBoth(lock: AnyReadWriteLock): void {
  lock.lockRead()
  assert.equal(lock.words[data], lock.words[data + 1])
  lock.unlockRead()
}

export const scenarios: Scenario[] = [
  passes('a semaphore of one permit', {
    ...sections((words) => new Semaphore(words), [2, 1]),
    setup: (sab) => (new Int32Array(sab)[0] = 1),
  }),
  passes('a semaphore whose permits come from another thread', {
    memory: { bytes: 4096 },
    attach: (sab) => new Semaphore(new Int32Array(sab)),
    threads: [
      (semaphore) => {
        semaphore.lock()
        semaphore.lock()
      },
      (semaphore) => {
        semaphore.unlock()
        semaphore.unlock()
      },
    ],
    after: (sab) => assert.equal(new Int32Array(sab)[0], 0),
  }),
  passes('a read-write lock', {
    memory: { bytes: 4096 },
    attach: (sab) => new ReadWriteLock(new Int32Array(sab)),
    threads: [readBoth, writeBoth, readBoth],
  }),
  passes('a read-write lock, two writers', {
    memory: { bytes: 4096 },
    attach: (sab) => new ReadWriteLock(new Int32Array(sab)),
    threads: [writeBoth, writeBoth],
    after: (sab) => assert.equal(new Int32Array(sab)[data], 2),
  }),
]
