/**
 * The smallest durable store: it counts. Its records are 1, 2, 3, ...; its one table says how many of them it stands for.
 * Everything below is the production source: shared log, committer, log files, manifests, recovery. So what a crash or a
 * fault does to those shows as a number that is missing, torn, or lost although it was acknowledged.
 */
import type { Disk } from '../../src/lsm/disk.ts'
import { fileName } from '../../src/lsm/file-name.ts'
import { replayChain } from '../../src/lsm/log-chain.ts'
import { LOG_WORKS, LogCommitter, initLog, logError, logFile, logState } from '../../src/lsm/log-committer.ts'
import { TYPE_PUT } from '../../src/lsm/log-format.ts'
import { get32, put32 } from '../../src/lsm/little-endian.ts'
import type { Manifest, TableEntry } from '../../src/lsm/manifest.ts'
import { planRecovery, publishFile, removeOrphans, surveyDirectory, writeManifest } from '../../src/lsm/recovery.ts'
import { SharedLog } from '../../src/lsm/shared-log.ts'

const GENERATION = 0x5eed1234
const RING_GRANULES = 64
const TABLE_BYTES = 700
const FILE_BYTES = 1024
const OWNER = 3

/** Bytes of a number's record: some, so that records lie across sectors and granules. */
function lengthFor(value: number): number {
  return 4 + ((value * 37) % 90)
}

function fill(bytes: Uint8Array, at: number, length: number, value: number): void {
  put32(bytes, at, value)
  for (let i = 4; i < length; i++) bytes[at + i] = value + i
}

function isFilled(bytes: Uint8Array, at: number, length: number, value: number): boolean {
  if (get32(bytes, at) !== value) return false
  for (let i = 4; i < length; i++) if (bytes[at + i] !== ((value + i) & 255)) return false
  return true
}

function readTable(disk: Disk, id: number): number {
  const file = disk.open(fileName(id, 'table'), 'read')
  try {
    const bytes = new Uint8Array(TABLE_BYTES)
    const count = file.read(bytes, 0, TABLE_BYTES, 0)
    const value = get32(bytes, 0)
    if (count !== TABLE_BYTES || !isFilled(bytes, 0, TABLE_BYTES, value)) throw new Error('the table is torn')
    return value
  } finally {
    file.close()
  }
}

/** What is left out, to see it found. */
export interface Sabotage {
  /** Removes what the old manifest needs before the new one is there. */
  readonly earlyRemoval?: boolean
  /** Says that logs were flushed to a table that is not there yet. */
  readonly manifestFirst?: boolean
}

export class LittleStore {
  /** The last number that is there. */
  last = 0
  /** The last number that is known to be durable. */
  acknowledged = 0
  readonly committer: LogCommitter
  private readonly disk: Disk
  private readonly log: SharedLog
  private readonly sabotage: Sabotage
  private manifest: Manifest
  private nextId: number
  private oldLogs: number[] = []

  /** Opens what is there, or makes a new one. */
  constructor(disk: Disk, sabotage: Sabotage = {}) {
    this.disk = disk
    this.sabotage = sabotage
    const plan = planRecovery(surveyDirectory(disk))
    this.nextId = plan.nextFileId
    this.manifest = plan.manifest ?? this.firstManifest()
    for (const table of this.manifest.tables) this.last = readTable(disk, table.id)
    removeOrphans(disk, plan.orphans)
    const { flushedLsn } = this.manifest
    const end = replayChain(disk, plan.chain, GENERATION, flushedLsn, (type, _lsn, bytes, at, length) => {
      const value = this.last + 1
      if (type !== TYPE_PUT || length !== lengthFor(value) || !isFilled(bytes, at, length, value)) {
        throw new Error(`the record after ${this.last} is not ${value}`)
      }
      this.last = value
    })
    this.acknowledged = this.last
    this.oldLogs = plan.chain.map(({ id }) => id)
    const words = new Int32Array(SharedLog.wordsFor(RING_GRANULES))
    this.log = new SharedLog(words, 0, RING_GRANULES)
    initLog(this.log, end, this.oldLogs.at(-1) ?? 0)
    this.log.claim(1)
    this.committer = new LogCommitter(this.log, {
      disk,
      generation: GENERATION,
      nextFileId: () => this.nextId++,
      fileBytes: FILE_BYTES,
      bytes: new Uint8Array(words.buffer),
    })
  }

  private firstManifest(): Manifest {
    const manifest: Manifest = {
      id: this.nextId++,
      generation: GENERATION,
      nextFileId: this.nextId,
      flushedLsn: 0,
      clock: 0,
      logs: [],
      firstLog: 0,
      tables: [],
      settings: new Uint8Array(0),
    }
    writeManifest(this.disk, manifest)
    return manifest
  }

  /** Adds the next number; not durable yet. @throws HeddleError if the log does not work, or there is no room in it */
  add(): void {
    const state = logState(this.log)
    if (state !== LOG_WORKS) throw logError(state)
    const value = this.last + 1
    const length = lengthFor(value)
    const position = this.log.reserve(OWNER, SharedLog.granulesFor(length))
    if (position < 0) throw new Error('the ring is full')
    fill(new Uint8Array(this.log.words.buffer), this.log.payloadAt(position) * 4, length, value)
    this.log.complete(position, TYPE_PUT, length)
    this.last = value
  }

  /** A slot that its writer gives up. */
  addAborted(): void {
    const position = this.log.reserve(OWNER, 2)
    if (position >= 0) this.log.abort(position)
  }

  /** Makes all durable, trying again once. @returns whether it is */
  commit(): boolean {
    const frontier = this.log.frontier()
    for (let i = 0; i < 3 && !this.log.isStable(frontier); i++) this.committer.round()
    if (!this.log.isStable(frontier)) return false
    this.acknowledged = this.last
    return true
  }

  /** Writes a table and a manifest. @throws FileError if either fails; the store goes on as it was */
  flush(): void {
    if (!this.commit() || !this.committer.rotate()) throw this.committer.failure
    const present = logFile(this.log)!
    const tableId = this.nextId++
    const table: TableEntry = {
      id: tableId,
      level: 0,
      size: TABLE_BYTES,
      entries: this.last,
      deletions: 0,
      checksum: 1,
      smallestVersion: 0,
      largestVersion: this.last,
      smallestKey: Uint8Array.of(1),
      largestKey: Uint8Array.of(255, 255),
    }
    const manifest: Manifest = {
      ...this.manifest,
      id: this.nextId++,
      nextFileId: this.nextId,
      flushedLsn: present.lsn,
      logs: [present.id],
      tables: [table],
    }
    const writeTable = (): void => {
      const bytes = new Uint8Array(TABLE_BYTES)
      fill(bytes, 0, TABLE_BYTES, this.last)
      publishFile(this.disk, tableId, 'table', bytes)
    }
    const old = this.manifest
    if (this.sabotage.earlyRemoval === true) this.removeOld(old, present.id)
    if (this.sabotage.manifestFirst === true) writeManifest(this.disk, manifest)
    writeTable()
    if (this.sabotage.manifestFirst !== true) writeManifest(this.disk, manifest)
    this.manifest = manifest
    if (this.sabotage.earlyRemoval !== true) this.removeOld(old, present.id)
  }

  /** Ends the present log and begins another. */
  rotate(): void {
    const before = this.committer.fileId
    if (!this.committer.rotate()) throw this.committer.failure
    if (before !== 0) this.oldLogs.push(before)
  }

  private removeOld(old: Manifest, presentLog: number): void {
    const names = [fileName(old.id, 'manifest'), ...old.tables.map(({ id }) => fileName(id, 'table'))]
    const logs = this.disk.list().filter((name) => name.endsWith('.log') && Number.parseInt(name, 10) < presentLog)
    removeOrphans(this.disk, [...names, ...logs])
    this.oldLogs = []
  }

  close(): void {
    this.committer.close()
  }
}
