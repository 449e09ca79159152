import { describe, expect, it } from 'vitest'
import { Cleaner, MOST_VICTIMS } from '../../../src/log/cleaner.ts'
import { SEGMENT_WORDS, append, appender, logArena } from './logs.ts'

/** Sealed segments, the oldest first, each with the given live words of 256. */
function withSegments(live: readonly number[]) {
  const arena = logArena()
  const a = appender(arena)
  const cleaner = new Cleaner(arena, a.scheme, a.me, a.log, () => -1)
  const { segments } = a.log
  const made = live.map((words) => {
    if (words < SEGMENT_WORDS) a.log.unlink(append(a, arena, SEGMENT_WORDS - words))
    return segments.segmentOf(append(a, arena, words))
  })
  a.log.sealAll()
  return { arena, a, cleaner, segments, made }
}

describe('the victim', () => {
  it('of several of one age is the emptiest', () => {
    const { cleaner, made } = withSegments([200, 200, 20, 200, 200])
    expect(cleaner.victim(1)).toBe(made[2])
  })

  it('of several as full as each other is the oldest', () => {
    const { cleaner, made } = withSegments([100, 100, 100])
    expect(cleaner.victim(1)).toBe(made[0])
  })

  it('may be an old one that is fuller than a young one: age counts as benefit', () => {
    // (1 - u) (1 + age) / (1 + u): 0.5 / 1.5 times 11 against 0.75 / 1.25 times 2.
    const { cleaner, made } = withSegments([128, 256, 256, 256, 256, 256, 256, 256, 256, 64])
    expect(cleaner.victim(1)).toBe(made[0])
    // A fresh one of the same kind beats one that is nearly full, however old that is.
    const other = withSegments([250, 256, 256, 256, 256, 64])
    expect(other.cleaner.victim(1)).toBe(other.made[5])
  })

  it('is never fuller than the limit', () => {
    const { cleaner, made } = withSegments([128, 200])
    expect(cleaner.victim(0.5)).toBe(made[0])
    expect(cleaner.victim(0.49)).toBe(0)
  })

  it('is sealed, and nobody else is at it', () => {
    const { arena, a, cleaner, segments, made } = withSegments([10, 20])
    append(a, arena, 5)
    const b = appender(arena, 2)
    const others = new Cleaner(arena, b.scheme, b.me, b.log, () => -1)
    expect(segments.claimCleaning(made[0]!)).toBe(true)
    expect(cleaner.victim(1)).toBe(made[1])
    segments.endCleaning(made[0]!)
    expect(others.victim(1)).toBe(made[0])
  })

  it('is none where nothing is sealed', () => {
    const arena = logArena()
    const a = appender(arena)
    const cleaner = new Cleaner(arena, a.scheme, a.me, a.log, () => -1)
    expect([cleaner.victim(1), cleaner.utilisation()]).toEqual([0, 1])
    append(a, arena, 5)
    expect([cleaner.victim(1), cleaner.utilisation()]).toEqual([0, 1])
  })

  it('may be one whose counts say that nothing is live, or less than nothing', () => {
    const { arena, cleaner, segments, made, a } = withSegments([10, 256])
    segments.addDead(made[0]!, 300)
    expect(cleaner.victim(0)).toBe(made[0])
    expect(arena.layout.paranoid && a.log.segments.isSealed(made[0]!)).toBe(true)
  })
})

describe('several victims', () => {
  it('are the best ones, the best first, as one after the other would be', () => {
    const live = [200, 40, 256, 120, 256, 80, 10, 250, 160]
    const { cleaner, segments, made } = withSegments(live)
    const into = new Int32Array(4)
    expect(cleaner.victims(0.9, into)).toBe(4)
    const one: number[] = []
    for (let i = 0; i < 4; i++) {
      one.push(cleaner.victim(0.9))
      segments.claimCleaning(one[i]!)
    }
    expect([...into]).toEqual(one)
    expect(cleaner.victims(0.9, into)).toBe(2)
    expect(made).toContain(into[1])
  })

  it('are no more than there are, nor than MOST_VICTIMS', () => {
    const few = withSegments([10, 256, 20])
    expect(few.cleaner.victims(0.9, new Int32Array(4))).toBe(2)
    const many = withSegments(Array.from({ length: MOST_VICTIMS + 4 }, () => 30))
    expect(many.cleaner.victims(0.9, new Int32Array(2 * MOST_VICTIMS))).toBe(MOST_VICTIMS)
    expect(many.cleaner.victims(0.9, new Int32Array(0))).toBe(0)
  })

  it('are so until somebody is at them, or they are fuller than the limit', () => {
    const { cleaner, segments, made } = withSegments([64, 128])
    expect(made.map((segment) => cleaner.isVictim(segment, 0.25))).toEqual([true, false])
    segments.claimCleaning(made[0]!)
    expect(cleaner.isVictim(made[0]!, 0.25)).toBe(false)
  })
})

it('the live share of all sealed segments together', () => {
  const { cleaner } = withSegments([256, 128, 0x40])
  expect(cleaner.utilisation()).toBe((256 + 128 + 64) / (3 * 256))
})
