/**
 * A whole durable tier in one thread, driven by hand: the log worker and the maintainer make a step when they are told.
 * Its contents are a Map, which stands for the tree. Everything below is the production source.
 */
import { createArena } from '../../src/memory/arena.ts'
import { Participant, claimSlot } from '../../src/reclaim/participant.ts'
import { EpochScheme } from '../../src/reclaim/epoch.ts'
import {
  BATCH_HEADER_BYTES,
  CHANGE_DELETE,
  CHANGE_HEADER_BYTES,
  OPERATION_HEADER_BYTES,
  writeBatchHeader,
  writeChangeHeader,
  writeOperationHeader,
} from '../../src/lsm/change-record.ts'
import type { Disk } from '../../src/lsm/disk.ts'
import { logFault } from '../../src/lsm/log-committer.ts'
import { TYPE_BATCH, TYPE_DELETE, TYPE_PUT } from '../../src/lsm/log-format.ts'
import { SharedLog } from '../../src/lsm/shared-log.ts'
import { Tier } from '../../src/lsm/tier.ts'
import { placeTier, tierWordsFor, writeTierHead } from '../../src/lsm/tier-layout.ts'
import { LogWorker } from '../../src/lsm/tier-log.ts'
import { Maintainer, type MaintainerOptions } from '../../src/lsm/tier-maintainer.ts'
import { begin, inspect } from '../../src/lsm/tier-opening.ts'
import { TierWords, type TierSettings } from '../../src/lsm/tier-words.ts'
import { geometry } from '../unit/memory/geometry.ts'

const SIZES = { ringGranules: 256, versions: 8, versionBytes: 4096, cacheBytes: 8192, blockBytes: 512 }
const FILE_BYTES = 2048
/** More than any pace of the log worker. */
const LONG_MS = 1000

export interface HandOptions extends Partial<Omit<TierSettings, 'generation'>> {
  readonly maintainer?: Partial<MaintainerOptions>
  readonly settings?: string
}

export type Operation = readonly [key: string, value: string | undefined]

export class HandTier {
  readonly map = new Map<string, string>()
  readonly tier: Tier
  logWorker: LogWorker
  maintainer: Maintainer
  /** Operations of single keys made and known to be durable. */
  private readonly disk: Disk
  readonly maintainerOptions: MaintainerOptions
  private time = 0
  private readonly clock = (): number => this.time

  /** Opens what is there, or makes a new one. */
  constructor(disk: Disk, options: HandOptions = {}) {
    this.disk = disk
    const found = inspect(disk, options.settings ?? 'test', 0x5eed)
    const tierWords = tierWordsFor(4, SIZES)
    const arena = createArena(geometry({ tierWords, arenaWords: 2 ** 16 + tierWords }))
    writeTierHead(arena, SIZES)
    const layout = placeTier(arena.layout.tierAt, 4, SIZES)
    const { durability = 'group', groupMs = 10, memtableEntries = 20, memtableBytes = 4096 } = options
    const settings = { generation: found.manifest.generation, durability, groupMs, memtableEntries, memtableBytes }
    TierWords.init(arena.words, layout, settings, found.nextFileId)
    const me = claimSlot(arena, 1)
    if (!(me instanceof Participant)) throw new Error('no participant')
    this.tier = new Tier(arena, new EpochScheme(arena, me), me, disk)
    begin(this.tier, disk, found, {
      put: (bytes, at, keyBytes, valueBytes) => {
        this.map.set(text(bytes, at, keyBytes), text(bytes, at + keyBytes, valueBytes))
      },
      remove: (bytes, at, keyBytes) => void this.map.delete(text(bytes, at, keyBytes)),
    })
    this.maintainerOptions = {
      table: { blockBytes: 256, restartInterval: 4 },
      tableBytes: 700,
      fileBytes: FILE_BYTES,
      picking: { levelZeroTables: 2, levelOneBytes: 2000, growth: 2, levels: 4 },
      stepEntries: 16,
      retryMs: 0,
      ...options.maintainer,
    }
    this.tier.log.claim(me.label)
    this.tier.words.claim(me.label)
    this.logWorker = this.newLogWorker()
    this.maintainer = this.newMaintainer()
  }

  /** What a successor of the log worker begins with. The one before is not asked. */
  newLogWorker(): LogWorker {
    return (this.logWorker = new LogWorker(this.tier, this.disk, FILE_BYTES, this.clock))
  }

  newMaintainer(): Maintainer {
    return (this.maintainer = new Maintainer(this.tier, this.disk, this.maintainerOptions, this.clock))
  }

  /** Makes a change. @throws HeddleError as writers get it; nothing has changed then */
  put(key: string, value: string): void {
    this.append(TYPE_PUT, CHANGE_HEADER_BYTES + key.length + value.length, (bytes, at) => {
      writeChangeHeader(bytes, at, key.length, 0)
      bytes.set(Buffer.from(key + value, 'latin1'), at + CHANGE_HEADER_BYTES)
    })
    this.map.set(key, value)
  }

  remove(key: string): void {
    this.append(TYPE_DELETE, CHANGE_HEADER_BYTES + key.length, (bytes, at) => {
      writeChangeHeader(bytes, at, key.length, CHANGE_DELETE)
      bytes.set(Buffer.from(key, 'latin1'), at + CHANGE_HEADER_BYTES)
    })
    this.map.delete(key)
  }

  /** Several changes as one record. */
  batch(operations: readonly Operation[]): void {
    let length = BATCH_HEADER_BYTES
    for (const [key, value = ''] of operations) length += OPERATION_HEADER_BYTES + key.length + value.length
    this.append(TYPE_BATCH, length, (bytes, at) => {
      writeBatchHeader(bytes, at, operations.length)
      let next = at + BATCH_HEADER_BYTES
      for (const [key, value] of operations) {
        writeOperationHeader(bytes, next, key.length, value === undefined ? CHANGE_DELETE : 0, value?.length ?? 0)
        bytes.set(Buffer.from(key + (value ?? ''), 'latin1'), next + OPERATION_HEADER_BYTES)
        next += OPERATION_HEADER_BYTES + key.length + (value?.length ?? 0)
      }
    })
    for (const [key, value] of operations) {
      if (value === undefined) this.map.delete(key)
      else this.map.set(key, value)
    }
  }

  private append(type: number, length: number, fill: (bytes: Uint8Array, at: number) => void): void {
    const { log, me, arena } = this.tier
    const granules = SharedLog.granulesFor(length)
    let position = -1
    for (let tries = 0; position < 0; tries++) {
      const fault = logFault(log)
      if (fault !== undefined) throw fault
      if (tries > 3) throw new Error('the ring stays full')
      position = log.reserve(me.slot, granules)
      if (position < 0) this.turn(true)
    }
    fill(arena.bytes, log.payloadAt(position) * 4)
    log.complete(position, type, length)
  }

  /** A turn of the log worker, long after the last one. @param wanted whether somebody wants everything synced */
  turn(wanted = false): void {
    this.time += LONG_MS
    if (wanted) this.tier.words.request()
    this.logWorker.turn()
  }

  /** @returns whether everything made so far is durable */
  sync(): boolean {
    const frontier = this.tier.log.frontier()
    for (let i = 0; i < 3 && !this.tier.log.isStable(frontier); i++) this.turn(true)
    return this.tier.log.isStable(frontier)
  }

  /** Turns of both until there is nothing to do, at most so many. @returns turns in which the maintainer worked */
  settle(most = 200): number {
    let worked = 0
    for (let i = 0; i < most; i++) {
      this.turn()
      if (this.maintainer.step()) worked++
      else if (!this.maintainer.isBusy) break
    }
    return worked
  }

  /** Has everything in tables. */
  flush(): void {
    this.sync()
    this.tier.words.wantFlush()
    this.settle()
  }

  close(): void {
    this.maintainer.close()
    this.logWorker.close()
  }
}

function text(bytes: Uint8Array, at: number, length: number): string {
  return Buffer.from(bytes.subarray(at, at + length)).toString('latin1')
}

/** The contents, in order, to be compared. */
export function contents(map: ReadonlyMap<string, string>): string {
  return [...map]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join()
}
