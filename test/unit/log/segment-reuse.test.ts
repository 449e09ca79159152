import { describe, expect, it } from 'vitest'
import { POISON } from '../../../src/log/segments.ts'
import { COUNTER, sumCounter } from '../../../src/reclaim/participant.ts'
import { everyStep, interruptAt } from '../memory/atomics-hook.ts'
import { SEGMENT_WORDS, append, appender, isWhole, logArena, states } from './logs.ts'

function wordsOf(arena: ReturnType<typeof logArena>, start: number): Int32Array {
  return arena.words.subarray(start, start + SEGMENT_WORDS)
}

describe('a segment that has become free', () => {
  it('is poisoned in a paranoid arena, once its epoch has passed and not before', () => {
    const arena = logArena({ paranoid: true })
    const a = appender(arena)
    const block = append(a, arena, 100)
    a.log.sealAll()
    a.log.unlink(block)
    a.scheme.tryAdvance()
    a.scheme.collect(100)
    expect(states(a).retired).toBe(1)
    expect(arena.words[block + 50]).toBe(block)
    a.scheme.flush()
    expect(states(a).retired).toBe(0)
    const words = wordsOf(arena, block)
    expect(words[0]).toBe(0)
    expect(words.subarray(1).every((word) => word === POISON)).toBe(true)
  })

  it('is left as it is in an ordinary one, but for its first word: no block begins there', () => {
    const arena = logArena({ paranoid: false })
    const a = appender(arena)
    const block = append(a, arena, 100)
    a.log.sealAll()
    a.log.unlink(block)
    a.scheme.flush()
    expect([arena.words[block], arena.words[block + 1], arena.words[block + 100]]).toEqual([0, block, 0])
    expect(a.log.segments.walkUsed(a.log.segments.segmentOf(block))).toBe(0)
  })

  it.each([true, false])('is all zeros when it is opened again (paranoid: %s), and has no dead words', (paranoid) => {
    const arena = logArena({ paranoid })
    const a = appender(arena)
    const blocks = [append(a, arena, 100), append(a, arena, 156)]
    a.log.sealAll()
    for (const block of blocks) a.log.unlink(block)
    a.scheme.flush()
    const again = a.log.segments.open(false)
    expect(a.log.segments.start(again)).toBe(blocks[0])
    expect(wordsOf(arena, blocks[0]!).every((word) => word === 0)).toBe(true)
    expect([a.log.segments.usedWords(again), a.log.segments.deadWords(again)]).toEqual([0, 0])
  })

  it('that was never used before is not written when it is opened: its pages stay uncommitted', () => {
    const arena = logArena()
    const a = appender(arena)
    const fill = arena.words.fill.bind(arena.words)
    const filled: unknown[] = []
    Object.assign(arena.words, {
      fill(value: number, from: number, to: number) {
        filled.push([value, from, to])
        return fill(value, from, to)
      },
    })
    const fresh = a.log.segments.open(false)
    expect(filled).toEqual([])
    a.log.segments.seal(fresh, 0)
    a.scheme.flush()
    expect(a.log.segments.open(false)).toBe(fresh)
    expect(filled.at(-1)).toEqual([0, fresh * SEGMENT_WORDS, (fresh + 1) * SEGMENT_WORDS])
  })

  it('is not seen to change by one who was pinned when it still held live blocks', () => {
    const arena = logArena()
    const [a, b] = [appender(arena, 1), appender(arena, 2)]
    const block = append(a, arena, 100)
    b.scheme.enter()
    a.log.unlink(block)
    a.log.sealAll()
    for (let i = 0; i < 20; i++) {
      a.scheme.flush()
      append(a, arena, SEGMENT_WORDS)
      expect(arena.words[block + 99]).toBe(block)
    }
    b.scheme.leave()
    a.scheme.flush()
    expect(arena.words[block + 99]).toBe(POISON)
  })
})

describe('two that release a segment at once', () => {
  it('do it once, and never wipe what a third has written in it since', () => {
    const steps = everyStep((step) => {
      const arena = logArena()
      const [a, b, c] = [1, 2, 3].map((threadId) => appender(arena, threadId)) as [Appender, Appender, Appender]
      const block = append(a, arena, 100)
      a.log.sealAll()
      a.log.unlink(block)
      a.scheme.tryAdvance()
      a.scheme.tryAdvance()
      let written = 0
      const reached = interruptAt(
        step,
        () => {
          a.log.segments.collectStale()
          a.scheme.flush()
        },
        () => {
          b.log.segments.collectStale()
          b.scheme.flush()
          written = append(c, arena, 60)
        },
      )
      a.scheme.flush()
      if (written !== 0) expect(isWhole(arena, written, 60)).toBe(true)
      expect(sumCounter(arena, COUNTER.segmentsReleased)).toBe(1)
      return reached
    })
    expect(steps).toBeGreaterThan(10)
  })
})

type Appender = ReturnType<typeof appender>
