import { describe, expect, it } from 'vitest'
import type { Arena } from '../../../src/memory/arena.ts'
import { STREAM_EXTENTS } from '../../../src/log/log.ts'
import { type Appender, SEGMENT_WORDS, allFree, appender, header, isWhole, logArena, states } from './logs.ts'

/** Writes a value of several segments, a block of a whole segment each; the blocks are linked only later. */
function writeLarge(one: Appender, arena: Arena, segments: number): number[] {
  const blocks: number[] = []
  for (let i = 0; i < segments; i++) {
    if (!one.log.extend(STREAM_EXTENTS)) return blocks
    const words = SEGMENT_WORDS - i
    const block = one.log.reserve(STREAM_EXTENTS, words)
    arena.words.fill(block, block + 1, block + words)
    one.log.complete(block, header(words))
    blocks.push(block)
  }
  return blocks
}

describe('a value of several segments', () => {
  it('keeps all of them open until it is linked', () => {
    const arena = logArena()
    const a = appender(arena)
    const blocks = writeLarge(a, arena, 5)
    expect(states(a)).toEqual({ open: 5, sealed: 0, retired: 0 })
    a.log.sealExtended()
    expect(states(a)).toEqual({ open: 1, sealed: 4, retired: 0 })
    const { segments } = a.log
    expect(blocks.slice(0, 4).map((block) => segments.usedWords(segments.segmentOf(block)))).toEqual([
      256, 255, 254, 253,
    ])
    a.log.sealExtended()
    expect(a.log.available(STREAM_EXTENTS)).toBe(4)
    a.log.sealAll()
    expect(states(a)).toEqual({ open: 0, sealed: 5, retired: 0 })
    expect(blocks.every((block, i) => isWhole(arena, block, SEGMENT_WORDS - i))).toBe(true)
  })

  it('that is given up goes back, all of it', () => {
    const arena = logArena()
    const a = appender(arena)
    for (const block of writeLarge(a, arena, 5)) a.log.unlink(block)
    expect(states(a)).toEqual({ open: 5, sealed: 0, retired: 0 })
    a.log.sealExtended()
    expect(states(a)).toEqual({ open: 1, sealed: 0, retired: 4 })
    a.log.sealAll()
    expect(allFree(a)).toBe(true)
  })

  it('that finds no room is told so, and keeps what it has; the reserve stays', () => {
    const arena = logArena()
    const a = appender(arena)
    const blocks = writeLarge(a, arena, 1000)
    expect(a.log.segments.countFree(1000)).toBe(a.log.segments.reserve)
    expect(states(a).open).toBe(blocks.length)
    expect(a.log.extend(STREAM_EXTENTS)).toBe(false)
    expect(states(a).open).toBe(blocks.length)
    for (const block of blocks) a.log.unlink(block)
    a.log.sealAll()
    expect(allFree(a)).toBe(true)
  })

  it('goes on in the segment that is open already', () => {
    const arena = logArena()
    const a = appender(arena)
    writeLarge(a, arena, 3)
    a.log.sealExtended()
    const block = a.log.reserve(STREAM_EXTENTS, 2)
    expect(a.log.segments.walkUsed(a.log.segments.segmentOf(block))).toBe(254)
    a.log.complete(block, header(2))
    expect(a.log.segments.walkUsed(a.log.segments.segmentOf(block))).toBe(256)
  })
})
