/** Michael and Scott's queue: a list with a sentinel in front, whose tail may lag one node behind. */
import { op, queue } from '../../../src/explore/index.ts'
import { passes, type Scenario } from '../support/scenario.ts'

const head = 0
export const tail = 1
const sentinel = 32
const firstNode = 64

/** A node is a value and the index of the next node. Nodes are not used again. */
export class MichaelScottQueue {
  readonly words: Int32Array
  #next: number

  constructor(words: Int32Array, thread: number) {
    this.words = words
    this.#next = firstNode + 16 * thread
  }

  static format(words: Int32Array): void {
    words[head] = sentinel
    words[tail] = sentinel
  }

  node(value: number): number {
    const node = this.#next
    this.#next += 2
    this.words[node] = value
    return node
  }

  enqueue(value: number): void {
    const { words } = this
    const node = this.node(value)
    for (;;) {
      const last = Atomics.load(words, tail)
      const next = Atomics.load(words, last + 1)
      if (next !== 0) Atomics.compareExchange(words, tail, last, next)
      else if (Atomics.compareExchange(words, last + 1, 0, node) === 0) {
        Atomics.compareExchange(words, tail, last, node)
        return
      }
    }
  }

  dequeue(): number | undefined {
    const { words } = this
    for (;;) {
      const first = Atomics.load(words, head)
      const last = Atomics.load(words, tail)
      const next = Atomics.load(words, first + 1)
      if (next === 0) return undefined
      if (first === last) {
        Atomics.compareExchange(words, tail, last, next)
        continue
      }
      const value = words[next]!
      if (Atomics.compareExchange(words, head, first, next) === first) return value
    }
  }
}

export function format(sab: SharedArrayBuffer): void {
  MichaelScottQueue.format(new Int32Array(sab))
}

export function attach(sab: SharedArrayBuffer, thread: number): MichaelScottQueue {
  return new MichaelScottQueue(new Int32Array(sab), thread)
}

export function enqueue(q: MichaelScottQueue, value: number): void {
  op('enqueue', [value], () => q.enqueue(value))
}

export function dequeue(q: MichaelScottQueue): void {
  op('dequeue', [], () => q.dequeue())
}

export const scenarios: Scenario[] = [
  passes('a Michael-Scott queue, two threads that put and take', {
    memory: { bytes: 4096 },
    setup: format,
    attach,
    threads: [
      (q) => {
        enqueue(q, 1)
        dequeue(q)
      },
      (q) => {
        enqueue(q, 2)
        dequeue(q)
      },
    ],
    linearizable: queue(),
  }),
  passes('a Michael-Scott queue, one puts and two take', {
    memory: { bytes: 4096 },
    setup: format,
    attach,
    threads: [(q) => enqueue(q, 1), dequeue, dequeue],
    linearizable: queue(),
  }),
]
