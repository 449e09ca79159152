/** Lamport's ring: a queue for one thread that puts and one that takes. The slots are plain; the ends publish them. */
import { op, queue } from '../../../src/explore/index.ts'
import { passes, type Scenario } from '../support/scenario.ts'

const head = 0
const tail = 1
const slots = 16
const capacity = 2

export class LamportRing {
  readonly words: Int32Array

  constructor(words: Int32Array) {
    this.words = words
  }

  enqueue(value: number): boolean {
    const end = Atomics.load(this.words, tail)
    if (end - Atomics.load(this.words, head) === capacity) return false
    this.words[slots + (end % capacity)] = value
    Atomics.store(this.words, tail, end + 1)
    return true
  }

  dequeue(): number | undefined {
    const start = Atomics.load(this.words, head)
    if (start === Atomics.load(this.words, tail)) return undefined
    const value = this.words[slots + (start % capacity)]!
    Atomics.store(this.words, head, start + 1)
    return value
  }
}

export const scenarios: Scenario[] = [
  passes("Lamport's ring, going round", {
    memory: { bytes: 4096 },
    attach: (sab) => new LamportRing(new Int32Array(sab)),
    threads: [
      (ring) => {
        for (let value = 1; value <= 3; value++) op('enqueue', [value], () => ring.enqueue(value))
      },
      (ring) => {
        for (let i = 0; i < 3; i++) op('dequeue', [], () => ring.dequeue())
      },
    ],
    linearizable: queue([], capacity),
  }),
]
