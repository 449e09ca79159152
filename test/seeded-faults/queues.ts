/** Queues, deques, lists and logs that lose, invent or withhold. */
import { deque, queue, set } from '../../src/explore/index.ts'
import { fails, type Scenario } from '../explore/support/scenario.ts'
import * as chaseLev from '../explore/textbook/chase-lev-deque.ts'
import * as harris from '../explore/textbook/harris-list.ts'
import * as michaelScott from '../explore/textbook/michael-scott-queue.ts'
import { SealedChain, addAndLook, format as formatChain, sealed } from '../explore/textbook/sealed-chain.ts'

const memory = { bytes: 4096 }

/** Does not look whether the tail it has read is still the last node. */
class TailTrustingQueue extends michaelScott.MichaelScottQueue {
  override enqueue(value: number): void {
    const { words } = this
    const node = this.node(value)
    for (;;) {
      const last = Atomics.load(words, michaelScott.tail)
      const next = Atomics.load(words, last + 1)
      if (Atomics.compareExchange(words, last + 1, next, node) !== next) continue
      Atomics.compareExchange(words, michaelScott.tail, last, node)
      return
    }
  }
}

/** Takes the last value without regard to thieves. */
class GreedyDeque extends chaseLev.ChaseLevDeque {
  override takeLast(start: number): boolean {
    Atomics.store(this.words, chaseLev.top, start + 1)
    return true
  }
}

/** Lets thieves into the new array before the values are there. */
class EmptyGrowingDeque extends chaseLev.ChaseLevDeque {
  override grow(old: number, start: number, end: number): number {
    const bigger = this.allocate(2 * this.words[old]!)
    Atomics.store(this.words, chaseLev.array, bigger)
    this.copy(old, bigger, start, end)
    return bigger
  }
}

/** Uses the old array again as soon as there is a bigger one: what is pushed then overwrites what thieves still read. */
class OverwritingDeque extends chaseLev.ChaseLevDeque {
  override push(value: number): void {
    const { words } = this
    const end = Atomics.load(words, chaseLev.bottom)
    const slots = Atomics.load(words, chaseLev.array)
    if (end - Atomics.load(words, chaseLev.top) >= words[slots]!) this.grow(slots, 0, end)
    Atomics.store(words, this.slot(slots, end), value)
    Atomics.store(words, chaseLev.bottom, end + 1)
  }
}

/** Unlinks a node without marking it: what is put behind it meanwhile is gone. */
class UnmarkedList extends harris.HarrisList {
  override delete(key: number): boolean {
    for (;;) {
      if (!this.find(key)) return false
      const link = Atomics.load(this.words, this.found + 1)
      if (this.relink(this.before, 2 * this.found, link)) return true
    }
  }
}

/** Links into a chain that has been sealed, and so has moved on. */
class SealBlindChain extends SealedChain {
  override link(at: number, old: number, next: number): boolean {
    return Atomics.compareExchange(this.words, at, old, next | (old & sealed)) === old
  }
}

const tail = 0
const version = 1
const entries = 16

/** A log of entries that are read in order. Each is a state (0 reserved, 1 there, 2 given up) and a value. */
class Log {
  readonly words: Int32Array

  constructor(words: Int32Array) {
    this.words = words
  }

  /** Appends if the version is still the first, and otherwise leaves what it has reserved as it is. */
  append(value: number): boolean {
    const entry = entries + 2 * Atomics.add(this.words, tail, 1)
    if (Atomics.compareExchange(this.words, version, 0, 1) !== 0) return false
    this.words[entry + 1] = value
    Atomics.store(this.words, entry, 1)
    return true
  }

  sum(): number {
    const end = Atomics.load(this.words, tail)
    let sum = 0
    for (let entry = entries; entry < entries + 2 * end; entry += 2) {
      let state = 0
      while (state === 0) state = Atomics.load(this.words, entry)
      if (state === 1) sum += this.words[entry + 1]!
    }
    return sum
  }
}

export const scenarios: Scenario[] = [
  fails('a Michael-Scott queue without the check of the tail', 'not-linearizable', 46, {
    memory,
    setup: michaelScott.format,
    attach: (sab, thread) => new TailTrustingQueue(new Int32Array(sab), thread),
    threads: [
      (q) => {
        michaelScott.enqueue(q, 1)
        michaelScott.dequeue(q)
        michaelScott.dequeue(q)
      },
      (q) => michaelScott.enqueue(q, 2),
    ],
    linearizable: queue(),
  }),
  fails('a deque whose last value is taken twice', 'not-linearizable', 20, {
    memory,
    setup: (sab) => chaseLev.ChaseLevDeque.format(new Int32Array(sab), [1]),
    attach: (sab) => new GreedyDeque(new Int32Array(sab)),
    threads: [(d) => void chaseLev.pop(d), (d) => void chaseLev.steal(d)],
    linearizable: deque([1]),
  }),
  fails('a deque that grows before its values are copied', 'not-linearizable', 8, {
    memory,
    setup: (sab) => chaseLev.ChaseLevDeque.format(new Int32Array(sab), [1, 2]),
    attach: (sab) => new EmptyGrowingDeque(new Int32Array(sab)),
    threads: [(d) => chaseLev.push(d, 3), (d) => void chaseLev.steal(d)],
    linearizable: deque([1, 2]),
  }),
  fails('a deque that goes on writing to the array it has outgrown', 'not-linearizable', 10, {
    memory,
    setup: (sab) => chaseLev.ChaseLevDeque.format(new Int32Array(sab), [1, 2]),
    attach: (sab) => new OverwritingDeque(new Int32Array(sab)),
    threads: [(d) => chaseLev.push(d, 3), (d) => void chaseLev.steal(d)],
    linearizable: deque([1, 2]),
  }),
  fails('a Harris list without the mark', 'not-linearizable', 16, {
    memory,
    setup: harris.format,
    attach: (sab, thread) => new UnmarkedList(new Int32Array(sab), thread),
    threads: [
      (list) => {
        harris.add(list, 3)
        harris.has(list, 3)
      },
      (list) => void harris.remove(list, 2),
    ],
    linearizable: set([2, 4]),
  }),
  fails('a delta linked into a sealed page', 'not-linearizable', 24, {
    memory,
    setup: formatChain,
    attach: (sab, thread) => new SealBlindChain(new Int32Array(sab), thread),
    threads: [addAndLook, (chain) => chain.move()],
    linearizable: set(),
  }),
  fails('a reserved entry that is never given up', 'livelock', 4, {
    memory,
    attach: (sab) => new Log(new Int32Array(sab)),
    threads: [
      (log) => {
        log.append(1)
        log.sum()
      },
      (log) => void log.append(2),
    ],
  }),
]
