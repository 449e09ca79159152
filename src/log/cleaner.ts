/**
 * The cleaner: empties segments that are mostly dead, so that they can be used again. It runs in a worker of its own, and
 * in any thread that finds no free segment.
 *
 * Victims are chosen by benefit and cost, (1 - u) * (1 + age) / (1 + u) (Rosenblum and Ousterhout 1991; RAMCloud), where u is
 * the live share of the segment. The counts behind u are hints: a thread that died between unlinking a block and
 * accounting for it leaves them too high, but emptying a segment looks at every block, not at the count.
 *
 * Thread safety: several cleaners may run; the claim on a victim only spares them the double work. Every block is moved by
 * CAS. Death: a victim half emptied is chosen again, by then emptier.
 */
import { assert } from '../memory/assert.ts'
import type { Arena } from '../memory/arena.ts'
import { COUNTER, type Participant } from '../reclaim/participant.ts'
import type { Scheme } from '../reclaim/scheme.ts'
import { isBlock, isDead, wordsOf } from './block.ts'
import { type Log, ROOM_PROMISED } from './log.ts'
import type { Segments } from './segments.ts'

/**
 * Moves a block elsewhere or finds it dead. Called pinned.
 * @returns 0 when nothing leads to the block any more; `stream << 16 | words` for room it lacks; -1 if it cannot
 */
export type Relocate = (block: number, header: number) => number

/** Live share above which a segment is not worth cleaning. */
const HARDLY_WORTH = 0.97
/** Rounds in which an append gained nothing by cleaning, after which something else is tried first. */
const VAIN_ROUNDS = 8

export class Cleaner {
  private readonly words: Int32Array
  private readonly segmentWords: number
  private readonly log: Log
  private readonly segments: Segments
  private readonly scheme: Scheme
  private readonly me: Participant
  private readonly relocate: Relocate
  private cleaning = false
  /** What else can make room, asked when cleaning cannot; set by the floor above. @returns whether to try again */
  relieve: () => boolean = () => false

  constructor(arena: Arena, scheme: Scheme, me: Participant, log: Log, relocate: Relocate) {
    this.words = arena.words
    this.segmentWords = arena.layout.segmentWords
    this.scheme = scheme
    this.me = me
    this.log = log
    this.segments = log.segments
    this.relocate = relocate
    log.onShortage((vain) => (vain > VAIN_ROUNDS && this.relieve()) || this.makeRoom() || this.relieve())
  }

  /** Live share of a sealed segment, by its counts. */
  private share(segment: number): number {
    const live = this.segments.usedWords(segment) - this.segments.deadWords(segment)
    return live <= 0 ? 0 : live / this.segmentWords
  }

  /** The best victim with a live share of at most `limit`, or 0. O(segments). */
  victim(limit: number): number {
    const { segments } = this
    const used = segments.used()
    let best = 0
    let bestScore = -1
    for (let segment = segments.first; segment < used; segment++) {
      if (!segments.isSealed(segment) || segments.isClaimed(segment)) continue
      const share = this.share(segment)
      if (share > limit) continue
      const score = ((1 - share) * (1 + segments.age(segment))) / (1 + share)
      if (score > bestScore) {
        best = segment
        bestScore = score
      }
    }
    return best
  }

  /** Live share of all sealed segments together, 1 if there are none. */
  utilisation(): number {
    const { segments } = this
    const used = segments.used()
    let live = 0
    let count = 0
    for (let segment = segments.first; segment < used; segment++) {
      if (!segments.isSealed(segment)) continue
      live += segments.usedWords(segment) - segments.deadWords(segment)
      count++
    }
    return count === 0 ? 1 : live / (count * this.segmentWords)
  }

  /** For an append that finds no free segment: empties the best victim. @returns whether a segment was emptied */
  makeRoom(): boolean {
    if (this.cleaning) return false
    const victim = this.victim(HARDLY_WORTH)
    return victim !== 0 && this.clean(victim, false)
  }

  /**
   * Empties one segment and retires it. Not inside a critical region.
   * @param courteous give way to a verifier that asked cleaners to rest; the request is looked at after the claim, which
   * the verifier looks at after its request, so one of the two sees the other
   * @returns whether it is empty now
   */
  clean(segment: number, courteous: boolean): boolean {
    if (this.cleaning || !this.segments.claimCleaning(segment)) return false
    this.cleaning = true
    try {
      if ((courteous && this.segments.resting()) || !this.empty(segment)) return false
      this.me.count(COUNTER.segmentsCleaned, 1)
      return true
    } finally {
      this.cleaning = false
      this.segments.endCleaning(segment)
    }
  }

  private empty(segment: number): boolean {
    const { segments, scheme, words } = this
    const start = segments.start(segment)
    const clock = segments.clock(segment)
    let offset = 0
    for (;;) {
      let lacking = 0
      scheme.enter()
      try {
        // Unless it still is the segment that was chosen, somebody has emptied it meanwhile.
        if (!segments.isSealed(segment) || segments.clock(segment) !== clock) return true
        while (offset < this.segmentWords) {
          const header = Atomics.load(words, start + offset)
          if (!isBlock(header)) {
            offset = this.segmentWords
            break
          }
          if (!isDead(header)) {
            lacking = this.relocate(start + offset, header)
            if (lacking !== 0) break
            this.me.count(COUNTER.relocatedWords, wordsOf(header))
            offset += wordsOf(header)
            break
          }
          offset += wordsOf(header)
        }
        if (offset >= this.segmentWords) return this.finish(segment)
      } finally {
        scheme.leave()
      }
      if (lacking < 0) return false
      if (lacking > 0 && !this.log.tryPrepare(lacking >>> 16, lacking & 0xffff, ROOM_PROMISED)) return false
    }
  }

  private finish(segment: number): boolean {
    if (this.segments.walkLive(segment) > 0) return false
    this.segments.check(segment)
    // The count may lag behind if somebody died before accounting; the walk has shown that nothing is live.
    this.segments.retire(segment)
    return true
  }

  /**
   * Looks at every sealed segment for complete blocks that nothing leads to, left by threads that died, and accounts for
   * them: after it, counts are exact if nobody writes meanwhile. `isReachable` is asked pinned.
   */
  sweep(isReachable: (block: number, header: number) => boolean): void {
    const { segments, scheme } = this
    for (let segment = segments.first; segment < segments.used(); segment++) {
      scheme.enter()
      try {
        if (segments.isSealed(segment)) this.sweepSegment(segment, isReachable)
      } finally {
        scheme.leave()
      }
    }
  }

  private sweepSegment(segment: number, isReachable: (block: number, header: number) => boolean): void {
    const { segments, words, log } = this
    const start = segments.start(segment)
    let live = 0
    for (let offset = 0; offset < this.segmentWords;) {
      const header = Atomics.load(words, start + offset)
      if (!isBlock(header)) break
      assert(wordsOf(header) > 0, 'a block of no words')
      if (!isDead(header)) {
        if (isReachable(start + offset, header)) live++
        else log.unlink(start + offset)
      }
      offset += wordsOf(header)
    }
    if (live === 0) segments.retire(segment)
  }
}
