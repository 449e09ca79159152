/** Arenas as small as they come, laid into memory that the explorer gives. */
import { type Arena, viewArena } from '../../../src/memory/arena.ts'
import { type Geometry, writeHeader } from '../../../src/memory/layout.ts'

export const ARENA_BYTES = 64 * 1024

/** Garbage chunks that small participants can need: one each, and one more for whoever fills his. */
const CHUNKS = 6

/** Far below what options allow: every size is the smallest with which its code still has something to do. */
function tinyGeometry(over: Partial<Geometry>): Geometry {
  return {
    arenaWords: ARENA_BYTES / 4,
    segmentWords: 256,
    maxParticipants: 4,
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

/**
 * Makes an arena in zeroed memory. The pool of garbage chunks is made to look small: giving up a slot goes through all
 * of it, which would be most of the steps of every thread that leaves or is reaped.
 */
export function arenaIn(memory: SharedArrayBuffer, over: Partial<Geometry> = {}): Arena {
  writeHeader(new Int32Array(memory), tinyGeometry({ arenaWords: memory.byteLength / 4, ...over }))
  const arena = viewArena(memory)
  // Frozen, so that nobody has to look whether it must be put back between executions.
  return Object.freeze({ ...arena, layout: Object.freeze({ ...arena.layout, chunks: CHUNKS }) })
}
