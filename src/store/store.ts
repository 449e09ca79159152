/**
 * The public face of the engine: one ordered map, shared by all threads that hold its handle.
 *
 * Thread safety: a Store belongs to the thread that made it; any number of Stores on one handle work at once. Single-key
 * operations are linearizable and lock-free. Iterations, ranges and `size` are weakly consistent while others write.
 */
import type { Worker, WorkerOptions } from 'node:worker_threads'
import { HeddleError } from '../memory/error.ts'
import type { Arena } from '../memory/arena.ts'
import type { Mark } from '../tree/snapshots.ts'
import { PUT_ABSENT, PUT_ANY } from '../tree/tree.ts'
import { type BackupOptions, type BackupReport, backUp } from './backing-up.ts'
import { type BatchOperation, Batching } from './batching.ts'
import type { KeyCodec, ValueCodec } from './codec.ts'
import { type CleanerThread, forgetOpenStore, rememberOpenStore } from './cleaner-thread.ts'
import { Durability, type Opener } from './durability.ts'
import type { Engine } from './engine.ts'
import type { StoreHandle } from './handle.ts'
import { Iteration } from './iteration.ts'
import { Entries, Keys, Values } from './iterators.ts'
import { type Range, checkRange } from './range.ts'
import { RecordReader } from './reader.ts'
import { ReadsNow } from './reads-now.ts'
import { RecordEncoder } from './record-encoder.ts'
import { Snapshot, type SnapshotHandle, checkSnapshotHandle } from './snapshot.ts'
import { type Stats, type VerifyReport, collectStats, collectVerify } from './stats.ts'
import { Swapping } from './swapping.ts'
import type { Transaction } from './transaction.ts'
import { type TransactionOptions, Transactions } from './transactions.ts'
import { spawnWorker, watchWorker } from './threads.ts'

/** Ended iterations that a store keeps. */
const MOST_IDLE = 8

export class Store<K = string, V = string> {
  /** Structured-cloneable; pass it to other threads and `attach` it there. */
  readonly handle: StoreHandle
  private readonly engine: Engine
  private readonly keyCodec: KeyCodec
  private readonly valueCodec: ValueCodec
  private readonly reader: RecordReader
  private readonly cleanerThread: CleanerThread | null
  private readonly reads: ReadsNow
  private readonly encoder: RecordEncoder
  private readonly swapping: Swapping<K, V>
  private readonly batching: Batching<K, V>
  private readonly transactions: Transactions<K, V>
  /** Null in a store that is only in memory. */
  private readonly durability: Durability | null
  private readonly checkOpen = (): void => this.check()
  private closed = false

  /** Stores are made by `open` and `attach`. @internal */
  constructor(
    arena: Arena,
    engine: Engine,
    keys: KeyCodec,
    values: ValueCodec,
    handle: StoreHandle,
    cleaner: CleanerThread | null,
    opener: Opener | null = null,
  ) {
    this.engine = engine
    this.keyCodec = keys
    this.valueCodec = values
    this.handle = handle
    this.reader = new RecordReader(arena, keys, values)
    this.reads = new ReadsNow(engine, this.reader)
    this.cleanerThread = cleaner
    this.encoder = new RecordEncoder(engine.tree, this.reader.raw, values)
    this.swapping = new Swapping(engine, keys, values, this.reader, this.encoder, this.checkOpen)
    this.batching = new Batching(engine, keys, values, this.encoder, this.checkOpen)
    this.transactions = new Transactions(
      engine,
      keys,
      values,
      this.reader,
      this.encoder,
      (changes, reads) => this.batching.commitChanges(changes, reads),
      this.checkOpen,
    )
    this.durability = engine.tier === null ? null : new Durability(engine, engine.tier, opener)
    rememberOpenStore(this, opener !== null)
  }

  private check(): void {
    if (this.closed)
      throw new HeddleError('HEDDLE_CLOSED', 'the store is closed in this thread; attach its handle again to go on')
  }

  /**
   * Sets a key's value.
   * @throws HeddleError HEDDLE_INVALID_KEY, HEDDLE_INVALID_VALUE, HEDDLE_TOO_LARGE, HEDDLE_FULL, HEDDLE_CLOSED; nothing has
   * changed then
   * Complexity: O(log n). Lock-free, linearizable.
   */
  set(key: K, value: V): void {
    this.check()
    const staged = this.valueCodec.stage(value)
    const { durability } = this
    if (durability !== null) durability.before()
    this.keyCodec.encode(key, this.engine.tree.key)
    this.encoder.write(staged)
    this.encoder.link(PUT_ANY, 0)
    if (durability !== null) durability.after()
  }

  /**
   * The value of a key, a copy, or undefined.
   * @throws HeddleError HEDDLE_INVALID_KEY, HEDDLE_TOO_LARGE, HEDDLE_CLOSED
   * Complexity: O(log n). Lock-free, linearizable; never waits for a writer.
   */
  get(key: K): V | undefined {
    this.check()
    this.keyCodec.encode(key, this.engine.tree.key)
    const staged = this.reads.value()
    return staged === undefined ? undefined : (this.valueCodec.finish(staged) as V)
  }

  /**
   * Copies the encoded value of a key into a buffer of the caller's, without allocating.
   * @param offset where in `bytes` to begin, in bytes
   * @returns the value's length in bytes, or -1 if the key is absent
   * @throws HeddleError HEDDLE_BUFFER_TOO_SMALL if it does not fit: the message says the length needed, nothing is copied
   */
  getInto(key: K, bytes: Uint8Array, offset = 0): number {
    this.check()
    if (!(bytes instanceof Uint8Array) || !Number.isInteger(offset) || offset < 0 || offset > bytes.length) {
      throw new HeddleError('HEDDLE_INVALID_VALUE', 'getInto takes a Uint8Array and an offset within it')
    }
    this.keyCodec.encode(key, this.engine.tree.key)
    return this.reads.into(bytes, offset)
  }

  /** Whether a key is there. Errors and complexity as for `get`. */
  has(key: K): boolean {
    this.check()
    this.keyCodec.encode(key, this.engine.tree.key)
    return this.reads.has()
  }

  /**
   * Removes a key. Works in a full store too.
   * @returns whether it was there
   */
  delete(key: K): boolean {
    this.check()
    const { durability } = this
    if (durability !== null) durability.before()
    this.keyCodec.encode(key, this.engine.tree.key)
    const isGone = this.engine.remove()
    if (durability !== null) durability.after()
    return isGone
  }

  /**
   * Sets a key's value if the key is absent.
   * @returns what was there already, or undefined if the value was set
   */
  setIfAbsent(key: K, value: V): V | undefined {
    this.check()
    const staged = this.valueCodec.stage(value)
    this.durability?.before()
    for (;;) {
      const there = this.get(key)
      if (there !== undefined) return there
      this.keyCodec.encode(key, this.engine.tree.key)
      this.encoder.write(staged)
      if (this.encoder.link(PUT_ABSENT, 0)) break
      if (this.engine.tree.unknown) this.engine.bring()
    }
    this.durability?.after()
    return undefined
  }

  /**
   * Sets a key to `next` if its value is `old`, by encoded bytes; undefined means absent, on either side.
   * @returns whether it did
   */
  compareAndSet(key: K, old: V | undefined, next: V | undefined): boolean {
    this.check()
    this.durability?.before()
    const isDone = this.swapping.compareAndSet(key, old, next)
    this.durability?.after()
    return isDone
  }

  /**
   * Changes a key's value by a function of the old one, atomically.
   * @param fn gets the value or undefined, gives the new one or undefined to delete; may be called again when another
   * thread was faster, and may call the store
   * @returns the new value. What `fn` throws comes through; nothing has changed then
   */
  update(key: K, fn: (old: V | undefined) => V | undefined): V | undefined {
    this.check()
    if (typeof fn !== 'function')
      throw new HeddleError('HEDDLE_INVALID_OPTION', 'update takes a function of the old value')
    this.durability?.before()
    const value = this.swapping.update(key, fn)
    this.durability?.after()
    return value
  }

  /**
   * Makes several changes that become visible at one moment: `{ type: 'set', key, value }` and `{ type: 'delete', key }`. Of
   * several changes of one key the last one counts.
   * @throws HeddleError HEDDLE_INVALID_KEY, HEDDLE_INVALID_VALUE, HEDDLE_INVALID_OPTION, HEDDLE_TOO_LARGE, HEDDLE_FULL,
   * HEDDLE_NESTED inside a transaction of this store; nothing has changed then
   * Complexity: O(k log n). Linearizable, lock-free: whoever meets a batch under way looks past it or brings it to its end;
   * after Harris, Fraser and Pratt's multi-word compare-and-swap (2002).
   */
  batch(operations: readonly BatchOperation<K, V>[]): void {
    this.check()
    this.transactions.refuseNested()
    this.durability?.before()
    this.batching.run(operations)
    this.durability?.after()
  }

  /**
   * Runs a body that reads and writes as if it were alone, and commits what it wrote at one moment, or runs it again.
   * @param body gets the transaction; it must not be async, and may run several times. What it throws comes through, and
   * nothing has changed then
   * @param options `isolation`: 'serializable' (the default: as if transactions ran one after the other) or 'snapshot' (reads
   * are of one moment, and nobody else has changed the same keys since then); `attempts`: how often the body may run, 100
   * @returns what the body returned in the attempt that was committed
   * @throws HeddleError HEDDLE_CONFLICT after so many attempts, HEDDLE_NESTED inside another transaction of this store,
   * HEDDLE_SNAPSHOT_EXPIRED if it takes longer than snapshots may live, HEDDLE_FULL, HEDDLE_INVALID_OPTION
   * Complexity: that of the body, and O(log n) for each key and entry read or written. Lock-free: an attempt fails only
   * because another write was committed. Optimistic (Kung and Robinson 1981; Fraser 2004).
   */
  transaction<T>(body: (tx: Transaction<K, V>) => T, options: TransactionOptions = {}): T {
    this.check()
    this.durability?.before()
    const result = this.transactions.run(body, options)
    this.durability?.after()
    return result
  }

  /** Iterations that have ended, to be used again. */
  private readonly idle: Iteration[] = []
  private readonly giveBack = (iteration: Iteration): void => {
    if (this.idle.length < MOST_IDLE) this.idle.push(iteration)
  }

  private iterate(range: Range<K> | undefined): Iteration {
    this.check()
    const checked = checkRange(range, this.keyCodec, this.keyCodec.hasPrefixes)
    return this.iteration().begin(checked, null)
  }

  private iteration(): Iteration {
    return this.idle.pop() ?? new Iteration(this.engine, this.reader, this.checkOpen)
  }

  /**
   * Entries in key order, lazily. Weakly consistent: in order, none twice, and whatever stays throughout is seen; what
   * others write meanwhile may be seen or not. Holds nothing between steps, so it may be left unfinished.
   * @throws HeddleError HEDDLE_INVALID_RANGE, HEDDLE_INVALID_KEY
   */
  entries(range?: Range<K>): IterableIterator<[K, V]> {
    return new Entries<K, V>(this.iterate(range), this.giveBack, this.keyCodec, this.valueCodec)
  }

  /** Keys in order; see `entries`. */
  keys(range?: Range<K>): IterableIterator<K> {
    return new Keys<K>(this.iterate(range), this.giveBack, this.keyCodec)
  }

  /** Values in key order; see `entries`. */
  values(range?: Range<K>): IterableIterator<V> {
    return new Values<V>(this.iterate(range), this.giveBack, this.valueCodec)
  }

  /** Calls `fn` for every entry in key order; see `entries`. */
  forEach(fn: (value: V, key: K, store: this) => void, range?: Range<K>): void {
    for (const [key, value] of this.entries(range)) fn(value, key, this)
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()
  }

  /**
   * Number of entries; exact when nobody writes. O(threads); after a thread died in the middle of an operation the entries
   * are counted, O(n), until a quiet moment. Of a store that is larger than its memory they are counted always.
   */
  get size(): number {
    this.check()
    if (this.engine.tree.context.residence.isPartial()) return this.iterate(undefined).countAll()
    return this.engine.size()
  }

  /** Removes every entry that is there throughout. Not atomic: what others set meanwhile may stay. O(n). */
  clear(): void {
    this.check()
    const { tree } = this.engine
    const iteration = this.iteration().begin({ low: null, high: null, reverse: false, limit: Infinity }, null)
    while (iteration.fillRaw()) {
      for (let i = 0; i < iteration.count; i++) {
        iteration.rawKey(i, tree.key)
        this.durability?.before()
        this.engine.remove()
      }
    }
    iteration.end()
    this.giveBack(iteration)
    this.durability?.after()
  }

  /**
   * Everything that was changed before the call, in whatever thread, is on disk when the promise is fulfilled. In a store
   * that is only in memory there is nothing to do.
   * @throws HeddleError HEDDLE_IO, HEDDLE_NO_SPACE if it could not be written: changes may be durable or not; HEDDLE_CLOSED
   */
  async flush(): Promise<void> {
    this.check()
    await this.durability?.flush()
  }

  /** As `flush`, but blocks the thread. In any thread. */
  flushSync(): void {
    this.check()
    this.durability?.flushSync()
  }

  /**
   * The store as it is now, for reading, whoever writes meanwhile: one moment for all of it. Close it, or dispose of it,
   * since what it sees is kept as long as it is live; see `snapshotMaxMs` and `snapshotMaxBytes` for one that is forgotten.
   * It belongs to this store, and ends with it; `attachSnapshot` takes it over elsewhere.
   * @throws HeddleError HEDDLE_TOO_MANY_SNAPSHOTS, HEDDLE_FULL, HEDDLE_CLOSED
   * Complexity: constant, whatever the size; O(n) once in 2^26 snapshots. Lock-free, linearizable. After vCAS (Wei et al.,
   * Constant-time snapshots with applications to concurrent data structures, PPoPP 2021).
   */
  snapshot(): Snapshot<K, V> {
    this.check()
    return this.snapshotOf(this.engine.snapshots.take(Date.now() | 0))
  }

  /**
   * A snapshot of its own that sees what another one sees, which must still be live and may be closed afterwards.
   * @param handle of a snapshot of the same store, in this thread or another
   * @throws HeddleError HEDDLE_SNAPSHOT_EXPIRED, HEDDLE_BAD_HANDLE, HEDDLE_TOO_MANY_SNAPSHOTS, HEDDLE_CLOSED
   */
  attachSnapshot(handle: SnapshotHandle): Snapshot<K, V> {
    this.check()
    const mark = checkSnapshotHandle(handle, this.engine.arena)
    return this.snapshotOf(this.engine.snapshots.attach(mark, Date.now() | 0))
  }

  private snapshotOf(mark: Mark): Snapshot<K, V> {
    const { engine, reader, keyCodec, valueCodec } = this
    return new Snapshot<K, V>(engine, reader, keyCodec, valueCodec, mark, this.checkOpen)
  }

  /** Counters and sizes, a flat object of numbers. Not a snapshot. O(segments + pages of the table in use). */
  stats(): Stats {
    this.check()
    return collectStats(this.engine)
  }

  /**
   * Checks the whole structure and accounts for every word and every page id. Exact when nobody writes meanwhile; under
   * writes it may report what is only passing by. O(n) time and memory.
   */
  verify(): VerifyReport {
    this.check()
    return collectVerify(this.engine)
  }

  /** Reclaims all that can be reclaimed now: what nobody can be reading any more, and what dead threads left. O(n). */
  drain(): void {
    this.check()
    this.engine.drain()
  }

  /**
   * Starts a Worker whose `workerData.store` is this store's handle, and reaps it when it ends, however it ends.
   * @param url as for Worker
   * @param options as for Worker; `workerData`, if given, must be an object
   */
  spawn(url: string | URL, options: WorkerOptions = {}): Worker {
    this.check()
    return this.watch(spawnWorker(url, options, this.handle))
  }

  /** Has the end of a Worker started otherwise noticed, so that what it held goes back. @returns the worker */
  watch(worker: Worker): Worker {
    this.check()
    watchWorker(worker, (threadId) => {
      if (!this.closed) this.engine.scheme.reap(threadId)
    })
    return worker
  }

  /**
   * Ends this thread's part in the store: what it held goes back. The opener's close also ends the background cleaner.
   * Other threads may go on; in a durable store only by reading, once its opener has closed it. That first makes everything
   * durable, and gives the directory free. Closing twice does nothing; every other call throws HEDDLE_CLOSED afterwards.
   * @throws HeddleError HEDDLE_IO, HEDDLE_NO_SPACE if what was changed last could not be written; it is closed all the same
   */
  close(): void {
    if (this.closed) return
    this.closed = true
    forgetOpenStore(this)
    this.cleanerThread?.stop()
    try {
      this.durability?.close()
    } finally {
      this.engine.detach()
    }
  }

  /**
   * Copies a durable store to another directory, where it can be opened as a store of its own, while others go on writing:
   * everything that was done before the call, and a prefix of what came later. A thread of its own does the work.
   * @param directory empty, or not there yet
   * @returns how many files and bytes were copied
   * @throws HeddleError HEDDLE_INVALID_OPTION for a store in memory, or if there is a store; HEDDLE_LOCKED, HEDDLE_IO,
   * HEDDLE_NO_SPACE, HEDDLE_CLOSED; then there is no store in the directory
   */
  async backup(directory: string, options: BackupOptions = {}): Promise<BackupReport> {
    await this.flush()
    return backUp(this.handle, directory, options, (worker) => this.watch(worker))
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
