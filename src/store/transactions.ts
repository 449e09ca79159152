/**
 * Transactions: run a body on a snapshot, then commit what it wrote, all or nothing, or begin again.
 *
 * Optimistic: nothing is locked while the body runs. Serializable transactions have what they read looked at again when
 * they commit (Kung and Robinson 1981), ranges too, at the one moment at which they take effect; snapshot transactions
 * commit if nobody has changed a key that they change since they began (first committer wins; Berenson et al. 1995).
 *
 * Progress: lock-free; an attempt fails only because another write was committed meanwhile. Thread safety: private to one
 * store. Death: see tree/batches.ts.
 */
import { HeddleError } from '../memory/error.ts'
import { GLOBAL_CLEANER_BELL } from '../memory/layout.ts'
import { listen, park } from '../memory/parking.ts'
import type { Reads } from '../tree/batch-writer.ts'
import { ISOLATION_SERIALIZABLE, ISOLATION_SNAPSHOT } from '../tree/descriptor.ts'
import { PUT_ABSENT, PUT_ANY } from '../tree/tree.ts'
import type { Mark } from '../tree/snapshots.ts'
import type { KeyCodec, ValueCodec } from './codec.ts'
import type { Engine } from './engine.ts'
import { type RawBuffer, rawBuffer } from './raw-buffer.ts'
import type { RecordReader } from './reader.ts'
import type { RecordEncoder } from './record-encoder.ts'
import { type Change, type Isolation, Transaction } from './transaction.ts'

export interface TransactionOptions {
  /** `'serializable'` by default. */
  isolation?: Isolation
  /** How often the body may be run, 1 to 1,000,000; 100 by default. */
  attempts?: number
}

/** Commits changes together, if what was read still holds. @returns whether it did */
export type Commit = (changes: readonly Change[], reads: Reads) => boolean

const DEFAULT_ATTEMPTS = 100
const MOST_ATTEMPTS = 1_000_000
/** Attempts before it waits at all. */
const EAGER_ATTEMPTS = 3
const LONGEST_WAIT_MS = 8

export class Transactions<K, V> {
  private readonly engine: Engine
  private readonly keys: KeyCodec
  private readonly values: ValueCodec
  private readonly reader: RecordReader
  private readonly encoder: RecordEncoder
  private readonly commit: Commit
  private readonly check: () => void
  /** The bytes of `tree.key`, to be read as text. */
  private readonly keyText: RawBuffer
  private running = false

  constructor(
    engine: Engine,
    keys: KeyCodec,
    values: ValueCodec,
    reader: RecordReader,
    encoder: RecordEncoder,
    commit: Commit,
    check: () => void,
  ) {
    this.engine = engine
    this.keys = keys
    this.values = values
    this.reader = reader
    this.encoder = encoder
    this.commit = commit
    this.check = check
    this.keyText = rawBuffer(engine.tree.key.bytes.buffer)
  }

  /** Refuses what cannot be part of the transaction under way. @throws HeddleError HEDDLE_NESTED */
  refuseNested(): void {
    if (!this.running) return
    throw new HeddleError(
      'HEDDLE_NESTED',
      'a transaction of this store is under way; use its argument instead, or attach the store once more',
    )
  }

  /** See Store. */
  run<T>(body: (tx: Transaction<K, V>) => T, options: TransactionOptions): T {
    this.refuseNested()
    const { isolation, attempts } = checkTransactionOptions(body, options)
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const mark = this.engine.snapshots.take(Date.now() | 0, true)
      try {
        const { engine, reader, keys, values, check } = this
        const tx = new Transaction<K, V>(engine, reader, keys, values, mark, isolation, this.keyText, check)
        const result = this.runBody(body, tx)
        if (this.tryCommit(tx, mark, isolation)) return result
      } finally {
        if (!this.engine.detached) this.engine.snapshots.close(mark)
      }
      if (attempt < attempts) this.backOff(attempt)
    }
    throw new HeddleError(
      'HEDDLE_CONFLICT',
      `other threads changed what the transaction read or wrote in each of ${attempts} attempts; make it shorter, let it touch fewer keys, or allow more attempts`,
    )
  }

  private runBody<T>(body: (tx: Transaction<K, V>) => T, tx: Transaction<K, V>): T {
    this.running = true
    try {
      const result = body(tx)
      if (isThenable(result)) {
        throw new HeddleError(
          'HEDDLE_INVALID_OPTION',
          'the body of a transaction gave a promise; it must do everything before it returns, so it cannot be async',
        )
      }
      return result
    } finally {
      this.running = false
      tx.end()
    }
  }

  private tryCommit(tx: Transaction<K, V>, mark: Mark, isolation: Isolation): boolean {
    this.check()
    const changes = tx.inOrder()
    if (changes.length === 0) return true
    const keys = tx.keysRead()
    const ranges = tx.rangesRead()
    if (changes.length === 1 && ranges.length === 0 && this.swapOne(changes[0], keys, mark, isolation)) return true
    const code = isolation === 'serializable' ? ISOLATION_SERIALIZABLE : ISOLATION_SNAPSHOT
    return this.commit(changes, { mark, isolation: code, keys, ranges })
  }

  /**
   * A transaction that changes one key and has read no other one is a swap of that key.
   * @returns whether it was done; if not, it may still be possible in the usual way
   */
  private swapOne(change: Change, keys: readonly Uint8Array[], mark: Mark, isolation: Isolation): boolean {
    if (keys.length > 1 || (keys.length === 1 && Buffer.compare(keys[0], change.key) !== 0)) return false
    const { tree, scheme } = this.engine
    tree.key.copyFrom(change.key, 0, change.key.length)
    if (keys.length === 0 && isolation === 'serializable') return this.putOne(change, PUT_ANY, 0)
    const since = scheme.epoch()
    const record = this.recordAt(mark, since)
    // It may be in the tables: the usual way does not ask.
    if (record === 0 && tree.unknown && (mark.version ?? 0) !== 0) return false
    if (change.value === null) return record !== 0 && tree.remove(record, since)
    return this.putOne(change, record === 0 ? PUT_ABSENT : record, since)
  }

  private recordAt(mark: Mark, since: number): number {
    const { tree, scheme, snapshots } = this.engine
    scheme.enter()
    try {
      const record = tree.findAt(mark.ts)
      if (!snapshots.isLive(mark)) throw snapshots.expired()
      if (record !== 0) tree.remember(since)
      return record
    } finally {
      scheme.leave()
    }
  }

  private putOne({ value, ascii }: Change, mode: number, since: number): boolean {
    if (value === null) return this.engine.remove()
    this.encoder.writeBytes(value, ascii)
    return this.encoder.link(mode, since)
  }

  /** Waits a random time that grows with the attempts, so that two that are in each other's way part. */
  private backOff(attempt: number): void {
    if (attempt <= EAGER_ATTEMPTS) return
    const { words } = this.engine.arena
    const most = Math.min(LONGEST_WAIT_MS, 2 ** (attempt - EAGER_ATTEMPTS) / 16)
    // The bell may ring meanwhile, which only ends the wait early.
    park(words, GLOBAL_CLEANER_BELL, listen(words, GLOBAL_CLEANER_BELL), Math.random() * most)
  }
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}

/** @throws HeddleError HEDDLE_INVALID_OPTION */
function checkTransactionOptions(body: unknown, options: TransactionOptions): Required<TransactionOptions> {
  const refuse = (message: string): never => {
    throw new HeddleError('HEDDLE_INVALID_OPTION', message)
  }
  if (typeof body !== 'function') refuse('transaction takes a function of the transaction')
  if (typeof options !== 'object' || options === null) {
    refuse('the options of a transaction are an object such as { isolation, attempts }')
  }
  for (const name of Object.keys(options)) {
    if (name !== 'isolation' && name !== 'attempts') {
      refuse(`${name} is no option of a transaction; known are isolation, attempts`)
    }
  }
  const { isolation = 'serializable', attempts = DEFAULT_ATTEMPTS } = options
  if (isolation !== 'serializable' && isolation !== 'snapshot') {
    refuse(`isolation is ${String(isolation)}; give 'serializable' or 'snapshot'`)
  }
  if (!Number.isInteger(attempts) || attempts < 1 || attempts > MOST_ATTEMPTS) {
    refuse(`attempts is ${String(attempts)}; give a whole number from 1 to ${MOST_ATTEMPTS}`)
  }
  return { isolation, attempts }
}
