import type { Geometry } from '../../../src/memory/layout.ts'

/** Sizes far below those that options allow, for what needs no tree: many segments in little memory. */
export function geometry(over: Partial<Geometry> = {}): Geometry {
  return {
    arenaWords: 1 << 16,
    segmentWords: 1024,
    maxParticipants: 4,
    pageIds: 64,
    leafEntries: 4,
    leafSlots: 2,
    innerEntries: 4,
    inlineBytes: 256,
    maxSnapshots: 4,
    clockBits: 28,
    snapshotMs: 0,
    snapshotWords: 1 << 30,
    tierWords: 0,
    scheme: 'epoch',
    paranoid: false,
    ...over,
  }
}
