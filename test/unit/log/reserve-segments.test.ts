import { describe, expect, it } from 'vitest'
import { ROOM_OPTIONAL, ROOM_ORDINARY, ROOM_PROMISED, STREAM_COLD, STREAM_RECORDS } from '../../../src/log/log.ts'
import { HeddleError } from '../../../src/memory/error.ts'
import { GLOBAL_CLEANER_BELL } from '../../../src/memory/layout.ts'
import { listen } from '../../../src/memory/parking.ts'
import {
  type Appender,
  SEGMENT_WORDS,
  allFree,
  append,
  appender,
  isWhole,
  logArena,
  segmentsInAll,
  states,
} from './logs.ts'
import type { Arena } from '../../../src/memory/arena.ts'

const full: unknown = expect.objectContaining({ name: 'HeddleError', code: 'HEDDLE_FULL' })

/** Appends blocks of a whole segment until there is no more room. */
function fill(one: Appender, arena: Arena): number[] {
  const blocks: number[] = []
  try {
    for (;;) blocks.push(append(one, arena, SEGMENT_WORDS))
  } catch (error) {
    if (!(error instanceof HeddleError) || error.code !== 'HEDDLE_FULL') throw error
  }
  return blocks
}

function tryAppender(arenaWords: number): Appender | undefined {
  try {
    return appender(logArena({ arenaWords }))
  } catch {
    return undefined
  }
}

describe('segments in reserve', () => {
  it.each([
    [12, 5],
    [191, 5],
    [192, 6],
    [2047, 63],
    [2048, 64],
    [2500, 64],
  ])('of %i there are %i', (count, reserve) => {
    let one = 0
    for (let words = (count + 20) * SEGMENT_WORDS; ; words += SEGMENT_WORDS) {
      const a = tryAppender(words)
      one = a === undefined ? 0 : segmentsInAll(a)
      if (one === count) expect(a!.log.segments.reserve).toBe(reserve)
      if (one >= count) break
    }
    expect(one).toBe(count)
  })

  it('are not for ordinary appends', () => {
    const arena = logArena()
    const a = appender(arena)
    const blocks = fill(a, arena)
    expect(blocks).toHaveLength(segmentsInAll(a) - a.log.segments.reserve)
    expect(a.log.segments.countFree(1000)).toBe(a.log.segments.reserve)
    expect(a.log.segments.open(false)).toBe(0)
    expect(blocks.every((block) => isWhole(arena, block, SEGMENT_WORDS))).toBe(true)
  })

  it('are for what was promised, down to the last one', () => {
    const arena = logArena()
    const a = appender(arena)
    fill(a, arena)
    for (let left = a.log.segments.reserve; left > 0; left--) {
      expect(a.log.segments.countFree(1000)).toBe(left)
      expect(a.log.tryPrepare(STREAM_COLD, SEGMENT_WORDS, ROOM_PROMISED)).toBe(true)
      expect(a.log.reserve(STREAM_COLD, SEGMENT_WORDS)).not.toBe(0)
    }
    expect(a.log.tryPrepare(STREAM_COLD, 1, ROOM_PROMISED)).toBe(false)
    expect(() => a.log.prepare(STREAM_COLD, 1, ROOM_PROMISED)).toThrow(full)
  })

  it('are not touched for what was promised while others are free', () => {
    const arena = logArena()
    const a = appender(arena)
    const before = a.log.segments.countFree(1000)
    a.log.prepare(STREAM_COLD, 1, ROOM_PROMISED)
    expect(a.log.segments.countFree(1000)).toBe(before - 1)
  })
})

describe('a full log', () => {
  it('throws, and leaves the open segment and every block as they were', () => {
    const arena = logArena()
    const a = appender(arena)
    const blocks = fill(a, arena)
    a.log.unlink(blocks.pop()!)
    a.log.sealAll()
    const small = append(a, arena, 200)
    const before = states(a)
    expect(() => a.log.prepare(STREAM_RECORDS, 57, ROOM_ORDINARY)).toThrow(full)
    expect(() => a.log.prepare(STREAM_RECORDS, 57, ROOM_ORDINARY)).toThrow('the arena of 131072 bytes is full')
    expect(states(a)).toEqual(before)
    expect(a.log.available(STREAM_RECORDS)).toBe(56)
    expect(isWhole(arena, append(a, arena, 56), 56)).toBe(true)
    expect(isWhole(arena, small, 200)).toBe(true)
    expect(blocks.every((block) => isWhole(arena, block, SEGMENT_WORDS))).toBe(true)
  })

  it('has room again once a segment has died, for whoever asks', () => {
    const arena = logArena()
    const [a, b] = [appender(arena, 1), appender(arena, 2)]
    const blocks = fill(a, arena)
    a.log.sealAll()
    expect(b.log.tryPrepare(STREAM_RECORDS, 1, ROOM_ORDINARY)).toBe(false)
    a.log.unlink(blocks[3]!)
    expect(b.log.tryPrepare(STREAM_RECORDS, 1, ROOM_ORDINARY)).toBe(true)
    expect(append(b, arena, SEGMENT_WORDS)).toBe(blocks[3])
    for (const block of blocks) b.log.unlink(block)
    b.log.sealAll()
    expect(allFree(b)).toBe(true)
  })

  it('waits for another who is pinned, not for ever', () => {
    const arena = logArena()
    const [a, b] = [appender(arena, 1), appender(arena, 2)]
    const blocks = fill(a, arena)
    a.log.sealAll()
    b.scheme.enter()
    for (const block of blocks) a.log.unlink(block)
    expect(a.log.tryPrepare(STREAM_RECORDS, 1, ROOM_ORDINARY)).toBe(false)
    b.scheme.leave()
    expect(a.log.tryPrepare(STREAM_RECORDS, 1, ROOM_ORDINARY)).toBe(true)
  })

  it('rings for the cleaner and cleans itself: many rounds for ordinary room, one for optional', () => {
    const arena = logArena()
    const a = appender(arena)
    const blocks = fill(a, arena)
    a.log.sealAll()
    let asked = 0
    a.log.onShortage(() => {
      asked++
      return true
    })
    const bell = listen(arena.words, GLOBAL_CLEANER_BELL)
    expect(a.log.tryPrepare(STREAM_RECORDS, 1, ROOM_OPTIONAL)).toBe(false)
    expect([asked, listen(arena.words, GLOBAL_CLEANER_BELL) - bell]).toEqual([1, 1])
    expect(a.log.tryPrepare(STREAM_RECORDS, 1, ROOM_ORDINARY)).toBe(false)
    expect(asked).toBeGreaterThan(4)
    // A round that gains something makes it go on, and be content.
    let round = 0
    a.log.onShortage(() => {
      a.log.unlink(blocks[round++]!)
      return true
    })
    expect(a.log.tryPrepare(STREAM_RECORDS, 1, ROOM_ORDINARY)).toBe(true)
    expect(round).toBe(1)
  })

  it('is content with room that cleaning itself has made in the same stream', () => {
    const arena = logArena()
    const a = appender(arena)
    fill(a, arena)
    a.log.sealAll()
    let inside = false
    a.log.onShortage(() => {
      if (inside) return false
      inside = true
      // The survivors of cleaning went to the very stream that asked, in a segment of the reserve.
      a.log.prepare(STREAM_COLD, SEGMENT_WORDS, ROOM_PROMISED)
      a.log.reserve(STREAM_COLD, 100)
      return true
    })
    const before = a.log.segments.countFree(1000)
    expect(a.log.tryPrepare(STREAM_COLD, 100, ROOM_ORDINARY)).toBe(true)
    expect(a.log.available(STREAM_COLD)).toBe(SEGMENT_WORDS - 100)
    expect(a.log.segments.countFree(1000)).toBe(before - 1)
  })
})
