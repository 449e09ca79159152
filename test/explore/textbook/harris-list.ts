/** Harris's list: a sorted set. A node is marked in its own link before it is unlinked, so that nothing is put behind it. */
import { op, set } from '../../../src/explore/index.ts'
import { passes, type Scenario } from '../support/scenario.ts'

const first = 32
const marked = 1

/** A node is a key and a link: twice the index of the next node, plus one if this node is deleted. Nodes are not used again. */
export class HarrisList {
  readonly words: Int32Array
  #next: number
  /** Where `find` stopped: the last node below the key, and the first that is not, or 0. */
  before = 0
  found = 0

  constructor(words: Int32Array, thread: number) {
    this.words = words
    this.#next = 128 + 16 * thread
  }

  static format(words: Int32Array, keys: readonly number[]): void {
    words[first] = -1
    keys.forEach((key, i) => {
      words[first + 2 * i + 1] = 2 * (first + 2 * i + 2)
      words[first + 2 * i + 2] = key
    })
  }

  find(key: number): boolean {
    const { words } = this
    retry: for (;;) {
      this.before = first
      this.found = Atomics.load(words, first + 1) >> 1
      for (;;) {
        if (this.found === 0) return false
        const link = Atomics.load(words, this.found + 1)
        if ((link & marked) === 0) {
          if (words[this.found]! >= key) return words[this.found] === key
          this.before = this.found
        } else if (!this.relink(this.before, 2 * this.found, link - marked)) continue retry
        this.found = link >> 1
      }
    }
  }

  /** Replaces a node's link, unless it is another by now. */
  relink(node: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.words, node + 1, from, to) === from
  }

  add(key: number): boolean {
    const { words } = this
    let node = 0
    for (;;) {
      if (this.find(key)) return false
      if (node === 0) {
        node = this.#next
        this.#next += 2
        words[node] = key
      }
      Atomics.store(words, node + 1, 2 * this.found)
      if (this.relink(this.before, 2 * this.found, 2 * node)) return true
    }
  }

  delete(key: number): boolean {
    for (;;) {
      if (!this.find(key)) return false
      const { before, found } = this
      const link = Atomics.load(this.words, found + 1)
      if ((link & marked) !== 0 || !this.relink(found, link, link | marked)) continue
      this.relink(before, 2 * found, link)
      return true
    }
  }

  has(key: number): boolean {
    return this.find(key)
  }
}

/** What threads do to a list, recorded. */
export const add = (list: HarrisList, key: number): boolean => op('add', [key], () => list.add(key))
export const remove = (list: HarrisList, key: number): boolean => op('delete', [key], () => list.delete(key))
export const has = (list: HarrisList, key: number): boolean => op('has', [key], () => list.has(key))

export function format(sab: SharedArrayBuffer): void {
  HarrisList.format(new Int32Array(sab), [2, 4])
}

export function attach(sab: SharedArrayBuffer, thread: number): HarrisList {
  return new HarrisList(new Int32Array(sab), thread)
}

const common = { memory: { bytes: 4096 }, setup: format, attach, linearizable: set([2, 4]) }

export const scenarios: Scenario[] = [
  passes('a Harris list, an insert beside a delete', {
    ...common,
    threads: [
      (list) => void add(list, 3),
      (list) => {
        remove(list, 2)
        has(list, 3)
      },
    ],
  }),
  passes('a Harris list, two deletes of one key and an insert of it', {
    ...common,
    threads: [
      (list) => void remove(list, 2),
      (list) => {
        remove(list, 2)
        add(list, 2)
      },
    ],
  }),
  passes('a Harris list, three threads on neighbours', {
    ...common,
    threads: [(list) => void remove(list, 2), (list) => void remove(list, 4), (list) => void has(list, 4)],
  }),
]
