/** How a value is made once, or replaced, while others read it. */
import assert from 'node:assert/strict'
import { op, register } from '../../../src/explore/index.ts'
import { passes, type Scenario } from '../support/scenario.ts'
import { FutexMutex } from './locks.ts'
import { Pool } from './pool.ts'

export const ready = 0
export const value = 1
export const made = 2

/** A value that is made by whoever needs it first, and found ready by the others. */
export class Once {
  readonly words: Int32Array
  readonly mutex: FutexMutex

  constructor(words: Int32Array) {
    this.words = words
    this.mutex = new FutexMutex(words, 8)
  }

  get(): number {
    if (!this.isReady()) {
      this.mutex.lock()
      if (!this.isReady()) this.make()
      this.mutex.unlock()
    }
    return this.words[value]!
  }

  isReady(): boolean {
    return Atomics.load(this.words, ready) === 1
  }

  make(): void {
    this.words[value] = 42
    this.words[made] = this.words[made]! + 1
    Atomics.store(this.words, ready, 1)
  }
}

const pointer = 16
export const phase = 17
/** How many readers are in, for either phase. */
export const readers = 18

/**
 * A block of two words that one thread replaces. Readers count themselves in for the present phase; the writer turns the
 * phase and gives the old block back once those of the old phase have left.
 */
export class Snapshot {
  readonly words: Int32Array
  readonly pool: Pool

  constructor(words: Int32Array, thread: number) {
    this.words = words
    this.pool = new Pool(words, 64 + 16 * thread, 2)
  }

  static format(words: Int32Array): void {
    words[pointer] = 32
  }

  read(): [number, number] {
    const mine = this.enter()
    const block = Atomics.load(this.words, pointer)
    const found: [number, number] = [this.words[block]!, this.words[block + 1]!]
    Atomics.sub(this.words, mine, 1)
    return found
  }

  /** Gives the word in which this reader is counted. */
  enter(): number {
    for (;;) {
      const mine = readers + Atomics.load(this.words, phase)
      Atomics.add(this.words, mine, 1)
      // The writer may have turned the phase, and looked at this count before it was raised.
      if (readers + Atomics.load(this.words, phase) === mine) return mine
      Atomics.sub(this.words, mine, 1)
    }
  }

  write(a: number, b: number): void {
    const { words } = this
    const block = this.pool.take()
    words[block] = a
    words[block + 1] = b
    const old = Atomics.exchange(words, pointer, block)
    const before = Atomics.load(words, phase)
    Atomics.store(words, phase, 1 - before)
    while (Atomics.load(words, readers + before) !== 0);
    this.pool.give(old)
  }
}

export function readSnapshot(snapshot: Snapshot): void {
  op('read', [], () => snapshot.read())
}

export function writeSnapshot(snapshot: Snapshot, a: number): void {
  op('write', [[a, a]], () => snapshot.write(a, a))
}

export const scenarios: Scenario[] = [
  passes('double-checked initialisation', {
    memory: { bytes: 4096 },
    attach: (sab) => new Once(new Int32Array(sab)),
    threads: Array.from({ length: 2 }, () => (once: Once) => assert.equal(once.get(), 42)),
    after: (sab) => assert.equal(new Int32Array(sab)[made], 1),
  }),
  passes('a pointer swapped under a reader', {
    memory: { bytes: 4096 },
    setup: (sab) => Snapshot.format(new Int32Array(sab)),
    attach: (sab, thread) => new Snapshot(new Int32Array(sab), thread),
    threads: [
      (snapshot) => {
        writeSnapshot(snapshot, 1)
        writeSnapshot(snapshot, 2)
      },
      readSnapshot,
    ],
    linearizable: register([0, 0]),
  }),
]
