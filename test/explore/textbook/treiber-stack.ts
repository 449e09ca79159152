/** Treiber's stack: a list whose head is replaced by compare-and-swap. A node is a value and the index of the next. */
import { op, stack } from '../../../src/explore/index.ts'
import { passes, type Scenario } from '../support/scenario.ts'
import { Epochs } from './epochs.ts'
import { Pool } from './pool.ts'

export const head = 0
export const epochsAt = 8
export const firstNode = 64

/** Popped nodes are given back when no thread can be reading them. */
export class EpochStack {
  readonly words: Int32Array
  readonly pool: Pool
  readonly epochs: Epochs

  constructor(words: Int32Array, thread: number) {
    this.words = words
    this.pool = new Pool(words, firstNode + 16 * thread, 2)
    this.epochs = new Epochs(words, epochsAt, thread, this.pool)
  }

  push(value: number): void {
    const { words } = this
    const node = this.pool.take()
    words[node] = value
    for (;;) {
      const top = Atomics.load(words, head)
      words[node + 1] = top
      if (Atomics.compareExchange(words, head, top, node) === top) return
    }
  }

  pop(): number | undefined {
    this.epochs.pin()
    const node = this.take()
    const value = node === 0 ? undefined : this.words[node]!
    this.epochs.unpin()
    if (node !== 0) this.epochs.retire(node)
    return value
  }

  /** Unlinks the first node, and gives it. */
  take(): number {
    const { words } = this
    for (;;) {
      const top = Atomics.load(words, head)
      if (top === 0 || Atomics.compareExchange(words, head, top, words[top + 1]!) === top) return top
    }
  }
}

const tagStep = 1 << 16
const indexMask = tagStep - 1

/** Popped nodes are used again at once; the head carries a count of its changes, so that an old head is never taken for a new one. */
export class TaggedStack {
  readonly words: Int32Array
  readonly free: number[] = []
  #next: number

  constructor(words: Int32Array, thread: number) {
    this.words = words
    this.#next = firstNode + 16 * thread
  }

  push(value: number): void {
    const { words } = this
    const node = this.free.pop() ?? this.#fresh()
    Atomics.store(words, node, value)
    for (;;) {
      const top = Atomics.load(words, head)
      Atomics.store(words, node + 1, top & indexMask)
      if (Atomics.compareExchange(words, head, top, this.follow(top, node)) === top) return
    }
  }

  pop(): number | undefined {
    const { words } = this
    for (;;) {
      const top = Atomics.load(words, head)
      const node = top & indexMask
      if (node === 0) return undefined
      const value = Atomics.load(words, node)
      const next = Atomics.load(words, node + 1)
      if (Atomics.compareExchange(words, head, top, this.follow(top, next)) !== top) continue
      this.free.push(node)
      return value
    }
  }

  /** The head that comes after this one. */
  follow(top: number, node: number): number {
    return ((top & ~indexMask) + tagStep) | node
  }

  #fresh(): number {
    const node = this.#next
    this.#next += 2
    return node
  }
}

/** A stack with 1 at the bottom and 2 on top, in a part of the memory that no thread allocates from. */
export function twoNodes(sab: SharedArrayBuffer): void {
  const words = new Int32Array(sab)
  words.set([1, 0, 2, 32], 32)
  words[head] = 34
  Epochs.format(words, epochsAt)
}

interface AnyStack {
  push(value: number): void
  pop(): number | undefined
}

export function push(s: AnyStack, value: number): void {
  op('push', [value], () => s.push(value))
}

export function pop(s: AnyStack): number | undefined {
  return op('pop', [], () => s.pop())
}

export const scenarios: Scenario[] = [
  passes('a Treiber stack with epochs, a pop while another thread recycles', {
    memory: { bytes: 4096 },
    setup: twoNodes,
    attach: (sab, thread) => new EpochStack(new Int32Array(sab), thread),
    threads: [
      (s) => void pop(s),
      (s) => {
        pop(s)
        s.epochs.collect()
        s.epochs.collect()
        push(s, 3)
      },
    ],
    linearizable: stack([1, 2]),
  }),
  passes('a Treiber stack with epochs, pushes and pops', {
    memory: { bytes: 4096 },
    setup: twoNodes,
    attach: (sab, thread) => new EpochStack(new Int32Array(sab), thread),
    threads: [
      (s) => {
        push(s, 3)
        pop(s)
      },
      (s) => {
        push(s, 4)
        pop(s)
      },
    ],
    linearizable: stack([1, 2]),
  }),
  passes('a Treiber stack with tags', {
    memory: { bytes: 4096 },
    setup: twoNodes,
    attach: (sab, thread) => new TaggedStack(new Int32Array(sab), thread),
    threads: [
      (s) => void pop(s),
      (s) => {
        pop(s)
        pop(s)
        push(s, 3)
      },
    ],
    linearizable: stack([1, 2]),
  }),
]
