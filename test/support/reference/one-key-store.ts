import type { TextTransaction, TransactionalStore, TransactionOptions } from '../../../src/cli/transactional-store.ts'
import type { Store } from '../../../src/index.ts'
import { Database } from './database.ts'
import { ReferenceStore } from './reference-store.ts'
import type { ReferenceTransaction } from './reference-transaction.ts'

/** What such a store may do wrong, so that it can be shown that the tests notice. */
export type Fault =
  | 'none'
  /** Commits do not look at what has changed. */
  | 'lost updates'
  /** Every transaction is only snapshot isolated. */
  | 'write skew'
  /** Writes become visible one after the other. */
  | 'torn commits'
  /** Snapshots and transactions begin from what this thread has seen some time ago. */
  | 'old snapshots'

const place = 'the whole database'
/** Loads between two looks at what is really there, for old snapshots. */
const looksAway = 4

/**
 * Transactions for many threads on a store that has none: the whole database is one value, and a commit one
 * compareAndSet. As right as compareAndSet is linearizable, and just as safe from threads that die; slow.
 */
export class OneKeyStore extends ReferenceStore implements TransactionalStore {
  readonly #store: Store<string, string>
  readonly #fault: Fault
  readonly #empty = new Database().toText()
  #seen: Database | undefined
  #text: string | undefined
  #loads = 0

  constructor(store: Store<string, string>, fault: Fault = 'none') {
    super()
    this.#store = store
    this.#fault = fault
    store.setIfAbsent(place, this.#empty)
  }

  protected override load(): Database {
    if (this.#fault === 'old snapshots' && this.#seen !== undefined && ++this.#loads % looksAway !== 0)
      return this.#seen
    const text = this.#store.get(place)!
    if (text !== this.#text || this.#seen === undefined) {
      this.#text = text
      this.#seen = Database.fromText(text)
    }
    return this.#seen
  }

  protected override swap(old: Database, next: Database): boolean {
    const swapped = this.#store.compareAndSet(place, old.toText(), next.toText())
    if (!swapped) this.#seen = undefined
    return swapped
  }

  protected override commit(tx: ReferenceTransaction): boolean {
    switch (this.#fault) {
      case 'lost updates':
        this.install(tx.writes)
        return true
      case 'torn commits':
        if (!tx.mayCommit(this.load())) return false
        for (const write of tx.writes) super.install([write])
        return true
      default:
        return super.commit(tx)
    }
  }

  protected override install(writes: Iterable<readonly [string, string | undefined]>): void {
    if (this.#fault !== 'torn commits') return super.install(writes)
    for (const write of writes) super.install([write])
  }

  override transaction<T>(body: (tx: TextTransaction) => T, options: TransactionOptions = {}): T {
    return super.transaction(body, this.#fault === 'write skew' ? { ...options, isolation: 'snapshot' } : options)
  }
}
