/**
 * The maintainer: flushes and compactions, each never two at a time, and how much writers are slowed.
 *
 * It works in steps. A flush is: ask for the end of the log, wait until the log worker has begun the next one, make a table
 * of what is closed, write a manifest, make a version. A compaction goes on by some entries in each step, so a flush that is
 * due waits for one such step at most; a flush in between adds to level 0 only, which no compaction under way looks at
 * again. Both end by `commit`, so manifests and versions have one order.
 *
 * A manifest that may not have become the authority (its writing failed) may be it after a crash. So what it names stays,
 * and is what the next attempt names, under a higher id; only when that one is durable may anything go.
 *
 * Failures. No room: tried again after a while; what was written is given back. Another refusal of the system: tried once
 * more with new files, then the store is made read-only, since changes would pile up in the logs for ever.
 *
 * Thread safety: one at a time, the holder of the claim in `TierWords`. Progress: blocks on the disk.
 * Death: leaves files that no version names, removed at the next start, and a claim, which the reap frees. The next one
 * goes on from the catalog's version: that a newer manifest may be there does no harm, since nothing of the older one has
 * been removed.
 */
import { Compaction } from './compaction.ts'
import { assert } from '../memory/assert.ts'
import { HeddleError } from '../memory/error.ts'
import type { Version } from './catalog.ts'
import type { Disk } from './disk.ts'
import { isNoSpace } from './file-error.ts'
import { MAX_FILE_ID, fileName } from './file-name.ts'
import { chainBehind } from './log-chain.ts'
import { type LogFile, logFile } from './log-committer.ts'
import { LogWriter } from './log-writer.ts'
import type { Manifest } from './manifest.ts'
import { type Pick, type PickingOptions, applyPick, pickCompaction, pickFrom } from './picking.ts'
import { readManifest } from './recovery.ts'
import { TableReaders, mergedTables } from './table-levels.ts'
import type { TableMeta, TableOptions } from './table-writer.ts'
import type { Tier } from './tier.ts'
import { flushLogs } from './tier-flush.ts'
import { distance } from './shared-log.ts'
import { PREPARE_SHARE, fillOf } from './tier-log.ts'
import { type NextVersion, versionOf, writeNextManifest } from './tier-manifest.ts'
import { slowness } from './throttle.ts'
import { COUNT, WHY } from './tier-words.ts'

export interface MaintainerOptions {
  readonly table: TableOptions
  /** A table of a compaction that has reached this is ended. */
  readonly tableBytes: number
  /** Bytes that are set aside for a log. */
  readonly fileBytes: number
  readonly picking: PickingOptions
  /** Entries that a compaction goes on by in a step. */
  readonly stepEntries: number
  /** Milliseconds after a failure in which nothing is tried. */
  readonly retryMs: number
}

/** A version that is ready but for its manifest, or, if that is written, for the catalog. */
interface Ready extends NextVersion {
  readonly done: () => void
  manifest?: Manifest
}

/** The log before which all is to be flushed, and the changes counted up to there. */
interface Closed {
  readonly file: LogFile
  readonly entries: number
  /** What the tree's CLEAN becomes when it is flushed, -1 to leave it. */
  readonly clean: number
}

/**
 * A turn of the clock (tree/residence.ts), and where the log stood after it: all that was stamped before has its slot before
 * that, so the log is not to be ended earlier.
 */
interface Turn {
  readonly clean: number
  readonly position: number
}

interface Running {
  readonly pick: Pick
  readonly compaction: Compaction
  readonly readers: TableReaders
}

/** Failures in a row that make the store read-only. */
const MOST_FAILURES = 2
/** Bytes by which a table and a log make a version longer at most, with the longest keys. */
const MOST_MORE_BYTES = 2200

export class Maintainer {
  /** The newest failure. */
  failure: unknown
  private readonly tier: Tier
  private readonly disk: Disk
  private readonly options: MaintainerOptions
  private readonly now: () => number
  private manifest: Manifest
  private ready: Ready | undefined
  /** Manifests that could not be written for sure. */
  private doubtful: number[] = []
  private running: Running | undefined
  /** Id + 1 of the log whose end was asked for, 0 for none. */
  private asked = 0
  /** What is being flushed, kept until it is in tables. */
  private closed: Closed | undefined
  private turn: Turn | undefined
  private flushesWanted: number
  private compactionsWanted: number
  private updates = 0
  private failures = 0
  /** Those of compactions: begun anew they get on for a while before they fail again, and flushes come in between. */
  private failedCompactions = 0
  private isCompacting = false
  private retryAt = -Infinity

  /** The caller holds the claim. @throws FileError if the present manifest cannot be read */
  constructor(tier: Tier, disk: Disk, options: MaintainerOptions, now: () => number = () => performance.now()) {
    this.tier = tier
    this.disk = disk
    this.options = options
    this.now = now
    this.manifest = this.withVersion(({ state }) => readManifest(disk, state.manifest))
    // Whoever had asked before this one took over is served by a flush too many rather than by none.
    this.flushesWanted = 0
    this.compactionsWanted = tier.words.wantedCompactions()
  }

  /** Whether a compaction or a flush is under way. */
  get isBusy(): boolean {
    if (this.turn !== undefined || this.asked !== 0) return true
    return this.running !== undefined || this.ready !== undefined || this.closed !== undefined
  }

  /**
   * Does the next piece of work.
   * @returns whether there was one; else it is time to park
   */
  step(): boolean {
    const { words } = this.tier
    words.setDelay(slowness(this.tier, this.options.picking))
    if (words.hasFailed() || this.now() < this.retryAt) return false
    this.isCompacting = false
    try {
      const worked = this.commitReady() || this.flushStep() || this.compactionStep()
      if (worked) this.failures = 0
      return worked
    } catch (error) {
      this.failed(error)
      return false
    }
  }

  private failed(error: unknown): void {
    const { words } = this.tier
    this.failure = error
    words.addCount(COUNT.failures, 1)
    this.endCompaction()
    this.retryAt = this.now() + this.options.retryMs
    // No room on the disk, or all versions are being read: that passes.
    if (isNoSpace(error) || (error instanceof HeddleError && error.code === 'HEDDLE_FULL')) return
    if ((this.isCompacting ? ++this.failedCompactions : ++this.failures) < MOST_FAILURES) return
    words.fail(WHY.tables)
    this.tier.log.wake()
  }

  private withVersion<T>(body: (version: Version) => T): T {
    const { catalog } = this.tier
    const version = catalog.acquire()
    try {
      return body(version)
    } finally {
      catalog.release(version)
    }
  }

  private get levels(): readonly (readonly TableMeta[])[] {
    return this.withVersion(({ state }) => state.levels)
  }

  // Flushes.

  private flushStep(): boolean {
    const { words, log } = this.tier
    if (this.closed !== undefined) {
      if (this.isCrowded()) return false
      this.flush(this.closed)
      return true
    }
    const wanted = words.wantedFlushes()
    const { full, bytes } = fillOf(this.tier)
    if (this.asked === 0) {
      if (full >= PREPARE_SHARE && full < 1) return this.prepareLog()
      if (full < 1 && (wanted === this.flushesWanted || bytes === 0)) {
        if (wanted !== this.flushesWanted) this.sayClean()
        this.flushesWanted = wanted
        return false
      }
      this.askForEnd(log)
      return false
    }
    const file = logFile(log)!
    if (file.id + 1 === this.asked || !file.synced) return false
    this.asked = 0
    this.flushesWanted = wanted
    this.closed = { file, entries: words.rotatedEntries(), clean: this.turn?.clean ?? -1 }
    this.turn = undefined
    return true
  }

  /** Whether the catalog may have no room for one more table, and a compaction of level 0 makes them fewer. */
  private isCrowded(): boolean {
    const { levels } = this
    const { catalog } = this.tier
    if ((levels[0] ?? []).length === 0 || pickFrom(levels, 0, 'tables').isMove) return false
    return this.withVersion(({ state }) => !catalog.hasRoom(state, MOST_MORE_BYTES))
  }

  /** What CLEAN may become once all that has been stamped up to now is in tables. */
  private turnClock(): number {
    const { residence } = this.tier
    const clean = residence.turn()
    return clean < 0 ? residence.present() : clean
  }

  /** A flush is wanted that has nothing to do: if all is in tables already, then whoever waits for one waits for CLEAN only. */
  private sayClean(): void {
    const { words, log, residence } = this.tier
    const clean = this.turnClock()
    if (distance(words.flushedPosition(), log.frontier()) === 0) residence.setClean(clean)
  }

  private askForEnd(log: Tier['log']): void {
    this.turn ??= { clean: this.turnClock(), position: log.frontier() }
    if (!log.isStable(this.turn.position)) {
      this.tier.words.request()
      log.wake()
      return
    }
    const { id } = logFile(log)!
    this.asked = id + 1
    this.tier.words.askRotation(id)
    log.wake()
  }

  /** Makes the next log ahead. @returns whether it did */
  private prepareLog(): boolean {
    const { words } = this.tier
    if (words.prepared() !== 0) return false
    const id = words.takeFileId()
    try {
      LogWriter.make(this.disk, id, words.settings.generation, this.options.fileBytes)
    } catch (error) {
      // It would keep the room that it could not get enough of.
      this.remove(fileName(id, 'temp'))
      this.remove(fileName(id, 'log'))
      throw error
    }
    words.setPrepared(id)
    return true
  }

  private flush({ file, entries, clean }: Closed): void {
    const { words } = this.tier
    const { disk, manifest, options } = this
    this.nameLogs(file)
    const { levels } = this
    const { table, changes } = flushLogs({
      disk,
      generation: manifest.generation,
      lastLog: file.previous,
      from: manifest.flushedLsn,
      to: file.lsn,
      takeId: () => words.takeFileId(),
      keepDeletes: levels.some((tables) => tables.length > 0),
      table: options.table,
    })
    const [top = [], ...below] = levels
    this.closed = undefined
    this.ready = {
      flushedLsn: file.lsn,
      logs: [file.id],
      levels: table === undefined ? levels : [[table, ...top], ...below],
      done: () => {
        words.setFlushed(file.position, entries)
        if (clean >= 0) this.tier.residence.setClean(clean)
        this.updates += changes
        words.addCount(COUNT.flushes, 1)
        words.addCount(COUNT.flushedBytes, table?.bytes ?? 0)
      },
    }
    this.commitReady()
  }

  /** Makes a version that names all logs up to the present one, so that those of the closed window go with it. */
  private nameLogs(file: LogFile): void {
    const { generation, flushedLsn } = this.manifest
    // There may be several: after a failed sync one is given up, and another one follows on it.
    const closed = file.lsn > flushedLsn ? chainBehind(this.disk, file.previous, generation, flushedLsn) : []
    const ids = closed.map(({ id }) => id)
    this.withVersion((version) => {
      const { state } = version
      const logs = [...new Set([...state.logs, ...ids, file.previous, file.id])]
        .filter((id) => id > 0)
        .sort((a, b) => a - b)
      if (logs.length > state.logs.length) this.tier.catalog.create(version, { ...state, logs, windows: logs })
    })
  }

  // Both.

  /** Makes what is ready the authority, then current. @returns whether there was anything */
  private commitReady(): boolean {
    const { ready, tier } = this
    if (ready === undefined) return false
    const { words } = tier
    // First of all: a manifest that the catalog cannot hold is one that cannot be opened.
    tier.catalog.checkRoom({ ...ready, manifest: MAX_FILE_ID, windows: ready.logs })
    ready.manifest ??= writeNextManifest(this.disk, this.manifest, ready, () => {
      const id = words.takeFileId()
      this.doubtful.push(id)
      return id
    })
    const { manifest, levels, logs } = ready
    this.withVersion((version) => {
      assert(tier.catalog.create(version, versionOf(manifest, levels, logs)), 'there are two maintainers')
    })
    this.manifest = manifest
    this.ready = undefined
    this.removeDoubtful()
    ready.done()
    words.setTables(levels)
    return true
  }

  /** Manifests before the one that is the authority now, which may be there or not. */
  private removeDoubtful(): void {
    for (const id of this.doubtful) {
      for (const kind of ['manifest', 'temp'] as const) {
        if (id !== this.manifest.id) this.remove(fileName(id, kind))
      }
    }
    this.doubtful = []
  }

  private remove(name: string): void {
    try {
      if (this.disk.sizeOf(name) !== undefined) this.disk.remove(name)
    } catch {
      // It is an orphan then, and goes at the next start.
    }
  }

  // Compactions.

  private compactionStep(): boolean {
    const running = this.running ?? this.beginCompaction()
    if (running === undefined) return false
    this.running = running
    this.isCompacting = true
    if (running.pick.isMove) this.commitCompaction(running, running.pick.upper, 0)
    else if (running.compaction.step(this.options.stepEntries)) {
      const { tables, counts } = running.compaction.result
      this.commitCompaction(running, tables, counts.bytesWritten)
    }
    return true
  }

  private beginCompaction(): Running | undefined {
    const { words } = this.tier
    const { levels, options } = this
    const wanted = words.wantedCompactions()
    let pick = pickCompaction(levels, this.updates, options.picking)
    if (wanted !== this.compactionsWanted && pick === undefined) {
      // Asked for: what is highest goes down one level.
      const from = levels.findIndex((tables) => tables.length > 0)
      if (from >= 0 && from + 1 < (options.picking.levels ?? 7)) pick = pickFrom(levels, from, 'updates')
    }
    if (pick === undefined && this.closed !== undefined && this.isCrowded()) pick = pickFrom(levels, 0, 'tables')
    this.compactionsWanted = wanted
    if (this.updates >= (options.picking.compactEvery ?? Infinity)) this.updates = 0
    if (pick === undefined) return undefined
    return this.compactionOf(pick)
  }

  private compactionOf(pick: Pick): Running {
    const { disk, manifest, options } = this
    const { upper, lower, below } = pick
    const readers = new TableReaders(disk)
    try {
      const compaction = new Compaction(mergedTables(upper, [lower], readers), {
        disk,
        generation: manifest.generation,
        newId: () => this.tier.words.takeFileId(),
        tableBytes: options.tableBytes,
        table: options.table,
        snapshots: [],
        below,
      })
      return { pick, compaction, readers }
    } catch (error) {
      readers.close()
      throw error
    }
  }

  private commitCompaction({ pick }: Running, tables: readonly TableMeta[], bytes: number): void {
    const { words } = this.tier
    const { manifest } = this
    this.endCompaction(false)
    this.ready = {
      flushedLsn: manifest.flushedLsn,
      logs: this.withVersion(({ state }) => state.logs),
      levels: applyPick(this.levels, pick, tables),
      done: () => {
        this.failedCompactions = 0
        words.addCount(COUNT.compactions, 1)
        words.addCount(COUNT.compactedBytes, bytes)
      },
    }
    this.commitReady()
  }

  /** Ends the compaction under way. @param abandon whether what it has written goes */
  private endCompaction(abandon = true): void {
    const { running } = this
    this.running = undefined
    if (running === undefined) return
    if (abandon) running.compaction.abandon()
    running.readers.close()
  }

  /** Gives up what is under way. Idempotent. */
  close(): void {
    this.endCompaction()
  }
}
