import { describe, expect, it } from 'vitest'
import type { Arena } from '../../../src/memory/arena.ts'
import { Cleaner } from '../../../src/log/cleaner.ts'
import { ROOM_ORDINARY, STREAM_COLD, STREAM_EXTENTS, STREAM_PAGES, STREAM_RECORDS } from '../../../src/log/log.ts'
import { dieAt, everyStep } from '../memory/atomics-hook.ts'
import { type Appender, SEGMENT_WORDS, allFree, append, appender, header, isWhole, logArena, states } from './logs.ts'

/** What `a` knows to be linked; a sweep drops all else. */
function sweep(arena: Arena, a: Appender, linked: ReadonlySet<number>): void {
  new Cleaner(arena, a.scheme, a.me, a.log, () => -1).sweep((block) => linked.has(block))
}

describe('segments of a thread that died', () => {
  it('are sealed where their blocks end, each of its streams', () => {
    const arena = logArena()
    const [a, b] = [appender(arena, 1), appender(arena, 2)]
    const streams = [STREAM_RECORDS, STREAM_PAGES, STREAM_COLD, STREAM_EXTENTS]
    const blocks = streams.map((stream, i) => append(b, arena, 10 + i, stream))
    const mine = append(a, arena, 99)
    expect(a.scheme.reap(2)).toBe(1)
    expect(states(a)).toEqual({ open: 1, sealed: 4, retired: 0 })
    const { segments } = a.log
    expect(blocks.map((block) => segments.usedWords(segments.segmentOf(block)))).toEqual([10, 11, 12, 13])
    expect(segments.isOpen(segments.segmentOf(mine))).toBe(true)
    expect(blocks.every((block, i) => isWhole(arena, block, 10 + i))).toBe(true)
  })

  it('with a reservation that was never completed end before it', () => {
    const arena = logArena()
    const [a, b] = [appender(arena, 1), appender(arena, 2)]
    const block = append(b, arena, 10)
    const open = b.log.reserve(STREAM_RECORDS, 50)
    arena.words.fill(-1, open + 1, open + 50)
    a.scheme.reap(2)
    const { segments } = a.log
    expect(segments.usedWords(segments.first)).toBe(10)
    a.log.unlink(block)
    expect(allFree(a)).toBe(true)
  })

  it('in which nothing was written, or all is dead, go back', () => {
    const arena = logArena()
    const [a, b] = [appender(arena, 1), appender(arena, 2)]
    b.log.prepare(STREAM_PAGES, 1, ROOM_ORDINARY)
    b.log.unlink(append(b, arena, 10))
    b.scheme.enter()
    const c = appender(arena, 3)
    c.scheme.enter()
    a.scheme.reap(2)
    expect(states(a)).toEqual({ open: 0, sealed: 0, retired: 2 })
    c.scheme.leave()
    expect(allFree(a)).toBe(true)
  })

  it('that it kept open for a large value are sealed too', () => {
    const arena = logArena()
    const [a, b] = [appender(arena, 1), appender(arena, 2)]
    for (let i = 0; i < 3; i++) {
      b.log.extend(STREAM_EXTENTS)
      b.log.complete(b.log.reserve(STREAM_EXTENTS, 256), header(256))
    }
    a.scheme.reap(2)
    expect(states(a)).toEqual({ open: 0, sealed: 3, retired: 0 })
    sweep(arena, a, new Set())
    expect(allFree(a)).toBe(true)
  })

  it('that it was cleaning can be cleaned by others, and a rest that it asked for is over', () => {
    const arena = logArena()
    const [a, b] = [appender(arena, 1), appender(arena, 2)]
    const { segments } = a.log
    append(a, arena, 10)
    a.log.sealAll()
    expect(b.log.segments.claimCleaning(segments.first)).toBe(true)
    expect(segments.claimCleaning(segments.first)).toBe(false)
    a.scheme.reap(2)
    expect(segments.claimCleaning(segments.first)).toBe(true)
    segments.endCleaning(segments.first)
    const c = appender(arena, 3)
    expect(c.log.segments.beginRest()).toBe(true)
    expect(segments.resting()).toBe(true)
    a.scheme.reap(3)
    expect(segments.resting()).toBe(false)
  })

  it('all come back, whichever step of its life it died at', () => {
    const life = (b: Appender, arena: Arena, linked: Set<number>): void => {
      for (let i = 0; i < 4; i++) {
        const block = append(b, arena, 100 + i)
        linked.add(block)
        if (i % 2 === 1) {
          linked.delete(block)
          b.log.unlink(block)
        }
      }
      b.log.abort(STREAM_RECORDS, append(b, arena, 7), 7)
      b.scheme.flush()
      b.log.extend(STREAM_EXTENTS)
      b.log.unlink(append(b, arena, 256, STREAM_EXTENTS))
      b.log.sealAll()
      b.scheme.flush()
    }
    const steps = everyStep((step) => {
      const arena = logArena()
      const [a, b] = [appender(arena, 1), appender(arena, 2)]
      const linked = new Set<number>()
      const died = dieAt(step, () => life(b, arena, linked))
      a.scheme.reap(2)
      expect([...linked].every((block) => arena.words[block + 1] === block)).toBe(true)
      expect(states(a).open).toBe(0)
      sweep(arena, a, linked)
      for (const block of linked) expect(a.log.unlink(block)).toBe(true)
      sweep(arena, a, new Set())
      expect(allFree(a)).toBe(true)
      return died
    })
    expect(steps).toBeGreaterThan(80)
  })
})

describe('a sweep', () => {
  it('marks dead what nothing leads to in sealed segments, and retires those in which nothing is live', () => {
    const arena = logArena()
    const a = appender(arena)
    const blocks = [100, 100, 100, 100, 100].map((words) => append(a, arena, words))
    const { segments } = a.log
    sweep(arena, a, new Set([blocks[0]!]))
    // Two segments are sealed, one is open: what is complete in it may yet be linked.
    expect(segments.deadWords(segments.first)).toBe(100)
    expect(segments.isRetired(segments.first + 1)).toBe(true)
    expect(segments.deadWords(segments.first + 2)).toBe(0)
    expect(isWhole(arena, blocks[4]!, 100)).toBe(true)
    expect(isWhole(arena, blocks[0]!, 100)).toBe(true)
  })

  it('retires a segment whose dead words a dead thread had not counted', () => {
    const arena = logArena()
    const [a, b] = [appender(arena, 1), appender(arena, 2)]
    const block = append(b, arena, SEGMENT_WORDS)
    b.log.sealAll()
    // Dies between marking the block dead and counting it.
    expect(dieAt(3, () => void b.log.unlink(block))).toBe(true)
    a.scheme.reap(2)
    expect(states(a)).toEqual({ open: 0, sealed: 1, retired: 0 })
    sweep(arena, a, new Set())
    expect(allFree(a)).toBe(true)
  })
})
