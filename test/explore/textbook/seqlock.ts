/** A sequence lock: two words that one thread writes and others read, who try again if the sequence was odd or changed. */
import { op, register } from '../../../src/explore/index.ts'
import { passes, type Scenario } from '../support/scenario.ts'

export const sequence = 0
export const first = 1
export const second = 2

export class Seqlock {
  readonly words: Int32Array

  constructor(words: Int32Array) {
    this.words = words
  }

  write(a: number, b: number): void {
    const { words } = this
    const even = Atomics.load(words, sequence)
    Atomics.store(words, sequence, even + 1)
    Atomics.store(words, first, a)
    Atomics.store(words, second, b)
    Atomics.store(words, sequence, even + 2)
  }

  read(): [number, number] {
    const { words } = this
    for (;;) {
      const before = Atomics.load(words, sequence)
      if (before % 2 === 1) continue
      const a = Atomics.load(words, first)
      const b = Atomics.load(words, second)
      if (Atomics.load(words, sequence) === before) return [a, b]
    }
  }
}

export const write = (lock: Seqlock, a: number, b: number): void => op('write', [[a, b]], () => lock.write(a, b))
export const read = (lock: Seqlock): [number, number] => op('read', [], () => lock.read())

export const scenarios: Scenario[] = [
  passes('a seqlock, two writes beside a read', {
    memory: { bytes: 4096 },
    attach: (sab) => new Seqlock(new Int32Array(sab)),
    threads: [
      (lock) => {
        write(lock, 1, 1)
        write(lock, 2, 2)
      },
      (lock) => void read(lock),
    ],
    linearizable: register([0, 0]),
  }),
  passes('a seqlock, two readers', {
    memory: { bytes: 4096 },
    attach: (sab) => new Seqlock(new Int32Array(sab)),
    threads: [(lock) => write(lock, 1, 1), (lock) => void read(lock), (lock) => void read(lock)],
    linearizable: register([0, 0]),
  }),
]
