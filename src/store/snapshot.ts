/**
 * A snapshot as its users hold it: the store as it was at one moment.
 *
 * Thread safety: a Snapshot belongs to the thread of its store; `attachSnapshot` makes another one of it elsewhere. All
 * reads are of that one moment, and lock-free. A read looks whether the snapshot is still live after it has found its
 * answer: if it is, nothing that the read needed had been let go. Death: see tree/snapshot-table.ts.
 */
import type { Arena } from '../memory/arena.ts'
import { HeddleError } from '../memory/error.ts'
import { ARENA_NAME } from '../memory/layout.ts'
import type { Mark } from '../tree/snapshots.ts'
import type { KeyCodec, ValueCodec } from './codec.ts'
import type { Engine } from './engine.ts'
import { Iteration, type View } from './iteration.ts'
import { Entries, Keys, Values } from './iterators.ts'
import { type Range, checkRange } from './range.ts'
import type { RecordReader } from './reader.ts'
import { ReadsAt } from './reads-at.ts'

/** Structured-cloneable. Treat it as opaque: pass it to a thread that has the store, and `attachSnapshot` it there. */
export interface SnapshotHandle {
  readonly heddleSnapshot: 1
  readonly arena: number
  readonly mark: Mark
}

/**
 * What a handle stands for.
 * @throws HeddleError HEDDLE_BAD_HANDLE if it is none, or one of another store
 */
export function checkSnapshotHandle(handle: unknown, arena: Arena): Mark {
  const given = handle as Partial<SnapshotHandle> | null | undefined
  if (typeof given === 'object' && given !== null && given.heddleSnapshot === 1) {
    const { mark } = given
    const { maxSnapshots } = arena.layout
    if (given.arena === arena.words[ARENA_NAME] && mark !== undefined && mark.slot >= 0 && mark.slot < maxSnapshots)
      return mark
  }
  throw new HeddleError(
    'HEDDLE_BAD_HANDLE',
    'attachSnapshot takes the `handle` of a snapshot of the same store, passed on as it is (workerData, postMessage)',
  )
}

const noGiveBack = (): void => {}

export class Snapshot<K = string, V = string> {
  /** Structured-cloneable; pass it to other threads and `attachSnapshot` it there, while this one is live. */
  readonly handle: SnapshotHandle
  private readonly engine: Engine
  private readonly reader: RecordReader
  private readonly keyCodec: KeyCodec
  private readonly valueCodec: ValueCodec
  private readonly checkStore: () => void
  private readonly mark: Mark
  private readonly view: View
  private readonly reads: ReadsAt
  private closed = false

  /** Snapshots are made by a store. @internal */
  constructor(
    engine: Engine,
    reader: RecordReader,
    keys: KeyCodec,
    values: ValueCodec,
    mark: Mark,
    checkStore: () => void,
  ) {
    this.engine = engine
    this.reader = reader
    this.keyCodec = keys
    this.valueCodec = values
    this.checkStore = checkStore
    this.mark = mark
    this.reads = new ReadsAt(engine, reader, mark)
    this.handle = { heddleSnapshot: 1, arena: engine.arena.words[ARENA_NAME], mark }
    this.view = {
      at: mark.ts,
      version: mark.version ?? 0,
      check: () => this.check(),
      confirm: () => this.reads.confirm(),
    }
  }

  private check(): void {
    this.checkStore()
    if (this.closed)
      throw new HeddleError('HEDDLE_CLOSED', 'the snapshot is closed; take another one, or close it later')
  }

  /**
   * The value that a key had, a copy, or undefined.
   * @throws HeddleError HEDDLE_SNAPSHOT_EXPIRED, HEDDLE_INVALID_KEY, HEDDLE_TOO_LARGE, HEDDLE_CLOSED
   * Complexity: O(log n + versions of the key), of which there are about as many as live snapshots at most. Lock-free.
   */
  get(key: K): V | undefined {
    this.check()
    this.keyCodec.encode(key, this.engine.tree.key)
    const staged = this.reads.value()
    return staged === undefined ? undefined : (this.valueCodec.finish(staged) as V)
  }

  /** Whether a key was there. Errors and complexity as for `get`. */
  has(key: K): boolean {
    this.check()
    this.keyCodec.encode(key, this.engine.tree.key)
    return this.reads.has()
  }

  private iterate(range: Range<K> | undefined): Iteration {
    this.check()
    const checked = checkRange(range, this.keyCodec, this.keyCodec.hasPrefixes)
    return new Iteration(this.engine, this.reader, this.checkStore).begin(checked, this.view)
  }

  /**
   * Entries in key order, lazily, all of one moment. Holds nothing between steps but the snapshot.
   * @throws HeddleError HEDDLE_INVALID_RANGE, HEDDLE_INVALID_KEY; in a step also HEDDLE_SNAPSHOT_EXPIRED, HEDDLE_CLOSED
   */
  entries(range?: Range<K>): IterableIterator<[K, V]> {
    return new Entries<K, V>(this.iterate(range), noGiveBack, this.keyCodec, this.valueCodec)
  }

  /** Keys in order; see `entries`. */
  keys(range?: Range<K>): IterableIterator<K> {
    return new Keys<K>(this.iterate(range), noGiveBack, this.keyCodec)
  }

  /** Values in key order; see `entries`. */
  values(range?: Range<K>): IterableIterator<V> {
    return new Values<V>(this.iterate(range), noGiveBack, this.valueCodec)
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()
  }

  /** Number of entries there were. Counted by a walk: O(n). */
  get size(): number {
    this.check()
    const count = this.view.version === 0 ? this.engine.countAt(this.mark.ts) : this.iterate(undefined).countAll()
    this.reads.confirm()
    return count
  }

  /** Ends the snapshot: what only it needed can be let go. Closing twice does nothing; reads throw HEDDLE_CLOSED. */
  close(): void {
    if (this.closed) return
    this.closed = true
    // With its store it has ended already, and its slot may be another's.
    if (!this.engine.detached) this.engine.snapshots.close(this.mark)
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
