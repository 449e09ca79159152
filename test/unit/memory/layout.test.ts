import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as layout from '../../../src/memory/layout.ts'
import { checkOptions } from '../../../src/store/options.ts'
import { geometry } from './geometry.ts'

const { placeRegions, LINE_WORDS, CHUNK_WORDS, PARTICIPANT_WORDS, SEGMENT_DESCRIPTOR_WORDS } = layout

/** Sizes of all kinds, most of which leave room for segments. */
const geometries = fc
  .record({
    segmentShift: fc.integer({ min: 8, max: 16 }),
    segments: fc.integer({ min: 1, max: 300 }),
    rest: fc.integer({ min: 0, max: 255 }),
    maxParticipants: fc.integer({ min: 2, max: 256 }),
    pageIds: fc.integer({ min: 16, max: 20_000 }),
  })
  .map(({ segmentShift, segments, rest, maxParticipants, pageIds }) =>
    geometry({
      arenaWords: (segments << segmentShift) + rest,
      segmentWords: 1 << segmentShift,
      maxParticipants,
      pageIds,
    }),
  )

function place(sizes: layout.Geometry): layout.Layout | undefined {
  try {
    return placeRegions(sizes)
  } catch {
    return undefined
  }
}

describe('the regions of an arena', () => {
  it('lie one after the other, each as large as what it holds, and none overlaps another', () => {
    let placed = 0
    fc.assert(
      fc.property(geometries, (sizes) => {
        const found = place(sizes)
        if (found === undefined) return
        placed++
        const segmentsAtMost = Math.ceil(sizes.arenaWords / sizes.segmentWords)
        const regions = [
          [0, layout.GLOBAL_REST + LINE_WORDS],
          [found.participantsAt, sizes.maxParticipants * PARTICIPANT_WORDS],
          [found.chunksAt, found.chunks * CHUNK_WORDS],
          [found.segmentTableAt, segmentsAtMost * SEGMENT_DESCRIPTOR_WORDS],
          [found.pageTableAt, sizes.pageIds],
          [found.pageLinksAt, sizes.pageIds],
          [found.firstSegment * sizes.segmentWords, (found.endSegment - found.firstSegment) * sizes.segmentWords],
        ] as const
        for (let i = 1; i < regions.length; i++) {
          const [at, length] = regions[i - 1]!
          expect(at + length).toBeLessThanOrEqual(regions[i]![0])
        }
        const [at, length] = regions.at(-1)!
        expect(at + length).toBeLessThanOrEqual(sizes.arenaWords)
        expect(sizes.arenaWords - at - length).toBeLessThan(sizes.segmentWords)
        expect(1 << found.segmentShift).toBe(sizes.segmentWords)
      }),
      { numRuns: 300, seed: 1 },
    )
    expect(placed).toBeGreaterThan(50)
  })

  it('has a chunk for every participant and room for every page id and every segment in the garbage lists', () => {
    const entriesPerChunk = (CHUNK_WORDS - 4) / 2
    fc.assert(
      fc.property(geometries, (sizes) => {
        const found = place(sizes)
        if (found === undefined) return
        const waiting = sizes.pageIds + found.endSegment - found.firstSegment
        expect((found.chunks - 2 * sizes.maxParticipants) * entriesPerChunk).toBeGreaterThan(waiting)
      }),
      { numRuns: 100, seed: 2 },
    )
  })

  it('places participants and page links on lines of their own', () => {
    const found = placeRegions(geometry({ pageIds: 1001 }))
    expect(found.participantsAt % LINE_WORDS).toBe(0)
    expect(found.pageLinksAt % LINE_WORDS).toBe(0)
    expect(PARTICIPANT_WORDS % LINE_WORDS).toBe(0)
  })

  it('gives every global word a line of its own, past the header', () => {
    const globals = Object.entries(layout)
      .filter(([name]) => name.startsWith('GLOBAL_'))
      .map(([, at]) => at as number)
      .sort((a, b) => a - b)
    expect(globals.length).toBeGreaterThan(10)
    expect(globals[0]).toBeGreaterThanOrEqual(13)
    const apart = globals.slice(1).map((at, i) => at - globals[i]!)
    expect(Math.min(...apart)).toBeGreaterThanOrEqual(LINE_WORDS)
  })
})

describe('sizes', () => {
  it('twelve segments are enough, eleven are refused', () => {
    const segmentWords = 1024
    let least = segmentWords
    while (place(geometry({ segmentWords, arenaWords: least })) === undefined) least += segmentWords
    const { firstSegment, endSegment } = placeRegions(geometry({ segmentWords, arenaWords: least }))
    expect(endSegment - firstSegment).toBe(12)
    const refused: unknown = expect.objectContaining({ name: 'HeddleError', code: 'HEDDLE_INVALID_OPTION' })
    const less = geometry({ segmentWords, arenaWords: least - 1 })
    expect(() => placeRegions(less)).toThrow(refused)
    expect(() => placeRegions(less)).toThrow('leave only 11 segments of 4096 bytes')
    const none = geometry({ segmentWords, arenaWords: 2048 })
    expect(() => placeRegions(none)).toThrow('leave only 0 segments')
  })

  it('the smallest memory is enough for a store with default options', () => {
    const { geometry: sizes } = checkOptions({ memory: layout.MIN_MEMORY_BYTES })
    const { firstSegment, endSegment } = placeRegions(sizes)
    expect(endSegment - firstSegment).toBeGreaterThanOrEqual(12)
  })

  it('every address of the largest memory leaves two bits of a word free', () => {
    const { geometry: sizes } = checkOptions({ memory: layout.MAX_MEMORY_BYTES })
    const { endSegment, segmentShift } = placeRegions(sizes)
    expect(endSegment * 2 ** segmentShift).toBeLessThanOrEqual(2 ** 30)
    expect((endSegment - 1) << segmentShift).toBeGreaterThan(0)
  })
})
