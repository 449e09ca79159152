import {
  isConflict,
  isExpired,
  type Isolation,
  type TextReads,
  type TextTransaction,
  type TransactionalStore,
} from '../../../src/cli/transactional-store.ts'
import type { Random } from '../random.ts'
import type { HistoryLog } from './history-log.ts'
import { layoutOf, registerEntry, type Layout, type LayoutName, type Workload } from './layout.ts'

export interface Mix {
  readonly workload: Workload
  readonly layout: LayoutName
  readonly isolation: Isolation
  /** Keys in use at a time. */
  readonly keys: number
  /** Moments of the clock before fresh keys take their place: lists stay short. */
  readonly keysLast: number
}

/** Values of one thread differ from those of all others. */
const VALUES_OF_THREAD = 1_000_000
const MOST_OPERATIONS = 4
const ATTEMPTS = 4
/** Words of the log that a call takes at most, with all its attempts, by a generous estimate. */
const ROOM = 12_000

class Abandoned extends Error {}

/** Random transactions, snapshots and batches of one thread, and its log of them. */
export class Transactor {
  readonly #store: TransactionalStore
  readonly #log: HistoryLog
  readonly #mix: Mix
  readonly #random: Random
  readonly #layout: Layout
  readonly #read: 'list' | 'read'
  readonly #write: 'append' | 'write'
  #value: number

  constructor(store: TransactionalStore, log: HistoryLog, mix: Mix, random: Random, thread: number) {
    this.#store = store
    this.#log = log
    this.#mix = mix
    this.#random = random
    this.#layout = layoutOf(mix.layout, mix.workload)
    this.#read = mix.workload === 'lists' ? 'list' : 'read'
    this.#write = mix.workload === 'lists' ? 'append' : 'write'
    this.#value = thread * VALUES_OF_THREAD
  }

  /** False once the log is full. */
  step(): boolean {
    if (!this.#log.hasRoom(ROOM)) return false
    const roll = this.#random.int(100)
    if (roll < 12) this.#snapshot()
    else if (roll < 20) this.#single()
    else if (roll < 30 && this.#mix.workload === 'registers' && this.#mix.layout === 'values') this.#batch()
    else this.#transaction()
    return true
  }

  /** Every attempt is a transaction of its own in the history: those that failed must have left no trace. */
  #transaction(): void {
    const log = this.#log
    const abandon = this.#random.chance(5)
    /** The moment before which the attempt's snapshot has certainly not been taken. */
    let invoked = log.tick()
    let open = false
    const body = (tx: TextTransaction): void => {
      if (open) log.end('aborted', log.tick())
      log.begin(invoked)
      open = true
      for (let left = 1 + this.#random.int(MOST_OPERATIONS); left > 0; left--) this.#operate(tx)
      invoked = log.tick()
      if (abandon) throw new Abandoned()
    }
    try {
      this.#store.transaction(body, { isolation: this.#mix.isolation, attempts: ATTEMPTS })
      log.end('ok', log.tick())
    } catch (error) {
      if (!(error instanceof Abandoned) && !isConflict(error) && !isExpired(error)) throw error
      // It may have expired before the body was called at all.
      if (open) log.end('aborted', log.tick())
    }
  }

  #operate(tx: TextTransaction): void {
    const roll = this.#random.int(100)
    if (roll < 15) this.#readAll(tx)
    else if (roll < 45) this.#readOne(tx, this.#key())
    else {
      const key = this.#key()
      if (this.#mix.workload === 'registers' && roll < 85) this.#readOne(tx, key)
      const value = ++this.#value
      // In the log first: if this thread dies, others may see it.
      this.#log.add(this.#write, key, [value])
      this.#layout.write(tx, key, value)
    }
  }

  #readOne(reads: TextReads, key: number): void {
    this.#note(key, this.#layout.read(reads, key))
  }

  #readAll(reads: TextReads): void {
    const from = this.#firstKey()
    const found = this.#layout.readMany(reads, from, from + this.#mix.keys)
    found.forEach((values, i) => this.#note(from + i, values))
  }

  #note(key: number, values: readonly number[]): void {
    if (this.#read === 'read' && values.length > 1)
      throw new Error(`register ${key} has ${values.length} values at once`)
    this.#log.add(this.#read, key, values)
  }

  /** Whatever is read from a snapshot was there when it was taken. */
  #snapshot(): void {
    const log = this.#log
    log.begin(log.tick())
    const snapshot = this.#store.snapshot()
    const completed = log.tick()
    try {
      if (this.#random.chance(50)) this.#readAll(snapshot)
      else for (let left = 3; left > 0; left--) this.#readOne(snapshot, this.#key())
      log.end('ok', completed)
    } catch (error) {
      if (!isExpired(error)) throw error
      log.end('aborted', completed)
    } finally {
      snapshot.close()
    }
  }

  /** A plain read of one key is as good as a transaction, unless it is a scan. */
  #single(): void {
    if (this.#mix.layout === 'rows') return this.#snapshot()
    const log = this.#log
    log.begin(log.tick())
    this.#readOne(this.#store, this.#key())
    log.end('ok', log.tick())
  }

  #batch(): void {
    const log = this.#log
    const keys = new Set([this.#key(), this.#key(), this.#key()])
    log.begin(log.tick())
    const operations = Array.from(keys, (key) => {
      const value = ++this.#value
      log.add('write', key, [value])
      return { type: 'set' as const, ...registerEntry(key, value) }
    })
    this.#store.batch(operations)
    log.end('ok', log.tick())
  }

  #key(): number {
    return this.#firstKey() + this.#random.int(this.#mix.keys)
  }

  #firstKey(): number {
    return this.#mix.keys * Math.floor(this.#log.now() / this.#mix.keysLast)
  }
}
