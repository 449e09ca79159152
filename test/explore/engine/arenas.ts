/** Arenas as small as they come, laid into memory that the explorer gives. */
import { type Arena, viewArena } from '../../../src/memory/arena.ts'
import { type Geometry, writeHeader } from '../../../src/memory/layout.ts'
import { tierWordsFor, writeTierHead } from '../../../src/lsm/tier-layout.ts'

export const ARENA_BYTES = 64 * 1024

/** Garbage chunks that small participants can need: one each, and one more for whoever fills his. */
const CHUNKS = 6

/** Far below what options allow: every size is the smallest with which its code still has something to do. */
function tinyGeometry(over: Partial<Geometry>): Geometry {
  return {
    arenaWords: ARENA_BYTES / 4,
    segmentWords: 256,
    maxParticipants: MAX_PARTICIPANTS,
    pageIds: 24,
    leafEntries: 2,
    leafSlots: 1,
    innerEntries: 3,
    inlineBytes: 64,
    maxSnapshots: 4,
    clockBits: 28,
    snapshotMs: 0,
    snapshotWords: 1 << 30,
    tierWords: 0,
    scheme: 'epoch',
    paranoid: true,
    ...over,
  }
}

const MAX_PARTICIPANTS = 4

function tierOf(ringGranules: number) {
  return { ringGranules, versions: 1, versionBytes: 32, cacheBytes: 1024, blockBytes: 64 }
}

/** A geometry with a durable tier, whose ring has so many granules. */
export function tiered(ringGranules: number, over: Partial<Geometry> = {}): Partial<Geometry> {
  return { ...over, tierWords: tierWordsFor(MAX_PARTICIPANTS, tierOf(ringGranules)) }
}

/**
 * Makes an arena in zeroed memory. The pool of garbage chunks is made to look small: giving up a slot goes through all
 * of it, which would be most of the steps of every thread that leaves or is reaped.
 * @param ringGranules of a durable tier, if there is one: see `tiered`
 */
export function arenaIn(memory: SharedArrayBuffer, over: Partial<Geometry> = {}, ringGranules = 0): Arena {
  writeHeader(new Int32Array(memory), tinyGeometry({ arenaWords: memory.byteLength / 4, ...over }))
  const arena = viewArena(memory)
  if (ringGranules > 0) writeTierHead(arena, tierOf(ringGranules))
  // Frozen, so that nobody has to look whether it must be put back between executions.
  return Object.freeze({ ...arena, layout: Object.freeze({ ...arena.layout, chunks: CHUNKS }) })
}
