/**
 * Directories of stores, made from the parts of the durable tier alone: changes go to log files, flushes make tables of
 * them, manifests say what holds. A plain Map says what is in them.
 */
import {
  BATCH_HEADER_BYTES,
  CHANGE_DELETE,
  CHANGE_HEADER_BYTES,
  OPERATION_HEADER_BYTES,
  writeBatchHeader,
  writeChangeHeader,
  writeOperationHeader,
} from '../../src/lsm/change-record.ts'
import { DirectoryReader } from '../../src/lsm/directory-reader.ts'
import type { Disk } from '../../src/lsm/disk.ts'
import { KIND_DELETE, KIND_PUT, NEWEST } from '../../src/lsm/entry.ts'
import {
  RECORD_HEADER_BYTES,
  TYPE_ABORTED,
  TYPE_BATCH,
  TYPE_DELETE,
  TYPE_PADDING,
  TYPE_PUT,
} from '../../src/lsm/log-format.ts'
import { LogWriter } from '../../src/lsm/log-writer.ts'
import type { Manifest } from '../../src/lsm/manifest.ts'
import { writeManifest } from '../../src/lsm/recovery.ts'
import { RunSorter } from '../../src/lsm/run-sorter.ts'
import { SharedLog } from '../../src/lsm/shared-log.ts'
import { entryOfTable } from '../../src/lsm/table-entry.ts'
import { type TableOptions, TableWriter } from '../../src/lsm/table-writer.ts'
import { VisibleSource } from '../../src/lsm/visible-source.ts'
import { bytesOf } from './entries.ts'
import { SimulatedDisk } from './simulated-disk.ts'

export const GENERATION = 0x5eed1234
const LOG_ROOM = 2048

/** Undefined for a delete. Keys and values are bytes, as latin1. */
type Operation = readonly [key: string, value?: string]

export class MadeStore {
  readonly model = new Map<string, string>()
  readonly disk: Disk
  manifest: Manifest
  /** The newest log; the one that is written to. */
  log: LogWriter | undefined
  nextId = 1
  lsn = 0
  private readonly table: TableOptions
  private readonly logs: number[] = []
  private pending = new Map<string, { lsn: number; value: string | undefined }>()

  constructor(disk: Disk, table: TableOptions = { blockBytes: 200 }) {
    this.disk = disk
    this.table = table
    this.manifest = {
      id: this.nextId++,
      generation: GENERATION,
      nextFileId: this.nextId,
      flushedLsn: 0,
      clock: 5,
      logs: [],
      firstLog: 0,
      tables: [],
      settings: bytesOf('{"values":"utf8"}'),
    }
    writeManifest(disk, this.manifest)
  }

  set(key: string, value: string): void {
    this.one(TYPE_PUT, key, value)
  }

  delete(key: string): void {
    this.one(TYPE_DELETE, key, undefined)
  }

  private one(type: number, key: string, value: string | undefined): void {
    const payload = new Uint8Array(CHANGE_HEADER_BYTES + key.length + (value?.length ?? 0))
    writeChangeHeader(payload, 0, key.length, type === TYPE_DELETE ? CHANGE_DELETE : 0)
    payload.set(bytesOf(key + (value ?? '')), CHANGE_HEADER_BYTES)
    this.record(type, payload, [value === undefined ? [key] : [key, value]])
  }

  /** Several changes in one record, by key. */
  batch(operations: readonly Operation[]): void {
    const pieces = operations.map(([key, value]) => {
      const piece = new Uint8Array(OPERATION_HEADER_BYTES + key.length + (value?.length ?? 0))
      writeOperationHeader(piece, 0, key.length, value === undefined ? CHANGE_DELETE : 0, value?.length ?? 0)
      piece.set(bytesOf(key + (value ?? '')), OPERATION_HEADER_BYTES)
      return piece
    })
    const header = new Uint8Array(BATCH_HEADER_BYTES)
    writeBatchHeader(header, 0, operations.length)
    this.record(TYPE_BATCH, Buffer.concat([header, ...pieces]), operations)
  }

  private record(type: number, payload: Uint8Array, operations: readonly Operation[]): void {
    const log = this.logToWrite()
    const granules = SharedLog.granulesFor(payload.length)
    const slot = new Uint8Array(granules * 32).fill(0xee)
    slot.set(payload, RECORD_HEADER_BYTES)
    log.addSlot(slot, 0, type, granules, payload.length)
    log.flush()
    for (const [key, value] of operations) {
      this.pending.set(key, { lsn: this.lsn, value })
      if (value === undefined) this.model.delete(key)
      else this.model.set(key, value)
    }
    this.lsn = log.nextLsn
  }

  /** Slots that hold nothing. */
  gaps(): void {
    const log = this.logToWrite()
    log.addEmpty(TYPE_ABORTED, 3)
    log.addEmpty(TYPE_PADDING, 2)
    this.lsn = log.nextLsn
  }

  private logToWrite(): LogWriter {
    this.log ??= this.begin()
    return this.log
  }

  private begin(): LogWriter {
    const id = this.nextId++
    const log = LogWriter.prepare(this.disk, id, GENERATION, LOG_ROOM)
    log.begin(this.lsn, this.logs.at(-1) ?? 0)
    log.sync()
    this.logs.push(id)
    return log
  }

  /** What was done so far is durable. */
  sync(): void {
    this.log?.sync()
    this.log?.mark()
  }

  /** Ends the present log and begins the next. */
  rotate(): void {
    this.sync()
    this.log?.close()
    this.log = this.begin()
  }

  /**
   * As after a sync that has failed: what was not synced before stays in a log that is given up, and is to be written again
   * to the next one.
   */
  giveUpLog(): void {
    this.lsn = this.log!.synced
    this.log!.close()
    this.log = this.begin()
  }

  /** Everything in the logs becomes a table of a level, and the logs are gone. Returns the table's id. */
  flush(level = 0): number {
    this.rotate()
    const id = this.nextId++
    const writer = new TableWriter(this.disk, id, GENERATION, this.table)
    for (const [key, { lsn, value }] of [...this.pending].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const bytes = bytesOf(key)
      const content = bytesOf(value ?? '')
      const kind = value === undefined ? KIND_DELETE : KIND_PUT
      writer.add(bytes, 0, bytes.length, kind, lsn, content, 0, content.length)
    }
    this.pending = new Map()
    const entry = entryOfTable(this.disk, writer.finish(), level)
    const old = this.manifest
    this.writeManifest({
      flushedLsn: this.lsn,
      logs: [this.log!.id],
      tables: level === 0 ? [entry, ...old.tables] : [...old.tables, entry],
    })
    for (const log of this.logs.splice(0, this.logs.length - 1)) this.removeIfThere(`${pad(log)}.log`)
    this.removeIfThere(`${pad(old.id)}.manifest`)
    return id
  }

  /** Another manifest, which differs in some of what it says. */
  writeManifest(change: Partial<Manifest>): void {
    const id = this.nextId++
    this.manifest = { ...this.manifest, ...change, id, nextFileId: this.nextId }
    writeManifest(this.disk, this.manifest)
  }

  private removeIfThere(name: string): void {
    if (this.disk.sizeOf(name) !== undefined) this.disk.remove(name)
  }

  /** As a store does that is closed orderly. */
  close(): void {
    this.log?.sync()
    this.log?.mark()
    this.log?.sync()
    this.log?.close()
    this.log = undefined
  }
}

const pad = (id: number): string => String(id).padStart(6, '0')

/** A store with something of everything: three levels, two logs with changes, deletes of what is below, batches. */
export function fillStore(store: MadeStore, keys = 40): void {
  const key = (i: number): string => `key${String(i).padStart(3, '0')}`
  for (let i = 0; i < keys; i++) store.set(key(i), `bottom ${i} ${'.'.repeat(i % 17)}`)
  store.flush(2)
  for (let i = 0; i < keys; i += 3) store.set(key(i), `middle ${i}`)
  store.delete(key(4))
  store.flush(1)
  for (let i = 0; i < keys; i += 5) store.set(key(i), `top ${i}`)
  store.batch([[key(1)], [key(2), 'of a batch'], ['\u00ff\u0000\u0080', '\u00fe']])
  store.flush()
  store.set(key(7), 'newer top')
  store.delete(key(8))
  store.flush()
  store.set(key(9), 'in a log')
  store.gaps()
  store.rotate()
  store.delete(key(10))
  store.batch([[key(11), 'in a batch of a log'], [key(12)], ['zz', '']])
  store.sync()
  store.set(key(13), 'at the end')
}

/** A made store that was closed, and its disk. */
export function filledDisk(keys = 40): { disk: SimulatedDisk; store: MadeStore } {
  const disk = new SimulatedDisk()
  const store = new MadeStore(disk)
  fillStore(store, keys)
  store.close()
  return { disk, store }
}

/** What a directory holds, as the tools see it. */
export function contentsOf(disk: Disk, memoryBytes = 1 << 20): Map<string, string> {
  const reader = DirectoryReader.open(disk)
  if (reader === undefined) throw new Error('there is no store')
  const scratch = new SimulatedDisk()
  let nextId = 1
  const sorter = new RunSorter({ disk: () => scratch, generation: 7, newId: () => nextId++, memoryBytes, fanIn: 3 })
  reader.readLogs(sorter)
  const source = new VisibleSource(reader.merged([sorter.source()]), NEWEST)
  const found = new Map<string, string>()
  const text = (bytes: Uint8Array, from: number, to: number): string =>
    Buffer.from(bytes.subarray(from, to)).toString('latin1')
  for (source.seekFirst(); source.valid; source.next()) {
    found.set(text(source.key, 0, source.keyLength), text(source.value, source.valueStart, source.valueEnd))
  }
  sorter.close()
  reader.close()
  return found
}

/** A Map's entries in the order of their keys. */
export const sortedEntries = (map: ReadonlyMap<string, string>): [string, string][] =>
  [...map].sort(([a], [b]) => (a < b ? -1 : 1))
