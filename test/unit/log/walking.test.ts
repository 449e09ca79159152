import fc from 'fast-check'
import { expect, it } from 'vitest'
import { STREAM_RECORDS } from '../../../src/log/log.ts'
import { SEGMENT_WORDS, append, appender, logArena } from './logs.ts'

it('a walk finds the words of all blocks, and those of the live ones', () => {
  const blocks = fc.array(fc.record({ words: fc.integer({ min: 1, max: 60 }), dies: fc.boolean() }), { maxLength: 30 })
  fc.assert(
    fc.property(blocks, (given) => {
      const arena = logArena()
      const a = appender(arena)
      const { segments } = a.log
      let [used, live] = [0, 0]
      for (const { words, dies } of given) {
        if (used + words > SEGMENT_WORDS) break
        const block = append(a, arena, words)
        if (dies) a.log.unlink(block)
        used += words
        live += dies ? 0 : words
      }
      expect(segments.walkUsed(segments.first)).toBe(used)
      expect(segments.walkLive(segments.first)).toBe(live)
      expect(segments.deadWords(segments.first)).toBe(used - live)
    }),
    { seed: 1 },
  )
})

it('a reservation without a header ends the walk, and so does the end of the segment', () => {
  const arena = logArena()
  const a = appender(arena)
  const { segments } = a.log
  append(a, arena, 100)
  const open = a.log.reserve(STREAM_RECORDS, 50)
  arena.words.fill(-1, open + 1, open + 50)
  expect(segments.walkUsed(segments.first)).toBe(100)
  a.log.abort(STREAM_RECORDS, open, 50)
  append(a, arena, SEGMENT_WORDS - 100)
  // The next segment begins right there, with a block of its own.
  append(a, arena, 30)
  expect(segments.walkUsed(segments.first)).toBe(SEGMENT_WORDS)
  expect(segments.walkLive(segments.first)).toBe(SEGMENT_WORDS)
  expect(segments.walkUsed(segments.first + 1)).toBe(30)
})
