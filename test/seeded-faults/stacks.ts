/** Stacks that take an old head for the present one, or read nodes that have been given back. */
import assert from 'node:assert/strict'
import { stack } from '../../src/explore/index.ts'
import { fails, type Scenario } from '../explore/support/scenario.ts'
import { EpochStack, TaggedStack, head, pop, push, twoNodes } from '../explore/textbook/treiber-stack.ts'

/** Uses popped nodes again at once, and cannot tell one head from another with the same node. */
class UntaggedStack extends TaggedStack {
  override follow(_top: number, node: number): number {
    return node
  }
}

/** Gives popped nodes back though others may be reading them. */
class HastyStack extends EpochStack {
  override pop(): number | undefined {
    const node = this.take()
    if (node === 0) return undefined
    const value = this.words[node]!
    this.pool.give(node)
    return value
  }
}

const freeHead = 0
const firstBlock = 32

/** Blocks on a list: what `take` has seen behind the first block may be in use again when it makes that the head. */
class FreeList {
  readonly words: Int32Array

  constructor(words: Int32Array) {
    this.words = words
  }

  static format(words: Int32Array): void {
    words[freeHead] = firstBlock
    for (const block of [firstBlock, firstBlock + 2]) words[block + 1] = block + 2
  }

  take(): number {
    const { words } = this
    for (;;) {
      const block = Atomics.load(words, freeHead)
      const next = Atomics.load(words, block + 1)
      if (Atomics.compareExchange(words, freeHead, block, next) === block) return block
    }
  }

  give(block: number): void {
    const { words } = this
    for (;;) {
      const next = Atomics.load(words, freeHead)
      Atomics.store(words, block + 1, next)
      if (Atomics.compareExchange(words, freeHead, next, block) === next) return
    }
  }

  /** Takes a block, and marks it as its own. */
  own(): number {
    const block = this.take()
    assert.equal(Atomics.exchange(this.words, block, 1), 0, `block ${block} has two owners`)
    return block
  }

  disown(block: number): void {
    Atomics.store(this.words, block, 0)
    this.give(block)
  }
}

export const scenarios: Scenario[] = [
  fails('a stack without tags whose nodes come back', 'not-linearizable', 8, {
    memory: { bytes: 4096 },
    setup: twoNodes,
    attach: (sab, thread) => new UntaggedStack(new Int32Array(sab), thread),
    threads: [
      (s) => void pop(s),
      (s) => {
        pop(s)
        push(s, 3)
      },
    ],
    linearizable: stack([1, 2]),
  }),
  fails('a stack that frees what others read', 'use-after-free', 4, {
    memory: { bytes: 4096 },
    setup: twoNodes,
    attach: (sab, thread) => new HastyStack(new Int32Array(sab), thread),
    threads: [(s) => void s.pop(), (s) => void s.pop()],
    after: (sab) => assert.equal(new Int32Array(sab)[head], 0),
  }),
  fails('a free list that hands out a block twice', 'assertion', 8, {
    memory: { bytes: 4096 },
    setup: (sab) => FreeList.format(new Int32Array(sab)),
    attach: (sab) => new FreeList(new Int32Array(sab)),
    threads: [
      (list) => {
        list.own()
        list.own()
      },
      (list) => {
        const block = list.own()
        list.own()
        list.disown(block)
      },
    ],
  }),
]
