/** Chase and Lev's deque: its owner pushes and pops at the bottom, thieves steal from the top. It grows when it is full. */
import { deque, op } from '../../../src/explore/index.ts'
import { passes, type Scenario } from '../support/scenario.ts'

export const top = 0
export const bottom = 1
export const array = 2
export const firstArray = 32

/** An array is its capacity and then its slots, used as a ring. */
export class ChaseLevDeque {
  readonly words: Int32Array
  next = firstArray + 8

  constructor(words: Int32Array) {
    this.words = words
  }

  /** Fills a deque of two slots. */
  static format(words: Int32Array, values: readonly number[]): void {
    words[array] = firstArray
    words.set([2, ...values], firstArray)
    words[bottom] = values.length
  }

  push(value: number): void {
    const { words } = this
    const end = Atomics.load(words, bottom)
    const start = Atomics.load(words, top)
    let slots = Atomics.load(words, array)
    if (end - start >= words[slots]!) slots = this.grow(slots, start, end)
    Atomics.store(words, this.slot(slots, end), value)
    Atomics.store(words, bottom, end + 1)
  }

  pop(): number | undefined {
    const { words } = this
    const last = Atomics.load(words, bottom) - 1
    const slots = Atomics.load(words, array)
    Atomics.store(words, bottom, last)
    const start = Atomics.load(words, top)
    if (start > last) {
      Atomics.store(words, bottom, last + 1)
      return undefined
    }
    const value = Atomics.load(words, this.slot(slots, last))
    if (start < last) return value
    const won = this.takeLast(start)
    Atomics.store(words, bottom, last + 1)
    return won ? value : undefined
  }

  /** The last value belongs to who moves the top, the owner or a thief. */
  takeLast(start: number): boolean {
    return Atomics.compareExchange(this.words, top, start, start + 1) === start
  }

  steal(): number | undefined {
    const { words } = this
    for (;;) {
      const start = Atomics.load(words, top)
      if (start >= Atomics.load(words, bottom)) return undefined
      const value = Atomics.load(words, this.slot(Atomics.load(words, array), start))
      if (Atomics.compareExchange(words, top, start, start + 1) === start) return value
    }
  }

  /** An array of twice the capacity with the same values. Thieves may go on reading the old one. */
  grow(old: number, start: number, end: number): number {
    const bigger = this.allocate(2 * this.words[old]!)
    this.copy(old, bigger, start, end)
    Atomics.store(this.words, array, bigger)
    return bigger
  }

  allocate(capacity: number): number {
    const bigger = this.next
    this.next += 1 + capacity
    this.words[bigger] = capacity
    return bigger
  }

  copy(from: number, to: number, start: number, end: number): void {
    for (let i = start; i < end; i++) {
      Atomics.store(this.words, this.slot(to, i), Atomics.load(this.words, this.slot(from, i)))
    }
  }

  slot(slots: number, i: number): number {
    return slots + 1 + (i & (this.words[slots]! - 1))
  }
}

export const push = (d: ChaseLevDeque, value: number): void => op('push', [value], () => d.push(value))
export const pop = (d: ChaseLevDeque): number | undefined => op('pop', [], () => d.pop())
export const steal = (d: ChaseLevDeque): number | undefined => op('steal', [], () => d.steal())

export const scenarios: Scenario[] = [
  passes('a Chase-Lev deque, the last value for owner or thief', {
    memory: { bytes: 4096 },
    setup: (sab) => ChaseLevDeque.format(new Int32Array(sab), [1]),
    attach: (sab) => new ChaseLevDeque(new Int32Array(sab)),
    threads: [
      (d) => {
        push(d, 2)
        pop(d)
        pop(d)
      },
      (d) => void steal(d),
    ],
    linearizable: deque([1]),
  }),
  passes('a Chase-Lev deque that grows while two steal', {
    memory: { bytes: 4096 },
    setup: (sab) => ChaseLevDeque.format(new Int32Array(sab), [1, 2]),
    attach: (sab) => new ChaseLevDeque(new Int32Array(sab)),
    threads: [(d) => push(d, 3), (d) => void steal(d), (d) => void steal(d)],
    linearizable: deque([1, 2]),
  }),
]
