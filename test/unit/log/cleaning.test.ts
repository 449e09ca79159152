import { describe, expect, it } from 'vitest'
import type { Arena } from '../../../src/memory/arena.ts'
import { wordsOf } from '../../../src/log/block.ts'
import { Cleaner, type Relocate } from '../../../src/log/cleaner.ts'
import { STREAM_COLD } from '../../../src/log/log.ts'
import { COUNTER, sumCounter } from '../../../src/reclaim/participant.ts'
import { everyStep, interruptAt } from '../memory/atomics-hook.ts'
import { type Appender, SEGMENT_WORDS, allFree, append, appender, isWhole, logArena, states } from './logs.ts'

/** A floor above the log: it knows which blocks are linked, and moves them as the tree does. */
class Above {
  readonly linked = new Map<number, number>()
  private readonly arena: Arena

  constructor(arena: Arena) {
    this.arena = arena
  }

  append(one: Appender, words: number): number {
    const block = append(one, this.arena, words)
    this.linked.set(block, words)
    return block
  }

  remove(one: Appender, block: number): void {
    this.linked.delete(block)
    one.log.unlink(block)
  }

  relocateFor(one: Appender): Relocate {
    return (block, header) => {
      const words = wordsOf(header)
      if (this.linked.has(block)) {
        const copy = one.log.reserve(STREAM_COLD, words)
        if (copy === 0) return (STREAM_COLD << 16) | words
        this.arena.words.fill(copy, copy + 1, copy + words)
        one.log.complete(copy, header)
        // Others come by between any two accesses to shared words, as here.
        if (this.linked.delete(block)) this.linked.set(copy, words)
        else one.log.abort(STREAM_COLD, copy, words)
      }
      one.log.unlink(block)
      return 0
    }
  }

  allWhole(): boolean {
    return [...this.linked].every(([block, words]) => isWhole(this.arena, block, words))
  }
}

function world() {
  const arena = logArena()
  const [a, b] = [appender(arena, 1), appender(arena, 2)]
  const above = new Above(arena)
  const cleanerOf = (one: Appender): Cleaner => new Cleaner(arena, one.scheme, one.me, one.log, above.relocateFor(one))
  return { arena, a, b, above, segments: a.log.segments, clean: cleanerOf(a), cleanerOf }
}

describe('cleaning a segment', () => {
  it('moves what is linked, drops what is not, and retires it', () => {
    const { arena, a, b, above, segments, clean } = world()
    const blocks = [10, 20, 30, 40].map((words) => above.append(b, words))
    above.remove(b, blocks[1]!)
    // Written by a thread that died before it linked it.
    append(b, arena, 50)
    b.log.sealAll()
    expect(clean.clean(segments.first, false)).toBe(true)
    expect(states(a)).toEqual({ open: 1, sealed: 0, retired: 1 })
    expect([...above.linked.values()]).toEqual([10, 30, 40])
    expect(above.allWhole()).toBe(true)
    a.scheme.flush()
    expect(above.allWhole()).toBe(true)
    expect(sumCounter(arena, COUNTER.segmentsCleaned)).toBe(1)
    expect(sumCounter(arena, COUNTER.segmentsReleased)).toBe(1)
    expect(segments.isClaimed(segments.first)).toBe(false)
  })

  it('takes room for survivors as often as it lacks it', () => {
    const { a, b, above, segments, clean } = world()
    for (let i = 0; i < 6; i++) {
      above.append(b, 100)
      above.append(b, 100)
    }
    b.log.sealAll()
    for (let segment = segments.first; segment < segments.first + 6; segment++) {
      expect(clean.clean(segment, false)).toBe(true)
      a.scheme.flush()
    }
    expect(above.linked.size).toBe(12)
    expect(above.allWhole()).toBe(true)
    a.log.sealAll()
    for (const block of [...above.linked.keys()]) above.remove(a, block)
    expect(allFree(a)).toBe(true)
  })

  it('is given up when a block cannot be moved; what was moved stays moved, and it can be tried again', () => {
    const { arena, a, b, above, segments } = world()
    for (const words of [10, 20, 30]) above.append(b, words)
    b.log.sealAll()
    const move = above.relocateFor(a)
    let refusing = true
    const cleaner = new Cleaner(arena, a.scheme, a.me, a.log, (block, header) => {
      return refusing && wordsOf(header) === 20 ? -1 : move(block, header)
    })
    expect(cleaner.clean(segments.first, false)).toBe(false)
    expect([segments.isSealed(segments.first), segments.deadWords(segments.first)]).toEqual([true, 10])
    expect(sumCounter(arena, COUNTER.segmentsCleaned)).toBe(0)
    refusing = false
    expect(cleaner.clean(segments.first, false)).toBe(true)
    expect(above.allWhole()).toBe(true)
    expect(above.linked.size).toBe(3)
  })

  it('is given up when there is no room for the survivors', () => {
    const { arena, a, b, above, segments, clean } = world()
    above.append(b, 200)
    b.log.sealAll()
    while (segments.open(true) !== 0);
    expect(clean.clean(segments.first, false)).toBe(false)
    expect(above.allWhole()).toBe(true)
    expect(segments.isSealed(segments.first)).toBe(true)
    expect(segments.isClaimed(segments.first)).toBe(false)
    expect(a.scheme.pinned()).toBe(false)
    expect(arena.layout.paranoid).toBe(true)
  })

  it('does nothing to a segment that is open, free, or being cleaned by another', () => {
    const { arena, a, b, above, segments, clean, cleanerOf } = world()
    const block = above.append(b, 100)
    // An open one is left alone: it counts as done, since it is not the sealed one that was chosen.
    clean.clean(segments.first, false)
    expect(isWhole(arena, block, 100)).toBe(true)
    b.log.sealAll()
    expect(segments.claimCleaning(segments.first)).toBe(true)
    expect(cleanerOf(b).clean(segments.first, false)).toBe(false)
    expect(segments.isClaimed(segments.first)).toBe(true)
    segments.endCleaning(segments.first)
    expect(a.scheme.others()).toBe(0)
    expect(isWhole(arena, block, 100)).toBe(true)
  })

  it('another than the claimant does not end the claim', () => {
    const { b, above, segments } = world()
    above.append(b, 100)
    b.log.sealAll()
    segments.claimCleaning(segments.first)
    b.log.segments.endCleaning(segments.first)
    expect(segments.isClaimed(segments.first)).toBe(true)
  })

  it('ends its claim and its pin when the callback throws', () => {
    const { arena, a, b, above, segments } = world()
    above.append(b, 100)
    b.log.sealAll()
    const cleaner = new Cleaner(arena, a.scheme, a.me, a.log, () => {
      throw new Error('of the floor above')
    })
    expect(() => cleaner.clean(segments.first, false)).toThrow('of the floor above')
    expect([segments.isClaimed(segments.first), a.scheme.pinned()]).toEqual([false, false])
    expect(() => cleaner.clean(segments.first, false)).toThrow('of the floor above')
  })

  it('does not begin another one from within', () => {
    const { arena, a, b, above, segments } = world()
    above.append(b, 200)
    above.append(b, 200)
    b.log.sealAll()
    const nested: boolean[] = []
    const move = above.relocateFor(a)
    const cleaner: Cleaner = new Cleaner(arena, a.scheme, a.me, a.log, (block, header) => {
      nested.push(cleaner.clean(segments.first + 1, false), cleaner.makeRoom())
      return move(block, header)
    })
    expect(cleaner.clean(segments.first, false)).toBe(true)
    expect(new Set(nested)).toEqual(new Set([false]))
  })
})

describe('while a segment is being cleaned', () => {
  it('writers may unlink in it, and other cleaners come by, at any step', () => {
    const steps = everyStep((step) => {
      const { a, b, above, segments, clean, cleanerOf } = world()
      for (const words of [40, 50, 60]) above.append(b, words)
      b.log.sealAll()
      let removed = 0
      const reached = interruptAt(
        step,
        () => void clean.clean(segments.first, false),
        () => {
          for (const block of [...above.linked.keys()].slice(step % 2)) {
            above.remove(b, block)
            removed++
          }
          const other = cleanerOf(b)
          other.clean(segments.first, false)
          b.scheme.flush()
        },
      )
      expect(above.linked.size).toBe(reached ? 3 - removed : 3)
      expect(above.allWhole()).toBe(true)
      a.log.sealAll()
      b.log.sealAll()
      for (const block of [...above.linked.keys()]) above.remove(a, block)
      expect(allFree(a)).toBe(true)
      return reached
    })
    expect(steps).toBeGreaterThan(30)
  })

  it('it may die, be released and be opened again by another: the cleaner leaves the new one alone', () => {
    const { arena, a, b, above, segments } = world()
    // One more than the cleaner moves in one critical region.
    const blocks = Array.from({ length: 17 }, () => above.append(b, 10))
    b.log.sealAll()
    let again = 0
    const move = above.relocateFor(a)
    const cleaner = new Cleaner(arena, a.scheme, a.me, a.log, (block, header) => move(block, header))
    // Between two groups of blocks the cleaner is not pinned.
    const { leave } = a.scheme
    a.scheme.leave = () => {
      leave.call(a.scheme)
      if (again !== 0 || a.scheme.pinned()) return
      const left = blocks.filter((block) => above.linked.has(block))
      if (left.length !== 1) return
      above.remove(b, left[0]!)
      b.scheme.flush()
      again = above.append(b, 150)
      b.log.sealAll()
    }
    expect(cleaner.clean(segments.first, false)).toBe(true)
    expect(segments.segmentOf(again)).toBe(segments.first)
    expect(isWhole(arena, again, 150)).toBe(true)
    expect(segments.isSealed(segments.first)).toBe(true)
  })
})

describe('making room', () => {
  it('empties the best victim', () => {
    const { a, b, above, segments, clean } = world()
    for (let i = 0; i < 4; i++) above.remove(b, [above.append(b, 56), above.append(b, 200)][i === 2 ? 1 : 0]!)
    b.log.sealAll()
    expect(clean.makeRoom()).toBe(true)
    expect(segments.isRetired(segments.first + 2)).toBe(true)
    expect(a.scheme.flush()).toBe(0)
    expect(above.allWhole()).toBe(true)
  })

  it('gains nothing where all segments are nearly full', () => {
    const { b, above, clean } = world()
    for (let i = 0; i < 4; i++) above.append(b, SEGMENT_WORDS)
    b.log.sealAll()
    expect(clean.makeRoom()).toBe(false)
  })
})
