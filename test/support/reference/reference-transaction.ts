import type { Range } from '../../../src/index.ts'
import type { Isolation, TextTransaction } from '../../../src/cli/transactional-store.ts'
import type { Database } from './database.ts'

/** A transaction on a database as it was at the beginning. It changes nothing until it is committed. */
export class ReferenceTransaction implements TextTransaction {
  readonly #base: Database
  readonly #isolation: Isolation
  readonly #writes = new Map<string, string | undefined>()
  readonly #keys = new Set<string>()
  readonly #ranges: Range<string>[] = []

  constructor(base: Database, isolation: Isolation) {
    this.#base = base
    this.#isolation = isolation
  }

  get(key: string): string | undefined {
    if (this.#writes.has(key)) return this.#writes.get(key)
    this.#keys.add(key)
    return this.#base.get(key)
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  set(key: string, value: string): void {
    this.#writes.set(key, value)
  }

  delete(key: string): boolean {
    const there = this.has(key)
    this.#writes.set(key, undefined)
    return there
  }

  entries(range: Range<string> = {}): IterableIterator<[string, string]> {
    this.#ranges.push(range)
    return this.#base.with(this.#writes).entries(range)[Symbol.iterator]()
  }

  keys(range?: Range<string>): IterableIterator<string> {
    return Array.from(this.entries(range), ([key]) => key)[Symbol.iterator]()
  }

  values(range?: Range<string>): IterableIterator<string> {
    return Array.from(this.entries(range), ([, value]) => value)[Symbol.iterator]()
  }

  get writes(): ReadonlyMap<string, string | undefined> {
    return this.#writes
  }

  /** Whether it may be committed to a database that has grown out of the one at its beginning. */
  mayCommit(now: Database): boolean {
    if (this.#writes.size === 0) return true
    const { clock } = this.#base
    for (const key of this.#writes.keys()) if (now.changedSince(key, clock) && this.#needs(key)) return false
    if (this.#isolation === 'snapshot') return true
    for (const key of this.#keys) if (now.changedSince(key, clock)) return false
    return !this.#ranges.some((range) => now.rangeChangedSince(range, clock))
  }

  /** Two blind writes may follow each other in any order; under snapshot isolation the first one wins. */
  #needs(key: string): boolean {
    return this.#isolation === 'snapshot' || this.#keys.has(key)
  }
}
