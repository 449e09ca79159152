/** A page as a chain of deltas, which is sealed before it moves to another head. Whoever meets a sealed head moves it on. */
import { op, set } from '../../../src/explore/index.ts'
import { passes, type Scenario } from '../support/scenario.ts'

export const head = 0
/** The head that follows when that one is sealed; 0 until then. */
export const nextHead = 1
export const sealed = 1
/** Stands for the node after the last. */
const end = 1

/** A head is twice the first node, plus one when it is sealed. A node is a key and the next node. */
export class SealedChain {
  readonly words: Int32Array
  #next: number

  constructor(words: Int32Array, thread: number) {
    this.words = words
    this.#next = 64 + 16 * thread
  }

  static format(words: Int32Array): void {
    words[head] = 2 * end
  }

  add(key: number): void {
    const { words } = this
    const node = this.#next
    this.#next += 2
    words[node] = key
    for (;;) {
      const at = this.current()
      const old = Atomics.load(words, at)
      words[node + 1] = old >> 1
      if (this.link(at, old, 2 * node)) return
    }
  }

  /** Puts a node in front, unless the chain has changed or is sealed. */
  link(at: number, old: number, next: number): boolean {
    if ((old & sealed) !== 0) return false
    return Atomics.compareExchange(this.words, at, old, next) === old
  }

  /** The head in use. */
  current(): number {
    const seen = Atomics.load(this.words, head)
    if ((seen & sealed) === 0) return head
    Atomics.compareExchange(this.words, nextHead, 0, seen - sealed)
    return nextHead
  }

  move(): void {
    for (;;) {
      const seen = Atomics.load(this.words, head)
      if ((seen & sealed) !== 0 || Atomics.compareExchange(this.words, head, seen, seen | sealed) === seen) break
    }
    this.current()
  }

  has(key: number): boolean {
    const { words } = this
    let node = Atomics.load(words, this.current()) >> 1
    while (node !== end && words[node] !== key) node = words[node + 1]!
    return node !== end
  }
}

export function format(sab: SharedArrayBuffer): void {
  SealedChain.format(new Int32Array(sab))
}

export function addAndLook(chain: SealedChain): void {
  op('add', [1], () => chain.add(1))
  op('has', [1], () => chain.has(1))
}

export const scenarios: Scenario[] = [
  passes('a chain that is sealed and moved while others add', {
    memory: { bytes: 4096 },
    setup: format,
    attach: (sab, thread) => new SealedChain(new Int32Array(sab), thread),
    threads: [addAndLook, (chain) => chain.move()],
    linearizable: set(),
  }),
]
