/**
 * A compaction: entries of several sources, merged, go into new tables of bounded size; what nobody can see is dropped.
 *
 * A version goes if no live snapshot sees it (retention.ts). A delete that is seen goes too if no level below can hold the
 * key and no older version of the key is kept: there is nothing left that it hides. Versions of one key never go to two
 * tables of a level. The result depends on nothing but the entries and the options.
 *
 * Every table written is read back whole, from the disk, and compared with what went into it.
 *
 * Thread safety: belongs to one thread. Death: leaves files that no manifest lists; the next start-up removes them.
 */
import { assert } from '../memory/assert.ts'
import { compareRanges, grown } from './byte-codec.ts'
import type { Disk } from './disk.ts'
import { KIND_DELETE, type EntrySource } from './entry.ts'
import { fileName } from './file-name.ts'
import { firstTableFrom } from './level-source.ts'
import { Retention } from './retention.ts'
import { TableReader } from './table-reader.ts'
import { verifyTable } from './table-verify.ts'
import { type TableMeta, type TableOptions, TableWriter } from './table-writer.ts'

export interface CompactionOptions {
  readonly disk: Disk
  readonly generation: number
  /** A file id that was never used. */
  readonly newId: () => number
  /** A table that has reached this is ended before the next key. */
  readonly tableBytes: number
  readonly table?: TableOptions
  /** Sequences of the live snapshots, and of everybody else who reads with a bound. */
  readonly snapshots: readonly number[]
  /** The levels below the one the result goes to: where a delete may still have something to hide. */
  readonly below: readonly (readonly TableMeta[])[]
  /** Asked now and then; true gives the compaction up. */
  readonly isStopped?: () => boolean
}

/** What a compaction did. Bytes are those of files. */
export interface CompactionCounts {
  entriesRead: number
  entriesWritten: number
  /** Versions that nobody could see. */
  dropped: number
  /** Deletes that had nothing left to hide. */
  deletesDropped: number
  bytesWritten: number
}

export interface CompactionResult {
  readonly tables: readonly TableMeta[]
  readonly counts: CompactionCounts
}

const ENTRIES_BETWEEN_LOOKS = 4096

/** Whether a level has a table whose range includes a key, for keys that come in ascending order. */
class RangesBelow {
  private readonly levels: readonly (readonly TableMeta[])[]

  constructor(levels: readonly (readonly TableMeta[])[]) {
    this.levels = levels
  }

  mayHold(key: Uint8Array, length: number): boolean {
    for (const tables of this.levels) {
      const at = firstTableFrom(tables, key, 0, length)
      if (at === tables.length) continue
      const { smallest } = tables[at]
      if (compareRanges(smallest, 0, smallest.length, key, 0, length) <= 0) return true
    }
    return false
  }
}

export class Compaction {
  private readonly source: EntrySource
  private readonly options: CompactionOptions
  private readonly retention: Retention
  private readonly ranges: RangesBelow
  private writer: TableWriter | undefined
  private readonly tables: TableMeta[] = []
  private readonly counts: CompactionCounts = {
    entriesRead: 0,
    entriesWritten: 0,
    dropped: 0,
    deletesDropped: 0,
    bytesWritten: 0,
  }
  private key: Uint8Array = new Uint8Array(256)
  private keyLength = -1
  /** Sequences of the key's deletes that go unless an older version is kept. */
  private readonly deletes: number[] = []
  private mayHoldBelow = false
  private hasBegun = false
  private isDone = false

  /** @param source merged, over all tables that go into the compaction */
  constructor(source: EntrySource, options: CompactionOptions) {
    this.source = source
    this.options = options
    this.retention = new Retention(options.snapshots)
    this.ranges = new RangesBelow(options.below)
  }

  /**
   * Runs it to its end. The tables are durable then, and in no version yet.
   * @returns undefined if it was stopped; nothing of it is left then
   * @throws FileError HEDDLE_CORRUPT (an input, or an output that was not what it should be), HEDDLE_IO, HEDDLE_NO_SPACE;
   *   nothing of it is left, as far as the disk allows
   */
  run(): CompactionResult | undefined {
    while (!this.step(ENTRIES_BETWEEN_LOOKS)) {
      if (this.options.isStopped?.() === true) {
        this.abandon()
        return undefined
      }
    }
    return { tables: this.tables, counts: this.counts }
  }

  /** What it has come to, once `step` has said that it is done. */
  get result(): CompactionResult {
    assert(this.isDone, 'a compaction is not done yet')
    return { tables: this.tables, counts: this.counts }
  }

  /**
   * Goes on by some entries, so that whoever runs it can do something else in between.
   * @returns whether it is done
   * @throws as `run`
   */
  step(entries: number): boolean {
    const { source, counts } = this
    try {
      if (!this.hasBegun) source.seekFirst()
      this.hasBegun = true
      for (let left = entries; left > 0 && source.valid; left--) {
        counts.entriesRead++
        this.take()
        source.next()
      }
      if (source.valid) return false
      if (!this.isDone) {
        this.endKey()
        this.endTable()
      }
      this.isDone = true
      return true
    } catch (error) {
      this.abandon()
      throw error
    }
  }

  private take(): void {
    const { source, counts } = this
    const { keyLength, sequence } = source
    if (this.keyLength < 0 || compareRanges(source.key, 0, keyLength, this.key, 0, this.keyLength) !== 0)
      this.beginKey()
    if (!this.retention.keeps(sequence)) {
      counts.dropped++
      return
    }
    if (source.kind === KIND_DELETE && !this.mayHoldBelow) {
      this.deletes.push(sequence)
      return
    }
    // What is older than a delete is kept for a snapshot: then the delete is needed too.
    this.writeDeletes()
    this.write(source.kind, sequence, source.value, source.valueStart, source.valueEnd)
  }

  private beginKey(): void {
    this.endKey()
    const { source } = this
    this.keyLength = source.keyLength
    this.key = grown(this.key, 0, this.keyLength)
    for (let i = 0; i < this.keyLength; i++) this.key[i] = source.key[i]
    this.retention.begin()
    this.mayHoldBelow = this.ranges.mayHold(this.key, this.keyLength)
    if (this.writer !== undefined && this.writer.bytes >= this.options.tableBytes) this.endTable()
  }

  private endKey(): void {
    this.counts.deletesDropped += this.deletes.length
    this.deletes.length = 0
  }

  private writeDeletes(): void {
    for (let i = 0; i < this.deletes.length; i++) this.write(KIND_DELETE, this.deletes[i], this.key, 0, 0)
    this.deletes.length = 0
  }

  private write(kind: number, sequence: number, value: Uint8Array, start: number, end: number): void {
    const { disk, newId, generation, table } = this.options
    this.writer ??= new TableWriter(disk, newId(), generation, table)
    this.writer.add(this.key, 0, this.keyLength, kind, sequence, value, start, end)
    this.counts.entriesWritten++
  }

  private endTable(): void {
    const { writer } = this
    if (writer === undefined) return
    const meta = writer.finish()
    this.writer = undefined
    this.tables.push(meta)
    this.counts.bytesWritten += meta.bytes
    const reader = new TableReader(this.options.disk, meta.id, meta.generation)
    try {
      assert(verifyTable(reader) === meta.entries, 'a table has other entries than were written')
    } finally {
      reader.close()
    }
  }

  /** Gives it up: nothing of it is left, as far as the disk allows. */
  abandon(): void {
    this.writer?.abandon()
    for (const { id } of this.tables) {
      try {
        this.options.disk.remove(fileName(id, 'table'))
      } catch {
        // An orphan, which the next start-up removes.
      }
    }
  }
}
