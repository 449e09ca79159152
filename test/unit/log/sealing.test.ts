import { describe, expect, it } from 'vitest'
import { ROOM_ORDINARY, STREAM_RECORDS } from '../../../src/log/log.ts'
import { COUNTER, sumCounter } from '../../../src/reclaim/participant.ts'
import { everyStep, interruptAt } from '../memory/atomics-hook.ts'
import { type Appender, allFree, append, appender, logArena, states } from './logs.ts'
import type { Arena } from '../../../src/memory/arena.ts'

/** Two appenders and a segment with blocks of the first, still open. */
function withBlocks(sizes: readonly number[]): { arena: Arena; a: Appender; b: Appender; blocks: number[] } {
  const arena = logArena()
  const [a, b] = [appender(arena, 1), appender(arena, 2)]
  return { arena, a, b, blocks: sizes.map((words) => append(a, arena, words)) }
}

describe('a sealed segment', () => {
  it('knows its used words, and goes on counting its dead ones', () => {
    const { a, b, blocks } = withBlocks([10, 20, 30])
    const { segments } = a.log
    b.log.unlink(blocks[0]!)
    expect([segments.usedWords(segments.first), segments.deadWords(segments.first)]).toEqual([0, 10])
    expect(segments.holder(segments.first)).toBe(a.me.label)
    a.log.sealAll()
    expect([segments.isSealed(segments.first), segments.isOpen(segments.first)]).toEqual([true, false])
    b.log.unlink(blocks[2]!)
    expect([segments.usedWords(segments.first), segments.deadWords(segments.first)]).toEqual([60, 40])
    expect(a.log.available(STREAM_RECORDS)).toBe(0)
    a.log.sealAll()
    expect(segments.isSealed(segments.first)).toBe(true)
  })

  it('in which nothing was written goes straight back', () => {
    const a = appender(logArena())
    a.log.prepare(STREAM_RECORDS, 1, ROOM_ORDINARY)
    a.log.sealAll()
    expect(states(a)).toEqual({ open: 0, sealed: 0, retired: 1 })
    expect(allFree(a)).toBe(true)
  })

  it('in which all was dead by then is retired by the seal', () => {
    const { a, b, blocks } = withBlocks([10, 20])
    for (const block of blocks) b.log.unlink(block)
    expect(states(a)).toEqual({ open: 1, sealed: 0, retired: 0 })
    a.log.sealAll()
    expect(states(a)).toEqual({ open: 0, sealed: 0, retired: 1 })
  })

  it('is retired with its last live block', () => {
    const { a, b, blocks } = withBlocks([10, 20])
    a.log.sealAll()
    a.log.unlink(blocks[1]!)
    expect(states(a)).toEqual({ open: 0, sealed: 1, retired: 0 })
    b.log.unlink(blocks[0]!)
    expect(states(a)).toEqual({ open: 0, sealed: 0, retired: 1 })
    a.scheme.enter()
    a.log.segments.retire(a.log.segments.first)
    a.scheme.leave()
    expect(a.scheme.waiting()).toBe(1)
  })
})

describe('when the last block dies while the segment is being sealed', () => {
  const expectRetiredOnce = (arena: Arena, a: Appender): void => {
    expect(states(a)).toEqual({ open: 0, sealed: 0, retired: 1 })
    expect(a.scheme.waiting()).toBe(1)
    expect(sumCounter(arena, COUNTER.retired)).toBe(1)
    expect(allFree(a)).toBe(true)
    expect(sumCounter(arena, COUNTER.segmentsReleased)).toBe(1)
  }

  it('the segment is retired once: the unlinker comes at any step of the sealer', () => {
    const steps = everyStep((step) => {
      const { arena, a, b, blocks } = withBlocks([10, 20])
      b.log.unlink(blocks[0]!)
      const unlink = (): void => void b.log.unlink(blocks[1]!)
      const reached = interruptAt(step, () => a.log.sealAll(), unlink)
      if (!reached) unlink()
      expectRetiredOnce(arena, a)
      return reached
    })
    expect(steps).toBeGreaterThan(2)
  })

  it('and the sealer at any step of the unlinker', () => {
    const steps = everyStep((step) => {
      const { arena, a, b, blocks } = withBlocks([10, 20])
      b.log.unlink(blocks[0]!)
      const seal = (): void => a.log.sealAll()
      const reached = interruptAt(step, () => void b.log.unlink(blocks[1]!), seal)
      if (!reached) seal()
      expectRetiredOnce(arena, a)
      return reached
    })
    expect(steps).toBeGreaterThan(3)
  })

  it('and two unlinkers of the last two blocks at any step of each other', () => {
    const steps = everyStep((step) => {
      const { arena, a, b, blocks } = withBlocks([10, 20])
      a.log.sealAll()
      const other = (): void => void a.log.unlink(blocks[1]!)
      const reached = interruptAt(step, () => void b.log.unlink(blocks[0]!), other)
      if (!reached) other()
      expectRetiredOnce(arena, a)
      return reached
    })
    expect(steps).toBeGreaterThan(3)
  })
})

describe('the segment clock', () => {
  it('ticks with every segment opened, and tells one use from the next', () => {
    const { arena, a, blocks } = withBlocks([200])
    const { segments } = a.log
    expect([segments.clock(segments.first), segments.age(segments.first)]).toEqual([0, 1])
    for (let i = 0; i < 3; i++) append(a, arena, 200)
    expect(segments.age(segments.first)).toBe(4)
    a.log.unlink(blocks[0]!)
    a.scheme.flush()
    append(a, arena, 200)
    expect(segments.segmentOf(append(a, arena, 1))).toBe(segments.first)
    expect([segments.clock(segments.first), segments.age(segments.first)]).toEqual([4, 1])
    expect(sumCounter(arena, COUNTER.segmentsOpened)).toBe(5)
  })
})
