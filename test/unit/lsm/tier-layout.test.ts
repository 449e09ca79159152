import { describe, expect, it } from 'vitest'
import { createArena } from '../../../src/memory/arena.ts'
import { LINE_WORDS } from '../../../src/memory/layout.ts'
import { TIER_LINES, placeTier, tierLayoutOf, tierWordsFor, writeTierHead } from '../../../src/lsm/tier-layout.ts'
import { geometry } from '../memory/geometry.ts'

const sizes = { ringGranules: 64, versions: 6, versionBytes: 1000, cacheBytes: 20_000, blockBytes: 512 }

describe('the parts of the tier', () => {
  it('lie one after the other, each on lines of its own', () => {
    const placed = placeTier(LINE_WORDS * 7, 4, sizes)
    const begins = [placed.linesAt, placed.logAt, placed.catalog.currentAt, placed.cache.slotsAt, placed.end]
    expect(begins.map((at) => at % LINE_WORDS)).toEqual(begins.map(() => 0))
    expect(begins).toEqual([...begins].sort((a, b) => a - b))
    expect(placed.logAt - placed.linesAt).toBe(TIER_LINES * LINE_WORDS)
    expect(placed.catalog.end).toBeLessThanOrEqual(placed.cache.slotsAt)
    expect(placed.end - LINE_WORDS * 7).toBe(tierWordsFor(4, sizes))
  })

  it('are found again by whoever attaches, before the first segment', () => {
    const tierWords = tierWordsFor(4, sizes)
    const arena = createArena(geometry({ maxParticipants: 4, tierWords, arenaWords: 2 ** 18 + tierWords }))
    writeTierHead(arena, sizes)
    const found = tierLayoutOf(arena)
    expect(found).toEqual(placeTier(arena.layout.tierAt, 4, sizes))
    expect(found.end).toBeLessThanOrEqual(arena.layout.firstSegment << arena.layout.segmentShift)
  })
})
