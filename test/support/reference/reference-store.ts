import type {
  BatchOperation,
  TextReads,
  TextSnapshot,
  TextTransaction,
  TransactionalStore,
  TransactionOptions,
} from '../../../src/cli/transactional-store.ts'
import type { Range } from '../../../src/index.ts'
import { Database } from './database.ts'
import { ReferenceTransaction } from './reference-transaction.ts'

/**
 * A store with snapshots, batches and transactions that is right because it is simple: one immutable database after the
 * other, each taking the place of the last by one swap. For one thread; whoever can swap for many can inherit from it.
 */
export class ReferenceStore implements TransactionalStore {
  #database = new Database()
  #busy = false

  protected load(): Database {
    return this.#database
  }

  /** Puts a database in the place of another, unless that one is not there any more. */
  protected swap(old: Database, next: Database): boolean {
    if (this.#database !== old) return false
    this.#database = next
    return true
  }

  get(key: string): string | undefined {
    return this.load().get(key)
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  entries(range?: Range<string>): IterableIterator<[string, string]> {
    return this.load().entries(range)[Symbol.iterator]()
  }

  keys(range?: Range<string>): IterableIterator<string> {
    return viewOf(this.load()).keys(range)[Symbol.iterator]() as IterableIterator<string>
  }

  values(range?: Range<string>): IterableIterator<string> {
    return viewOf(this.load()).values(range)[Symbol.iterator]() as IterableIterator<string>
  }

  set(key: string, value: string): void {
    this.#put([[key, value]])
  }

  delete(key: string): boolean {
    const there = this.has(key)
    this.#put([[key, undefined]])
    return there
  }

  batch(operations: readonly BatchOperation[]): void {
    if (this.#busy) throw refusal('HEDDLE_NESTED', 'a batch within a transaction')
    this.install(operations.map((step) => [step.key, step.type === 'set' ? step.value : undefined]))
  }

  snapshot(): TextSnapshot {
    return { ...viewOf(this.load()), close: () => undefined }
  }

  transaction<T>(body: (tx: TextTransaction) => T, options: TransactionOptions = {}): T {
    const { isolation = 'serializable', attempts = 100 } = options
    if (this.#busy) throw refusal('HEDDLE_NESTED', 'a transaction within a transaction')
    for (let attempt = 0; attempt < attempts; attempt++) {
      const tx = new ReferenceTransaction(this.load(), isolation)
      this.#busy = true
      let result: T
      try {
        result = body(tx)
      } finally {
        this.#busy = false
      }
      if (this.commit(tx)) return result
    }
    throw refusal('HEDDLE_CONFLICT', `no attempt of ${attempts} was fast enough`)
  }

  protected commit(tx: ReferenceTransaction): boolean {
    for (;;) {
      const now = this.load()
      if (!tx.mayCommit(now)) return false
      if (tx.writes.size === 0 || this.swap(now, now.with(tx.writes))) return true
    }
  }

  protected install(writes: Iterable<readonly [string, string | undefined]>): void {
    this.#put([...writes])
  }

  #put(writes: readonly (readonly [string, string | undefined])[]): void {
    for (;;) {
      const now = this.load()
      if (this.swap(now, now.with(writes))) return
    }
  }
}

function viewOf(database: Database): TextReads {
  return {
    get: (key) => database.get(key),
    has: (key) => database.get(key) !== undefined,
    entries: (range) => database.entries(range),
    keys: (range) => database.entries(range).map(([key]) => key),
    values: (range) => database.entries(range).map(([, value]) => value),
  }
}

function refusal(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}
