/**
 * The region map of an arena: where each floor's words lie. All numbers are word indices or word counts.
 *
 *   0               header: magic, format, and the geometry below (immutable after `open`)
 *   GLOBALS         one 128-byte line per shared global word
 *   participants    PARTICIPANT_WORDS each
 *   snapshots       SNAPSHOT_WORDS each
 *   chunks          pool of garbage chunks, CHUNK_WORDS each
 *   segment table   SEGMENT_DESCRIPTOR_WORDS each
 *   page table      one word per page id
 *   page links      one word per page id (the free list's next)
 *   tier            words of the durable tier, which divides them itself; none in a store that is only in memory
 *   segments        segmentWords each, aligned to segmentWords
 */
import { HeddleError } from './error.ts'

/** Words of a cache line pair: what is kept apart so that writers of neighbours do not disturb each other. */
export const LINE_WORDS = 32
export const PARTICIPANT_WORDS = 64
export const SNAPSHOT_WORDS = 8
export const CHUNK_WORDS = 128
export const SEGMENT_DESCRIPTOR_WORDS = 16

const MAGIC = 0x6864646c
const FORMAT = 3
const HEADER_WORDS = 64
/** Header word: a number drawn when the arena was made, by which what belongs to it is told from what does not. */
export const ARENA_NAME = 17

/** Global words, each alone on its line. */
export const GLOBAL_EPOCH = HEADER_WORDS
export const GLOBAL_PARTICIPANTS = HEADER_WORDS + LINE_WORDS
export const GLOBAL_PAGE_HEAD = HEADER_WORDS + 2 * LINE_WORDS
export const GLOBAL_PAGE_FRESH = HEADER_WORDS + 3 * LINE_WORDS
export const GLOBAL_SEGMENT_HEAD = HEADER_WORDS + 4 * LINE_WORDS
export const GLOBAL_SEGMENT_FRESH = HEADER_WORDS + 5 * LINE_WORDS
/** Number of participants that died, and how many of those deaths a sweep has accounted for. */
export const GLOBAL_DEATHS = HEADER_WORDS + 6 * LINE_WORDS
export const GLOBAL_SWEPT_DEATHS = HEADER_WORDS + 7 * LINE_WORDS
/** Added to the sum of the participants' entry counters; repaired after a death in the middle of an operation. */
export const GLOBAL_SIZE_CORRECTION = HEADER_WORDS + 8 * LINE_WORDS
export const GLOBAL_SIZED_DEATHS = HEADER_WORDS + 9 * LINE_WORDS
/** The cleaner parks on this word; it is bumped to wake it. */
export const GLOBAL_CLEANER_BELL = HEADER_WORDS + 10 * LINE_WORDS
export const GLOBAL_STOP = HEADER_WORDS + 11 * LINE_WORDS
/** Grows by one with every segment opened: the clock by which the cleaner tells old segments from young. */
export const GLOBAL_SEGMENT_CLOCK = HEADER_WORDS + 12 * LINE_WORDS
/** Label + 1 of who asks the background cleaner to rest (a verifier), or 0. */
export const GLOBAL_REST = HEADER_WORDS + 13 * LINE_WORDS
/** The clock of snapshots, counter << 1, and in bit 0 whether some snapshot may be live. */
export const GLOBAL_CLOCK = HEADER_WORDS + 14 * LINE_WORDS
/** The counter up to which all stamps have been swept: none that is older stands anywhere. */
export const GLOBAL_SWEPT_CLOCK = HEADER_WORDS + 15 * LINE_WORDS
/** Slots of snapshots ever used. */
export const GLOBAL_SNAPSHOTS = HEADER_WORDS + 16 * LINE_WORDS
/** Grows with every snapshot that ends: what it kept can be let go. */
export const GLOBAL_SNAPSHOT_ENDS = HEADER_WORDS + 17 * LINE_WORDS
/** Grows with every attachment to another snapshot: who looks at all slots meanwhile may have missed its value. */
export const GLOBAL_SNAPSHOT_ATTACHES = HEADER_WORDS + 18 * LINE_WORDS
const GLOBALS_END = HEADER_WORDS + 19 * LINE_WORDS

/** Largest arena: an address is 30 bits of words. */
export const MAX_MEMORY_BYTES = 4 * 2 ** 30
export const MIN_MEMORY_BYTES = 2 ** 20

export const SCHEMES = ['epoch', 'none', 'unsafe'] as const
export type SchemeName = (typeof SCHEMES)[number]

/** What an arena is made with. Sizes are parameters so that tests can make rare paths common. */
export interface Geometry {
  readonly arenaWords: number
  readonly segmentWords: number
  readonly maxParticipants: number
  readonly pageIds: number
  readonly leafEntries: number
  readonly leafSlots: number
  readonly innerEntries: number
  readonly inlineBytes: number
  /** Snapshots that may be live at the same time. */
  readonly maxSnapshots: number
  /** Bits of the clock that stamps are taken from, 5 to 28: stamps are compared modulo its range. */
  readonly clockBits: number
  /** Age in milliseconds at which a snapshot may be ended, 0 for none. */
  readonly snapshotMs: number
  /** Words kept alive for snapshots at which the oldest may be ended. */
  readonly snapshotWords: number
  /** Words of the durable tier, 0 for a store that is only in memory. */
  readonly tierWords: number
  readonly scheme: SchemeName
  readonly paranoid: boolean
}

/** A geometry with every region placed. Immutable; the same in every thread. */
export interface Layout extends Geometry {
  readonly segmentShift: number
  readonly participantsAt: number
  readonly snapshotsAt: number
  readonly chunksAt: number
  readonly chunks: number
  readonly segmentTableAt: number
  readonly pageTableAt: number
  readonly pageLinksAt: number
  readonly tierAt: number
  /** Index of the first usable segment; segment s covers words [s << segmentShift, (s + 1) << segmentShift). */
  readonly firstSegment: number
  /** One past the last usable segment. */
  readonly endSegment: number
}

function alignUp(value: number, to: number): number {
  return Math.ceil(value / to) * to
}

/**
 * Places the regions for a geometry.
 * @throws HeddleError HEDDLE_INVALID_OPTION if the memory is too small for anything but bookkeeping
 */
export function placeRegions(geometry: Geometry): Layout {
  const segmentsAtMost = Math.ceil(geometry.arenaWords / geometry.segmentWords)
  const participantsAt = alignUp(GLOBALS_END, LINE_WORDS)
  const snapshotsAt = participantsAt + geometry.maxParticipants * PARTICIPANT_WORDS
  const chunksAt = alignUp(snapshotsAt + geometry.maxSnapshots * SNAPSHOT_WORDS, LINE_WORDS)
  // Every page id and every segment may wait in a garbage list at once; entries per chunk: see garbage.ts.
  const waiting = geometry.pageIds + segmentsAtMost
  const chunks = 2 * geometry.maxParticipants + Math.ceil(waiting / 32) + 64
  const segmentTableAt = chunksAt + chunks * CHUNK_WORDS
  const pageTableAt = segmentTableAt + segmentsAtMost * SEGMENT_DESCRIPTOR_WORDS
  const pageLinksAt = alignUp(pageTableAt + geometry.pageIds, LINE_WORDS)
  const tierAt = alignUp(pageLinksAt + geometry.pageIds, LINE_WORDS)
  const end = tierAt + geometry.tierWords
  const segmentShift = Math.log2(geometry.segmentWords)
  const firstSegment = Math.ceil(end / geometry.segmentWords)
  const endSegment = Math.floor(geometry.arenaWords / geometry.segmentWords)
  if (endSegment - firstSegment < 12) {
    throw new HeddleError(
      'HEDDLE_INVALID_OPTION',
      `memory: ${geometry.arenaWords * 4} bytes leave only ${Math.max(0, endSegment - firstSegment)} segments of ` +
        `${geometry.segmentWords * 4} bytes; give more memory, smaller segments or fewer page ids and threads`,
    )
  }
  return {
    ...geometry,
    segmentShift,
    participantsAt,
    snapshotsAt,
    chunksAt,
    chunks,
    segmentTableAt,
    pageTableAt,
    pageLinksAt,
    tierAt,
    firstSegment,
    endSegment,
  }
}

/** Writes the geometry into a fresh arena. Private until the handle is given away, hence plain stores. */
export function writeHeader(words: Int32Array, geometry: Geometry): void {
  words[1] = FORMAT
  words[2] = geometry.arenaWords
  words[3] = geometry.segmentWords
  words[4] = geometry.maxParticipants
  words[5] = geometry.pageIds
  words[6] = geometry.leafEntries
  words[7] = geometry.leafSlots
  words[8] = geometry.innerEntries
  words[9] = geometry.inlineBytes
  words[10] = SCHEMES.indexOf(geometry.scheme)
  words[11] = geometry.paranoid ? 1 : 0
  words[12] = geometry.maxSnapshots
  words[13] = geometry.clockBits
  words[14] = geometry.snapshotMs
  words[15] = geometry.snapshotWords
  words[16] = MAGIC
  // 17 is ARENA_NAME.
  words[18] = geometry.tierWords
}

/**
 * Reads the geometry back in an attaching thread. The words are immutable once the handle has been passed on, and
 * passing it (postMessage, workerData) orders these plain loads after the stores.
 * @throws HeddleError HEDDLE_BAD_HANDLE if the buffer holds no arena of this format
 */
export function readHeader(words: Int32Array): Geometry {
  const scheme = SCHEMES[words[10]]
  if (words[16] !== MAGIC || words[1] !== FORMAT || words[2] !== words.length || scheme === undefined) {
    throw new HeddleError(
      'HEDDLE_BAD_HANDLE',
      'the handle holds no heddle arena of this version; pass on `store.handle` as it is, to threads that load the same heddle',
    )
  }
  return {
    arenaWords: words[2],
    segmentWords: words[3],
    maxParticipants: words[4],
    pageIds: words[5],
    leafEntries: words[6],
    leafSlots: words[7],
    innerEntries: words[8],
    inlineBytes: words[9],
    maxSnapshots: words[12],
    clockBits: words[13],
    snapshotMs: words[14],
    snapshotWords: words[15],
    tierWords: words[18],
    scheme,
    paranoid: words[11] === 1,
  }
}
