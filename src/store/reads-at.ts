/**
 * Reads of single keys at a snapshot's value of the clock: what snapshots and transactions have in common.
 *
 * A read looks whether the snapshot is still live after it has found its answer, pinned: if it is, nothing that the read
 * needed had been let go. Thread safety: private to one thread. Progress: lock-free.
 */
import type { Mark } from '../tree/snapshots.ts'
import type { Staged } from './codec.ts'
import type { Engine } from './engine.ts'
import type { RecordReader } from './reader.ts'

export class ReadsAt {
  private readonly engine: Engine
  private readonly reader: RecordReader
  private readonly mark: Mark

  constructor(engine: Engine, reader: RecordReader, mark: Mark) {
    this.engine = engine
    this.reader = reader
    this.mark = mark
  }

  /** @throws HeddleError HEDDLE_SNAPSHOT_EXPIRED if what was read since the critical region began may be wrong */
  confirm(): void {
    const { snapshots } = this.engine
    if (!snapshots.isLive(this.mark)) throw snapshots.expired()
  }

  /** What `tree.key` had, to be finished by its codec, or undefined. */
  value(): Staged | undefined {
    const { tree, scheme } = this.engine
    scheme.enter()
    try {
      const record = tree.findAt(this.mark.ts)
      const staged = record === 0 ? undefined : this.reader.value(record, tree.search.header)
      this.confirm()
      if (record !== 0 || !this.asksTables()) return staged
    } finally {
      scheme.leave()
    }
    const tables = this.engine.tables!
    if (!tables.lookAt(this.mark.version!, tree.key)) return undefined
    return this.reader.foreignValue(tables.value, 0, tables.length)
  }

  /** Whether a key that the tree had nothing of may be in the tables that the snapshot holds. They do not change. */
  private asksTables(): boolean {
    const { version } = this.mark
    return version !== undefined && version !== 0 && this.engine.tree.unknown
  }

  /** Whether `tree.key` was there. */
  has(): boolean {
    const { tree, scheme } = this.engine
    scheme.enter()
    try {
      const there = tree.findAt(this.mark.ts) !== 0
      this.confirm()
      if (there || !this.asksTables()) return there
    } finally {
      scheme.leave()
    }
    return this.engine.tables!.lookAt(this.mark.version!, tree.key)
  }
}
