import { describe, expect, it } from 'vitest'
import { dead } from '../../../src/log/block.ts'
import { ROOM_ORDINARY, STREAM_COLD, STREAM_PAGES, STREAM_RECORDS } from '../../../src/log/log.ts'
import { SEGMENT_WORDS, allFree, append, appender, header, isWhole, logArena, states } from './logs.ts'

describe('a stream', () => {
  it('has no room until a segment was prepared, and then a whole one', () => {
    const a = appender(logArena())
    expect(a.log.available(STREAM_RECORDS)).toBe(0)
    expect(a.log.reserve(STREAM_RECORDS, 1)).toBe(0)
    a.log.prepare(STREAM_RECORDS, 1, ROOM_ORDINARY)
    expect(a.log.available(STREAM_RECORDS)).toBe(SEGMENT_WORDS)
    expect(a.log.segments.segmentOf(a.log.reserve(STREAM_RECORDS, 1))).toBe(a.log.segments.first)
  })

  it('gives words one after the other, up to the last word of the segment', () => {
    const a = appender(logArena())
    a.log.prepare(STREAM_RECORDS, SEGMENT_WORDS, ROOM_ORDINARY)
    const start = a.log.segments.start(a.log.segments.first)
    expect(a.log.reserve(STREAM_RECORDS, 100)).toBe(start)
    expect(a.log.reserve(STREAM_RECORDS, SEGMENT_WORDS - 101)).toBe(start + 100)
    expect(a.log.available(STREAM_RECORDS)).toBe(1)
    expect(a.log.reserve(STREAM_RECORDS, 2)).toBe(0)
    expect(a.log.reserve(STREAM_RECORDS, 1)).toBe(start + SEGMENT_WORDS - 1)
    expect(a.log.reserve(STREAM_RECORDS, 1)).toBe(0)
  })

  it('has a segment of its own, and takes another one only when it needs more than is left', () => {
    const arena = logArena()
    const a = appender(arena)
    const blocks = [STREAM_RECORDS, STREAM_PAGES, STREAM_COLD].map((stream) => append(a, arena, 200, stream))
    expect(new Set(blocks.map((block) => a.log.segments.segmentOf(block))).size).toBe(3)
    const { segments } = a.log
    expect(segments.segmentOf(append(a, arena, 56))).toBe(segments.segmentOf(blocks[0]!))
    expect(states(a)).toEqual({ open: 3, sealed: 0, retired: 0 })
    append(a, arena, 1)
    expect(states(a)).toEqual({ open: 3, sealed: 1, retired: 0 })
    expect(segments.usedWords(segments.segmentOf(blocks[0]!))).toBe(256)
  })

  it('takes no block larger than a segment', () => {
    const a = appender(logArena())
    expect(() => a.log.prepare(STREAM_RECORDS, SEGMENT_WORDS + 1, ROOM_ORDINARY)).toThrow(
      'a block larger than a segment',
    )
  })

  it('gives back the end of a reservation that was larger than needed', () => {
    const arena = logArena()
    const a = appender(arena)
    const first = append(a, arena, 10)
    const block = a.log.reserve(STREAM_RECORDS, 100)
    a.log.trim(STREAM_RECORDS, block + 30)
    a.log.complete(block, header(30))
    expect(append(a, arena, 10)).toBe(first + 40)
    expect(a.log.segments.walkUsed(a.log.segments.first)).toBe(50)
  })
})

describe('a block that is not needed after all', () => {
  it('is rolled back if it is the newest: zeros, and the next block takes its place', () => {
    const arena = logArena()
    const a = appender(arena)
    const first = append(a, arena, 10)
    for (let round = 0; round < 3; round++) {
      const block = append(a, arena, 20)
      expect(block).toBe(first + 10)
      a.log.abort(STREAM_RECORDS, block, 20)
      expect(arena.words.subarray(block, block + 20).every((word) => word === 0)).toBe(true)
    }
    expect(isWhole(arena, first, 10)).toBe(true)
    expect(a.log.segments.deadWords(a.log.segments.first)).toBe(0)
    expect(a.log.available(STREAM_RECORDS)).toBe(SEGMENT_WORDS - 10)
  })

  it('is rolled back also before it was completed, and at the very end of a segment', () => {
    const arena = logArena()
    const a = appender(arena)
    append(a, arena, 200)
    const block = a.log.reserve(STREAM_RECORDS, 56)
    arena.words.fill(7, block + 1, block + 56)
    a.log.abort(STREAM_RECORDS, block, 56)
    expect(a.log.available(STREAM_RECORDS)).toBe(56)
    expect(append(a, arena, 56)).toBe(block)
    expect(a.log.segments.walkUsed(a.log.segments.first)).toBe(SEGMENT_WORDS)
  })

  it('is dead words if it is not the newest', () => {
    const arena = logArena()
    const a = appender(arena)
    const blocks = [10, 20, 30].map((words) => append(a, arena, words))
    a.log.abort(STREAM_RECORDS, blocks[1]!, 20)
    expect(arena.words[blocks[1]!]).toBe(dead(header(20)))
    expect(a.log.segments.deadWords(a.log.segments.first)).toBe(20)
    expect([isWhole(arena, blocks[0]!, 10), isWhole(arena, blocks[2]!, 30)]).toEqual([true, true])
    expect(a.log.available(STREAM_RECORDS)).toBe(SEGMENT_WORDS - 60)
  })

  it('is dead words if the stream has gone on to another segment that begins where it ended', () => {
    const arena = logArena()
    const a = appender(arena)
    const block = append(a, arena, SEGMENT_WORDS)
    a.log.prepare(STREAM_RECORDS, 1, ROOM_ORDINARY)
    expect(a.log.segments.segmentOf(block) + 1).toBe(a.log.segments.used() - 1)
    a.log.abort(STREAM_RECORDS, block, SEGMENT_WORDS)
    expect(a.log.available(STREAM_RECORDS)).toBe(SEGMENT_WORDS)
    expect(states(a)).toEqual({ open: 1, sealed: 0, retired: 1 })
  })
})

describe('unlinking', () => {
  it('counts the words of a block once, whoever else unlinks it', () => {
    const arena = logArena()
    const [a, b] = [appender(arena, 1), appender(arena, 2)]
    const block = append(a, arena, 12)
    append(a, arena, 1)
    expect(b.log.unlink(block)).toBe(true)
    expect(a.log.unlink(block)).toBe(false)
    expect(b.log.unlink(block)).toBe(false)
    expect(a.log.segments.deadWords(a.log.segments.first)).toBe(12)
    expect(a.log.segments.walkLive(a.log.segments.first)).toBe(1)
    expect(a.log.segments.walkUsed(a.log.segments.first)).toBe(13)
  })

  it('leaves alone what is no block', () => {
    const arena = logArena()
    const a = appender(arena)
    const block = append(a, arena, 12)
    expect(a.log.unlink(block + 12)).toBe(false)
    expect(arena.words[block + 12]).toBe(0)
    expect(a.log.segments.deadWords(a.log.segments.first)).toBe(0)
  })

  it('of everything gives all memory back', () => {
    const arena = logArena()
    const [a, b] = [appender(arena, 1), appender(arena, 2)]
    for (let round = 0; round < 20; round++) {
      const blocks = Array.from({ length: 40 }, (_, i) => append(round % 2 === 0 ? a : b, arena, 1 + ((i * 37) % 120)))
      for (const block of blocks) (round % 3 === 0 ? a : b).log.unlink(block)
      a.scheme.flush()
    }
    a.log.sealAll()
    b.log.sealAll()
    expect(allFree(a)).toBe(true)
    expect(states(a)).toEqual({ open: 0, sealed: 0, retired: 0 })
  })
})
