import type { Snapshot } from '../../src/index.ts'
import type { Pair } from './codec-pairs.ts'

export interface ModelRange<K> {
  readonly gt?: K
  readonly gte?: K
  readonly lt?: K
  readonly lte?: K
  readonly prefix?: K
  readonly reverse?: boolean
  readonly limit?: number
}

/** What the store should be: a plain array in the order of the keys. */
export class SortedModel<K, V> {
  readonly pair: Pair<K, V>
  /** Snapshots that are live, each with the model of that moment. */
  readonly snapshots: { readonly snapshot: Snapshot<K, V>; readonly then: SortedModel<K, V> }[] = []
  #entries: [K, V][] = []

  constructor(pair: Pair<K, V>) {
    this.pair = pair
  }

  /** A model of this moment. */
  copy(): SortedModel<K, V> {
    const copy = new SortedModel(this.pair)
    copy.#entries = [...this.#entries]
    return copy
  }

  get size(): number {
    return this.#entries.length
  }

  get(key: K): V | undefined {
    return this.#entries.find(([other]) => this.#same(key, other))?.[1]
  }

  has(key: K): boolean {
    return this.get(key) !== undefined
  }

  set(key: K, value: V): void {
    this.delete(key)
    const { keys, values } = this.pair
    this.#entries.push([keys.canonical(key), values.canonical(value)])
    this.#entries.sort(([a], [b]) => keys.compare(a, b))
  }

  delete(key: K): boolean {
    const before = this.#entries.length
    this.#entries = this.#entries.filter(([other]) => !this.#same(key, other))
    return this.#entries.length < before
  }

  /** Sets, or deletes for undefined. */
  put(key: K, value: V | undefined): void {
    if (value === undefined) this.delete(key)
    else this.set(key, value)
  }

  clear(): void {
    this.#entries = []
  }

  entries(range: ModelRange<K> = {}): [K, V][] {
    const found = this.#entries.filter(([key]) => this.within(key, range))
    if (range.reverse === true) found.reverse()
    return found.slice(0, range.limit ?? Infinity)
  }

  within(key: K, { gt, gte, lt, lte, prefix }: ModelRange<K>): boolean {
    const { compare, startsWith } = this.pair.keys
    if (gt !== undefined && compare(key, gt) <= 0) return false
    if (gte !== undefined && compare(key, gte) < 0) return false
    if (lt !== undefined && compare(key, lt) >= 0) return false
    if (lte !== undefined && compare(key, lte) > 0) return false
    return prefix === undefined || startsWith!(key, prefix)
  }

  /** Whether two values, or absences, have the same encoded bytes. */
  equal(a: V | undefined, b: V | undefined): boolean {
    if (a === undefined || b === undefined) return a === b
    return this.pair.values.identity(a) === this.pair.values.identity(b)
  }

  #same(a: K, b: K): boolean {
    return this.pair.keys.compare(a, b) === 0
  }
}
