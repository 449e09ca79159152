/**
 * A small B-link tree, a set of numbers above 0: a root of one or two levels, whose pages are replaced as a whole in a
 * page table. A page that splits first links its new sibling, and then its separator is posted to the root; until then
 * the sibling is reached over the link. The root keeps its id: when it has split as a leaf it is hoisted, that is, its
 * half moves to another id and the root becomes an inner page.
 */
import assert from 'node:assert/strict'
import { op, set } from '../../../src/explore/index.ts'
import { passes, type Scenario } from '../support/scenario.ts'

const nextId = 16
export const table = 20
const firstBlock = 128
const blockWords = 12
const leafCapacity = 2

export interface Page {
  readonly leaf: boolean
  /** Keys from here on are in the pages to the right; 0 if there are none. */
  readonly high: number
  readonly right: number
  /** The keys of a leaf, or the separators of an inner page: one fewer than its children. */
  readonly keys: readonly number[]
  readonly children: readonly number[]
}

/** What a page id stands for at a moment: a block, which never changes. */
export interface Place {
  readonly id: number
  readonly block: number
  readonly page: Page
}

export class BLinkTree {
  readonly words: Int32Array
  #next: number

  constructor(words: Int32Array, thread: number) {
    this.words = words
    this.#next = firstBlock + 256 * (thread + 1)
  }

  /** Makes a tree of these leaves: with one it is the root, with more the root is above them. */
  static format(words: Int32Array, ...leaves: readonly (readonly number[])[]): void {
    const tree = new BLinkTree(words, -1)
    const single = leaves.length === 1
    leaves.forEach((keys, i) => {
      const last = i === leaves.length - 1
      const page = { leaf: true, high: last ? 0 : leaves[i + 1]![0]!, right: last ? 0 : i + 2, keys, children: [] }
      words[table + (single ? 0 : i + 1)] = tree.write(page)
    })
    words[nextId] = single ? 1 : leaves.length + 1
    if (single) return
    const children = leaves.map((_, i) => i + 1)
    words[table] = tree.write({
      leaf: false,
      high: 0,
      right: 0,
      keys: leaves.slice(1).map((keys) => keys[0]!),
      children,
    })
  }

  write(page: Page): number {
    const { words } = this
    const block = this.#next
    this.#next += blockWords
    words[block] = page.leaf ? 0 : 1
    words[block + 1] = page.high
    words[block + 2] = page.right
    words[block + 3] = page.keys.length
    for (let i = 0; i < page.keys.length; i++) words[block + 4 + i] = page.keys[i]!
    for (let i = 0; i < page.children.length; i++) words[block + 8 + i] = page.children[i]!
    return block
  }

  read(id: number): Place {
    const { words } = this
    const block = Atomics.load(words, table + id)
    const leaf = words[block] === 0
    const keys: number[] = []
    const children: number[] = []
    const count = words[block + 3]!
    for (let i = 0; i < count; i++) keys.push(words[block + 4 + i]!)
    if (!leaf) for (let i = 0; i <= count; i++) children.push(words[block + 8 + i]!)
    return { id, block, page: { leaf, high: words[block + 1]!, right: words[block + 2]!, keys, children } }
  }

  /** Makes an id stand for a new page, unless it stands for another by now. */
  replace({ id, block }: Place, page: Page): boolean {
    return Atomics.compareExchange(this.words, table + id, block, this.write(page)) === block
  }

  publish(page: Page): number {
    const id = this.reserve()
    this.fill(id, page)
    return id
  }

  reserve(): number {
    return Atomics.add(this.words, nextId, 1)
  }

  fill(id: number, page: Page): void {
    Atomics.store(this.words, table + id, this.write(page))
  }

  leafOf(key: number): Place {
    let id = 0
    for (;;) {
      const place = this.read(id)
      const { page } = place
      if (page.high !== 0 && key >= page.high) id = page.right
      else if (page.leaf) return place
      else id = page.children[countUpTo(page.keys, key)]!
    }
  }

  has(key: number): boolean {
    return this.leafOf(key).page.keys.includes(key)
  }

  add(key: number): boolean {
    for (;;) {
      const place = this.leafOf(key)
      const { page } = place
      if (page.keys.includes(key)) return false
      const keys = page.keys.toSpliced(countUpTo(page.keys, key), 0, key)
      const done = keys.length <= leafCapacity ? this.replace(place, { ...page, keys }) : this.split(place, keys)
      if (done) return true
    }
  }

  /** Replaces a leaf by two. */
  split(place: Place, keys: readonly number[]): boolean {
    const { page } = place
    const separator = keys[1]!
    const right = this.publish({ ...page, keys: keys.slice(1) })
    if (!this.replace(place, { ...page, keys: keys.slice(0, 1), high: separator, right })) return false
    this.post(place.id, separator, right)
    return true
  }

  /** Makes the root lead to a page that has been split off. */
  post(_split: number, separator: number, child: number): void {
    for (;;) {
      const root = this.read(0)
      if (root.page.leaf) this.hoist(root)
      else if (root.page.keys.includes(separator) || this.insertEntry(root, separator, child)) return
    }
  }

  hoist(root: Place): void {
    const { page } = root
    const left = this.publish(page)
    this.replace(root, { leaf: false, high: 0, right: 0, keys: [page.high], children: [left, page.right] })
  }

  insertEntry(root: Place, separator: number, child: number): boolean {
    return this.replace(root, this.withEntry(root.page, separator, child))
  }

  withEntry(page: Page, separator: number, child: number): Page {
    const at = countUpTo(page.keys, separator)
    const children = page.leaf ? page.children : page.children.toSpliced(at + 1, 0, child)
    return { ...page, keys: page.keys.toSpliced(at, 0, separator), children }
  }

  /** All keys in order. Keys that are there throughout are among them. */
  scan(): number[] {
    const found: number[] = []
    let place = this.leafOf(0)
    for (;;) {
      found.push(...place.page.keys)
      if (place.page.right === 0) return found
      place = this.read(place.page.right)
    }
  }

  /** Throws unless every leaf keeps to its bounds and the root leads to each. For a tree that nobody changes. */
  verify(): void {
    const root = this.read(0)
    let place = this.leafOf(0)
    let low = 0
    for (;;) {
      const { keys, high, right } = place.page
      for (const key of keys) assert.ok(key >= low && (high === 0 || key < high), `${key} is out of bounds`)
      if (right === 0) break
      assert.ok(root.page.keys.includes(high), `the root does not lead to the page from ${high} on`)
      low = high
      place = this.read(right)
    }
    assert.equal(root.page.leaf, low === 0)
  }
}

function countUpTo(keys: readonly number[], key: number): number {
  let count = 0
  while (count < keys.length && keys[count]! <= key) count++
  return count
}

export const add = (tree: BLinkTree, key: number): boolean => op('add', [key], () => tree.add(key))
export const has = (tree: BLinkTree, key: number): boolean => op('has', [key], () => tree.has(key))

export function verify(sab: SharedArrayBuffer): void {
  new BLinkTree(new Int32Array(sab), 7).verify()
}

/** A scan beside others, who take nothing away. */
export function scanAll(tree: BLinkTree, ...throughout: readonly number[]): void {
  const found = tree.scan()
  for (const key of throughout) assert.ok(found.includes(key), `the scan misses ${key}: ${found.join(' ')}`)
}

export const memory = { bytes: 16384 }

export const scenarios: Scenario[] = [
  passes('a B-link tree, a read beside the first split', {
    memory,
    setup: (sab) => BLinkTree.format(new Int32Array(sab), [2, 4]),
    attach: (sab, thread) => new BLinkTree(new Int32Array(sab), thread),
    threads: [
      (tree) => void add(tree, 3),
      (tree) => {
        has(tree, 4)
        has(tree, 3)
      },
    ],
    after: verify,
    linearizable: set([2, 4]),
  }),
  passes('a B-link tree, a sibling that splits before the root is hoisted', {
    memory,
    setup: (sab) => BLinkTree.format(new Int32Array(sab), [2, 4]),
    attach: (sab, thread) => new BLinkTree(new Int32Array(sab), thread),
    threads: [(tree) => void add(tree, 6), (tree) => void add(tree, 8)],
    after: verify,
    linearizable: set([2, 4]),
  }),
  passes('a B-link tree, two splits under one root', {
    memory,
    setup: (sab) => BLinkTree.format(new Int32Array(sab), [1, 3], [5, 7]),
    attach: (sab, thread) => new BLinkTree(new Int32Array(sab), thread),
    threads: [(tree) => void add(tree, 2), (tree) => void add(tree, 6)],
    after: verify,
    linearizable: set([1, 3, 5, 7]),
  }),
  passes('a B-link tree, a scan beside a split', {
    memory,
    setup: (sab) => BLinkTree.format(new Int32Array(sab), [1, 3], [5, 7]),
    attach: (sab, thread) => new BLinkTree(new Int32Array(sab), thread),
    threads: [(tree) => void tree.add(2), (tree) => scanAll(tree, 1, 3, 5, 7)],
    after: verify,
  }),
]
