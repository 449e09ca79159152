/**
 * Reading the tables of a catalog's versions, for a tree that does not have everything (tree/residence.ts).
 *
 * A lookup acquires the current version, goes from the newest level down past the Bloom filters, and gives the version back: it
 * holds nothing between two calls, but for what snapshots hold. Readers of tables are kept open for as long as the newest version
 * seen, or one that is held, has their table.
 *
 * Thread safety: belongs to one participant. Not to be called inside a critical region, since it reads from the disk.
 * Progress: lock-free but for the disk. Death: holds, which the reap clears; Node closes the files.
 */
import { assert } from '../memory/assert.ts'
import { HeddleError } from '../memory/error.ts'
import type { Below } from '../tree/below.ts'
import type { KeyBuffer } from '../tree/key.ts'
import type { BlockCache } from './block-cache.ts'
import { KeyHash } from './bloom-filter.ts'
import { compareRanges } from './byte-codec.ts'
import type { Catalog, Version } from './catalog.ts'
import type { Disk } from './disk.ts'
import { type EntrySource, KIND_PUT, NEWEST, ValueBuffer } from './entry.ts'
import { FileError } from './file-error.ts'
import { LevelSource, firstTableFrom } from './level-source.ts'
import { MergingSource } from './merging-source.ts'
import { TableIterator } from './table-iterator.ts'
import { ABSENT, TableReader } from './table-reader.ts'
import type { TableMeta } from './table-writer.ts'
import { VisibleSource } from './visible-source.ts'

/** Holds for what is not held for long: a walk, a look meanwhile, a sweep meanwhile, each of another version at worst. */
const SPARE_HOLDS = 3
/** Slots of the catalog for the current version, the next one, and one that waits for its epoch; and for the one to be held. */
const SPARE_SLOTS = 4

function tooMany(): HeddleError {
  return new HeddleError(
    'HEDDLE_TOO_MANY_SNAPSHOTS',
    "the open snapshots read too many versions of the store's tables; close some, spread them over threads, or open with a larger tuning.maxVersions",
  )
}

interface Held {
  readonly version: Version
  count: number
}

export class TableReads implements Below {
  private readonly catalog: Catalog
  private readonly disk: Disk
  private readonly cache: BlockCache | undefined
  private readonly readers = new Map<number, TableReader>()
  private readonly found = new ValueBuffer()
  /** Of the key that is looked for: the same for the filters of all tables. */
  private readonly hash = new KeyHash()
  private readonly held = new Map<number, Held>()
  /** The newest version seen. */
  private newest = 0
  /** The source made last, and what it is of. */
  private source: VisibleSource | null = null
  private sourceOf = 0
  private openVersion: Version | null = null

  constructor(catalog: Catalog, disk: Disk, cache?: BlockCache) {
    this.catalog = catalog
    this.disk = disk
    this.cache = cache
  }

  get value(): Uint8Array {
    return this.found.bytes
  }

  /** A hash of the key that was looked for last, of 32 bits. */
  get keyHash(): number {
    return this.hash.second
  }

  get length(): number {
    return this.found.length
  }

  get ascii(): boolean {
    const { bytes, length } = this.found
    for (let i = 0; i < length; i++) if (bytes[i] > 127) return false
    return true
  }

  /** @throws FileError HEDDLE_CORRUPT, HEDDLE_IO; HEDDLE_FULL if this thread holds too many versions */
  look(key: KeyBuffer): boolean {
    const version = this.acquire()
    try {
      return this.lookIn(version, key)
    } finally {
      this.release(version)
    }
  }

  lookAt(version: number, key: KeyBuffer): boolean {
    return this.lookIn(this.heldOf(version), key)
  }

  /** @throws HeddleError HEDDLE_TOO_MANY_SNAPSHOTS */
  hold(): number {
    const version = this.acquire()
    const { slots } = this.catalog.geometry
    if (!this.mayKeep(version) || this.catalog.superseded() > slots - SPARE_SLOTS) {
      this.release(version)
      throw tooMany()
    }
    this.note(version)
    return version.number
  }

  holdAlso(number: number): boolean {
    const version = this.catalog.acquireAlso(number)
    if (version === undefined) return false
    if (!this.mayKeep(version)) {
      this.release(version)
      throw tooMany()
    }
    this.note(version)
    return true
  }

  /** Whether a version may be held for long, so that the thread has holds left for its other reads. */
  private mayKeep({ number }: Version): boolean {
    return this.held.has(number) || this.held.size < this.catalog.geometry.holds - SPARE_HOLDS
  }

  private note(version: Version): void {
    const held = this.held.get(version.number)
    if (held === undefined) this.held.set(version.number, { version, count: 1 })
    else held.count++
  }

  letGo(number: number): void {
    const held = this.held.get(number)
    assert(held !== undefined, 'a version was let go that is not held')
    if (--held!.count === 0) this.held.delete(number)
    this.release(held!.version)
  }

  private heldOf(number: number): Version {
    const held = this.held.get(number)
    assert(held !== undefined, 'a version is read that is not held')
    return held!.version
  }

  private acquire(): Version {
    const version = this.catalog.acquire()
    try {
      if (version.number !== this.newest) this.renew(version)
    } catch (error) {
      this.release(version)
      throw error
    }
    return version
  }

  /** A file that could not be removed is no reason for a read to fail: it stays until the next start-up. */
  private release(version: Version): void {
    try {
      this.catalog.release(version)
    } catch (error) {
      if (!(error instanceof FileError)) throw error
    }
  }

  /** Closes the tables that nobody here reads any more. */
  private renew(version: Version): void {
    this.newest = version.number
    const needed = new Set<number>()
    const need = ({ state }: Version): void => {
      for (const level of state.levels) for (const table of level) needed.add(table.id)
    }
    need(version)
    for (const held of this.held.values()) need(held.version)
    for (const [id, reader] of this.readers) {
      if (needed.has(id)) continue
      reader.close()
      this.readers.delete(id)
    }
  }

  private readonly reader = (table: TableMeta): TableReader => {
    const known = this.readers.get(table.id)
    if (known !== undefined) return known
    const reader = new TableReader(this.disk, table.id, table.generation, this.cache)
    this.readers.set(table.id, reader)
    return reader
  }

  private lookIn({ state }: Version, key: KeyBuffer): boolean {
    const { levels } = state
    this.hash.of(key.bytes, 0, key.length)
    for (let level = 0; level < levels.length; level++) {
      const tables = levels[level]
      // In level 0 the newest table comes first, and any of them may have the key; below, one at most.
      let at = level === 0 ? 0 : firstTableFrom(tables, key.bytes, 0, key.length)
      const end = level === 0 ? tables.length : Math.min(at + 1, tables.length)
      for (; at < end; at++) {
        if (!covers(tables[at], key)) continue
        const kind = this.reader(tables[at]).get(key.bytes, 0, key.length, NEWEST, this.found, this.hash)
        if (kind !== ABSENT) return kind === KIND_PUT
      }
    }
    return false
  }

  /**
   * Begins a walk: all of a version's entries that are not deleted, newest versions only. Valid until `end`; one at a time.
   * @param version one that is held, or 0 for the one that is current now
   * @throws FileError HEDDLE_CORRUPT, HEDDLE_IO if a table cannot be opened: no walk has begun then, and nothing is to be ended
   */
  begin(version: number): VisibleSource {
    if (version !== 0) return this.sourceFor(this.heldOf(version))
    const opened = this.acquire()
    try {
      const source = this.sourceFor(opened)
      this.openVersion = opened
      return source
    } catch (error) {
      this.release(opened)
      throw error
    }
  }

  private sourceFor(version: Version): VisibleSource {
    if (this.source === null || this.sourceOf !== version.number) {
      this.source = new VisibleSource(new MergingSource(this.sourcesOf(version)), NEWEST)
      this.sourceOf = version.number
    }
    return this.source
  }

  /** Ends the walk. Its source is kept for the next one, but not over a change of versions. */
  end(): void {
    const { openVersion } = this
    this.openVersion = null
    if (openVersion !== null) this.release(openVersion)
  }

  private sourcesOf({ state }: Version): EntrySource[] {
    const sources: EntrySource[] = []
    state.levels.forEach((tables, level) => {
      if (level === 0) for (const table of tables) sources.push(new TableIterator(this.reader(table)))
      else if (tables.length > 0) sources.push(new LevelSource(tables, this.reader))
    })
    return sources
  }

  /** Closes all files. */
  close(): void {
    for (const reader of this.readers.values()) reader.close()
    this.readers.clear()
    this.source = null
  }
}

function covers({ smallest, greatest }: TableMeta, key: KeyBuffer): boolean {
  return (
    compareRanges(smallest, 0, smallest.length, key.bytes, 0, key.length) <= 0 &&
    compareRanges(greatest, 0, greatest.length, key.bytes, 0, key.length) >= 0
  )
}
