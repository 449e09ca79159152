/** Options of a durable store, checked and turned into the sizes and settings of its tier. */
import { HeddleError } from '../memory/error.ts'
import type { Compression } from '../lsm/block-frame.ts'
import type { TierGeometry } from '../lsm/tier-layout.ts'
import type { MaintainerOptions } from '../lsm/tier-maintainer.ts'
import { DURABILITIES, type Durability, type TierSettings } from '../lsm/tier-words.ts'
import { integer, invalid, refuseUnknown } from './option-checks.ts'

/** When what was written since the last flush goes to a table: as soon as either is reached. */
export interface MemtableOptions {
  /** Changes, 1 to 2^31 - 1; default 1,000,000. */
  entries?: number
  /** Bytes of log, 4 KiB to 1 GiB; default a sixteenth of the memory, 256 KiB to 16 MiB. */
  bytes?: number
}

/** What makes a store durable. All but `path` needs a `path`. */
export interface DurableOptions {
  /**
   * Directory of the store, made if it is not there: then the store is durable, and what is in the directory is in it. One
   * process at a time has it open. Without a path the store is in memory only.
   */
  path?: string
  /**
   * When a change is durable: `'sync'` before the call that made it returns; `'group'`, the default, at most `groupMs` later,
   * as long as the disk keeps up; `'none'` some time later, when the system writes it. `flush` and `flushSync` make
   * everything durable with each of them.
   */
  durability?: Durability
  /** Milliseconds of changes that a crash may take with `durability: 'group'`, 1 to 10,000; default 10. */
  groupMs?: number
  /** When a flush to a table is due. */
  memtable?: MemtableOptions
  /** Changes after which a compaction is due although no level is full, 1 to 2^31 - 1, or Infinity, the default. */
  compactEvery?: number
  /** A named set of the two above: `'week8'` flushes every 2,000 entries and compacts every 10,000 updates. */
  preset?: 'week8'
  /** Of tables: `'none'`, the default, `'deflate'` or `'brotli'`. What is there already stays as it is. */
  compression?: Compression
  /**
   * Bytes of the ring in which changes wait for the log, a power of two, 16 KiB to 64 MiB; default a 32nd of the memory, up
   * to 8 MiB. No change, and no batch, may take more than half of it.
   */
  logBufferBytes?: number
  /** Bytes of memory that hold blocks of tables; default a 64th of the memory, up to 8 MiB. */
  cacheBytes?: number
}

/** Sizes of the durable tier for tests and experiments. */
export interface TierTuning {
  /** Tables of level 0 that make it due for a compaction; 2 to 1,000, default 4. */
  levelZeroTables?: number
  /** Bytes of level 1 that make it due, and how many times as much each level below may hold; default 64 MiB and 10. */
  levelOneBytes?: number
  levelGrowth?: number
  /** Bytes at which a compaction ends a table; default 8 MiB. */
  tableBytes?: number
  /** Bytes of a block of a table; default 4096. */
  blockBytes?: number
  /**
   * Versions of the tables that can exist at a time, so four fewer may be read by snapshots beside the newest; 6 to 128, default
   * 32, or 16 to 31 in less than 8 MiB. Each has room of a 1,024th of the memory set aside, 8 KiB to 1 MiB.
   */
  maxVersions?: number
}

/** A checked durable store. */
export interface CheckedTier {
  readonly path: string
  readonly geometry: TierGeometry
  readonly settings: Omit<TierSettings, 'generation'>
  readonly maintainer: MaintainerOptions
}

export const DURABLE_NAMES = [
  'path',
  'durability',
  'groupMs',
  'memtable',
  'compactEvery',
  'preset',
  'compression',
  'logBufferBytes',
  'cacheBytes',
] as const satisfies readonly (keyof DurableOptions)[]

export const TIER_TUNING_NAMES = [
  'levelZeroTables',
  'levelOneBytes',
  'levelGrowth',
  'tableBytes',
  'blockBytes',
  'maxVersions',
] as const satisfies readonly (keyof TierTuning)[]

const MOST = 2 ** 31 - 1
const MIB = 2 ** 20
/** Versions of the catalog: so many by default, within a share of the memory. */
const LEAST_VERSIONS = 16
const MOST_VERSIONS = 32
const VERSIONS_PART = 32
const GRANULE_BYTES = 32
const COMPRESSIONS: readonly Compression[] = ['none', 'deflate', 'brotli']
const WEEK_8 = { entries: 2000, compactEvery: 10_000 }

function between(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.floor(value)))
}

function powerOfTwo(value: number): number {
  return 2 ** Math.floor(Math.log2(value))
}

function oneOf<T>(name: string, value: T | undefined, fallback: T, all: readonly T[]): T {
  if (value === undefined) return fallback
  if (!all.includes(value)) throw invalid(name, value, `one of ${all.join(', ')}`)
  return value
}

/**
 * Checks the options of a durable store.
 * @returns undefined if there is no path
 * @throws HeddleError HEDDLE_INVALID_OPTION
 */
export function checkTierOptions(options: DurableOptions, tuning: TierTuning, memory: number): CheckedTier | undefined {
  const { path } = options
  if (path === undefined) {
    for (const name of DURABLE_NAMES) if (options[name] !== undefined) throw withoutPath(name)
    for (const name of TIER_TUNING_NAMES) if (tuning[name] !== undefined) throw withoutPath(`tuning.${name}`)
    return undefined
  }
  if (typeof path !== 'string' || path === '' || path.includes('\0')) throw invalid('path', path, 'a directory')
  const blockBytes = integer('tuning.blockBytes', tuning.blockBytes, 4096, 128, MIB)
  const settings = settingsOf(options, memory)
  const versionBytes = between(memory / 1024, 8192, MIB)
  const versions = between(memory / VERSIONS_PART / versionBytes, LEAST_VERSIONS, MOST_VERSIONS)
  return {
    path,
    geometry: {
      ringGranules: ringBytesOf(options, memory) / GRANULE_BYTES,
      versions: integer('tuning.maxVersions', tuning.maxVersions, versions, 6, 128),
      versionBytes,
      cacheBytes: integer('cacheBytes', options.cacheBytes, between(memory / 64, 4096, 8 * MIB), 0, memory),
      blockBytes,
    },
    settings,
    maintainer: maintainerOf(options, tuning, blockBytes, settings.memtableBytes),
  }
}

function withoutPath(name: string): HeddleError {
  return new HeddleError(
    'HEDDLE_INVALID_OPTION',
    `${name} is for a durable store; give it a path, or leave ${name} out`,
  )
}

function ringBytesOf({ logBufferBytes }: DurableOptions, memory: number): number {
  const fallback = between(powerOfTwo(memory / 32), 32768, 8 * MIB)
  const bytes = integer('logBufferBytes', logBufferBytes, fallback, 16_384, 64 * MIB)
  if ((bytes & (bytes - 1)) !== 0) throw invalid('logBufferBytes', bytes, 'a power of two')
  return bytes
}

function presetOf({ preset }: DurableOptions): Partial<typeof WEEK_8> {
  return oneOf('preset', preset, undefined, ['week8', undefined]) === undefined ? {} : WEEK_8
}

function settingsOf(options: DurableOptions, memory: number): CheckedTier['settings'] {
  const memtable = options.memtable ?? {}
  if (typeof memtable !== 'object') throw invalid('memtable', memtable, 'an object')
  refuseUnknown(memtable, new Set(['entries', 'bytes']), 'memtable.')
  const { entries = 1_000_000 } = presetOf(options)
  const bytes = between(memory / 16, 256 * 1024, 16 * MIB)
  return {
    durability: oneOf('durability', options.durability, 'group', DURABILITIES),
    groupMs: integer('groupMs', options.groupMs, 10, 1, 10_000),
    memtableEntries: integer('memtable.entries', memtable.entries, entries, 1, MOST),
    memtableBytes: integer('memtable.bytes', memtable.bytes, bytes, 4096, 2 ** 30),
  }
}

function maintainerOf(
  options: DurableOptions,
  tuning: TierTuning,
  blockBytes: number,
  memtableBytes: number,
): MaintainerOptions {
  const preset = presetOf(options).compactEvery ?? Infinity
  const { compactEvery = preset } = options
  if (compactEvery !== Infinity) integer('compactEvery', compactEvery, 1, 1, MOST)
  return {
    table: { blockBytes, compression: oneOf('compression', options.compression, 'none', COMPRESSIONS) },
    tableBytes: integer('tuning.tableBytes', tuning.tableBytes, 8 * MIB, 256, 2 ** 30),
    fileBytes: between(memtableBytes * 1.125, 65_536, 32 * MIB),
    picking: {
      levelZeroTables: integer('tuning.levelZeroTables', tuning.levelZeroTables, 4, 2, 1000),
      levelOneBytes: integer('tuning.levelOneBytes', tuning.levelOneBytes, 64 * MIB, 256, 2 ** 40),
      growth: integer('tuning.levelGrowth', tuning.levelGrowth, 10, 2, 100),
      levels: 7,
      compactEvery,
    },
    stepEntries: 2048,
    retryMs: 100,
  }
}
