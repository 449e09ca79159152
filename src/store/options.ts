/** Options of `open`, checked and turned into a geometry. */
import { type Geometry, MAX_MEMORY_BYTES, MIN_MEMORY_BYTES, SCHEMES, type SchemeName } from '../memory/layout.ts'
import { tierWordsFor } from '../lsm/tier-layout.ts'
import type { KeyCodecOption, ValueCodecOption } from './codec.ts'
import { flag, integer, invalid, refuseUnknown } from './option-checks.ts'
import {
  type CheckedTier,
  DURABLE_NAMES,
  type DurableOptions,
  TIER_TUNING_NAMES,
  type TierTuning,
  checkTierOptions,
} from './tier-options.ts'

/** Sizes for tests and experiments; the defaults are what was measured to be good. */
export interface Tuning extends TierTuning {
  /** Entries of a leaf before it splits; 2 to 512, default 128. */
  leafEntries?: number
  /** Inserts a leaf takes before it is consolidated; 1 to 128, default 16. */
  leafSlots?: number
  /** Children of an inner page before it splits; 3 to 512, default 128. */
  innerEntries?: number
  /** Words of a segment, a power of two from 4096 to 1048576; default by the arena's size. */
  segmentWords?: number
  /** Largest value in bytes that lies in one piece with its key; default a 16th of a segment, at most 16 KiB. */
  inlineBytes?: number
  /** Most pages the tree can have; default by the arena's size. */
  pageIds?: number
  /** Snapshots that may be live at the same time, 1 to 4096; default 256. */
  maxSnapshots?: number
  /** Bits of the clock by which versions are told apart, 5 to 28, default 28: with few, it wraps often. */
  clockBits?: number
  /** Reclamation: `epoch`, or one of the controls `none` (never frees) and `unsafe` (frees at once). */
  scheme?: SchemeName
  /** Expensive assertions, and freed memory is overwritten. */
  paranoid?: boolean
}

export interface OpenOptions<
  KC extends KeyCodecOption = KeyCodecOption,
  VC extends ValueCodecOption = ValueCodecOption,
> extends DurableOptions {
  /** Bytes of address space to reserve, 1 MiB to 4 GiB, default 256 MiB; the system commits them as they are used. */
  memory?: number
  /** How keys are encoded; `'utf8'` by default. */
  keys?: KC
  /** How values are encoded; `'utf8'` by default. */
  values?: VC
  /** Stores that may be attached at the same time, 2 to 256, default 64. */
  maxThreads?: number
  /** Whether a background worker cleans and drains; true by default. Without it, writers do it when they must. */
  cleaner?: boolean
  /** Age in milliseconds at which a snapshot is ended, 1 to 2^31 - 1; Infinity, the default, for no such limit. */
  snapshotMaxMs?: number
  /** Bytes kept alive for snapshots at which the oldest of them is ended; default half of the memory. */
  snapshotMaxBytes?: number
  tuning?: Tuning
}

const DEFAULT_MEMORY_BYTES = 256 * 2 ** 20
const DEFAULT_THREADS = 64

const KNOWN = new Set<string>([
  'memory',
  'keys',
  'values',
  'maxThreads',
  'cleaner',
  'snapshotMaxMs',
  'snapshotMaxBytes',
  'tuning',
  ...DURABLE_NAMES,
])
const KNOWN_TUNING = new Set<string>([
  'leafEntries',
  'leafSlots',
  'innerEntries',
  'segmentWords',
  'inlineBytes',
  'pageIds',
  'maxSnapshots',
  'clockBits',
  'scheme',
  'paranoid',
  ...TIER_TUNING_NAMES,
])

function defaultSegmentWords(arenaWords: number): number {
  const wanted = arenaWords / 1024
  let words = 4096
  while (words < 65536 && words * 2 <= wanted) words *= 2
  return words
}

function segmentWordsOf(tuning: Tuning, arenaWords: number): number {
  const words = integer('tuning.segmentWords', tuning.segmentWords, defaultSegmentWords(arenaWords), 4096, 1 << 20)
  if ((words & (words - 1)) !== 0) throw invalid('tuning.segmentWords', words, 'a power of two')
  return words
}

function snapshotMsOf(ms: number | undefined): number {
  return ms === undefined || ms === Infinity ? 0 : integer('snapshotMaxMs', ms, 0, 1, 2 ** 31 - 1)
}

export interface CheckedOptions {
  readonly geometry: Geometry
  readonly cleaner: boolean
  /** Undefined for a store that is only in memory. */
  readonly tier: CheckedTier | undefined
}

/** Threads of the durable tier, and one more that takes the place of a dead one. */
const TIER_THREADS = 3

/**
 * Checks options.
 * @throws HeddleError HEDDLE_INVALID_OPTION naming the option and what it may be
 */
export function checkOptions(options: OpenOptions): CheckedOptions {
  if (typeof options !== 'object' || options === null) throw invalid('the options', options, 'an object')
  refuseUnknown(options, KNOWN, '')
  const tuning = options.tuning ?? {}
  if (typeof tuning !== 'object') throw invalid('tuning', tuning, 'an object')
  refuseUnknown(tuning, KNOWN_TUNING, 'tuning.')
  const memory = integer('memory', options.memory, DEFAULT_MEMORY_BYTES, MIN_MEMORY_BYTES, MAX_MEMORY_BYTES)
  const arenaWords = Math.floor(memory / 4)
  const segmentWords = segmentWordsOf(tuning, arenaWords)
  // A record must fit a block and leave room in a segment: half a segment, and never more than 32 KiB.
  const maxInline = Math.min(32768, segmentWords * 2)
  const leafEntries = integer('tuning.leafEntries', tuning.leafEntries, 128, 2, 512)
  // Pages of many entries are few; pages of few entries, as tests have them, are many.
  const pageBytes = leafEntries >= 32 ? 1024 : 128
  const scheme = tuning.scheme ?? 'epoch'
  if (!SCHEMES.includes(scheme)) throw invalid('tuning.scheme', scheme, `one of ${SCHEMES.join(', ')}`)
  const tier = checkTierOptions(options, tuning, memory)
  const threads = integer('maxThreads', options.maxThreads, DEFAULT_THREADS, 2, 256)
  const maxParticipants = tier === undefined ? threads : Math.min(256, threads + TIER_THREADS)
  return {
    geometry: {
      arenaWords,
      segmentWords,
      maxParticipants,
      pageIds: integer('tuning.pageIds', tuning.pageIds, Math.max(1024, Math.floor(memory / pageBytes)), 16, 1 << 26),
      leafEntries,
      leafSlots: integer('tuning.leafSlots', tuning.leafSlots, 16, 1, 128),
      innerEntries: integer('tuning.innerEntries', tuning.innerEntries, 128, 3, 512),
      inlineBytes: integer(
        'tuning.inlineBytes',
        tuning.inlineBytes,
        Math.min(16384, segmentWords >>> 2),
        16,
        maxInline,
      ),
      maxSnapshots: integer('tuning.maxSnapshots', tuning.maxSnapshots, 256, 1, 4096),
      clockBits: integer('tuning.clockBits', tuning.clockBits, 28, 5, 28),
      snapshotMs: snapshotMsOf(options.snapshotMaxMs),
      snapshotWords:
        integer('snapshotMaxBytes', options.snapshotMaxBytes, Math.floor(memory / 2), 0, MAX_MEMORY_BYTES) >>> 2,
      tierWords: tier === undefined ? 0 : tierWordsFor(maxParticipants, tier.geometry),
      scheme,
      paranoid: flag('tuning.paranoid', tuning.paranoid, false),
    },
    cleaner: flag('cleaner', options.cleaner, true),
    tier,
  }
}
