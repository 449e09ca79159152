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

/**
 * Told which blocks are to be moved next, so that what leads to them can be fetched side by side. Called pinned, and with
 * none when the critical region is about to end.
 */
export type Approach = (blocks: Int32Array, count: number) => void

/** Live share above which a segment is not worth cleaning. */
const HARDLY_WORTH = 0.97
/** Blocks moved in one critical region: enough to fetch their pages side by side, and a region of some microseconds. */
const GROUP_BLOCKS = 16
/** Rounds in which an append gained nothing by cleaning, after which something else is tried first. */
const VAIN_ROUNDS = 8
/** The most victims that are looked for at a time. */
export const MOST_VICTIMS = 8

export class Cleaner {
  private readonly words: Int32Array
  private readonly segmentWords: number
  private readonly log: Log
  private readonly segments: Segments
  private readonly scheme: Scheme
  private readonly me: Participant
  private readonly relocate: Relocate
  private readonly approach: Approach | null
  /** Live blocks to be moved next. */
  private readonly group = new Int32Array(GROUP_BLOCKS)
  private readonly best = new Int32Array(1)
  private readonly scores = new Float64Array(MOST_VICTIMS)
  private cleaning = false
  /** What else can make room, asked when cleaning cannot; set by the floor above. @returns whether to try again */
  relieve: () => boolean = () => false

  constructor(
    arena: Arena,
    scheme: Scheme,
    me: Participant,
    log: Log,
    relocate: Relocate,
    approach: Approach | null = null,
  ) {
    this.words = arena.words
    this.segmentWords = arena.layout.segmentWords
    this.scheme = scheme
    this.me = me
    this.log = log
    this.segments = log.segments
    this.relocate = relocate
    this.approach = approach
    log.onShortage((vain) => (vain > VAIN_ROUNDS && this.relieve()) || this.makeRoom() || this.relieve())
  }

  /** Live share of a sealed segment, by its counts. */
  private share(segment: number): number {
    const live = this.segments.usedWords(segment) - this.segments.deadWords(segment)
    return live <= 0 ? 0 : live / this.segmentWords
  }

  /** Whether a segment may be cleaned, and has a live share of at most `limit`. */
  isVictim(segment: number, limit: number): boolean {
    const { segments } = this
    return segments.isSealed(segment) && !segments.isClaimed(segment) && this.share(segment) <= limit
  }

  /**
   * Finds the best victims with a live share of at most `limit`, the best one first. O(segments). Several at a time, where
   * more than one will be cleaned: this loads a line of each segment's, which every writer then has to fetch back when he
   * counts words of that segment as dead.
   * @param into takes them: at most MOST_VICTIMS
   * @returns how many there are
   */
  victims(limit: number, into: Int32Array): number {
    const { segments, scores } = this
    const used = segments.used()
    const most = Math.min(into.length, MOST_VICTIMS)
    let count = 0
    for (let segment = segments.first; segment < used; segment++) {
      if (!this.isVictim(segment, limit)) continue
      const share = this.share(segment)
      const score = ((1 - share) * (1 + segments.age(segment))) / (1 + share)
      if (count === most && score <= scores[count - 1]) continue
      let at = count < most ? count++ : count - 1
      for (; at > 0 && scores[at - 1] < score; at--) {
        into[at] = into[at - 1]
        scores[at] = scores[at - 1]
      }
      into[at] = segment
      scores[at] = score
    }
    return count
  }

  /** The best victim with a live share of at most `limit`, or 0. O(segments). */
  victim(limit: number): number {
    return this.victims(limit, this.best) === 0 ? 0 : this.best[0]
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

  /** Share of all words that ordinary appends may use that is live, or in segments that are open. O(segments). */
  load(): number {
    const { segments, segmentWords } = this
    const used = segments.used()
    let live = 0
    for (let segment = segments.first; segment < used; segment++) {
      if (segments.isSealed(segment)) live += segments.usedWords(segment) - segments.deadWords(segment)
      else if (segments.isOpen(segment)) live += segmentWords
    }
    return live / ((segments.end - segments.first - segments.reserve) * segmentWords)
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
    const { segments, scheme } = this
    const start = segments.start(segment)
    const clock = segments.clock(segment)
    let from = start
    for (;;) {
      this.lacking = 0
      scheme.enter()
      try {
        // Unless it still is the segment that was chosen, somebody has emptied it meanwhile.
        if (!segments.isSealed(segment) || segments.clock(segment) !== clock) return true
        const count = this.gather(from, start + this.segmentWords)
        if (count === 0) return this.finish(segment)
        from = this.move(count)
      } finally {
        scheme.leave()
      }
      const { lacking } = this
      if (lacking < 0) return false
      if (lacking > 0 && !this.log.tryPrepare(lacking >>> 16, lacking & 0xffff, ROOM_PROMISED)) return false
    }
  }

  /** What the last block lacked that could not be moved; see Relocate. */
  private lacking = 0

  /** Takes the next live blocks into `group`. @returns how many */
  private gather(from: number, end: number): number {
    const { words, group } = this
    let count = 0
    while (from < end && count < GROUP_BLOCKS) {
      const header = Atomics.load(words, from)
      if (!isBlock(header)) break
      if (!isDead(header)) group[count++] = from
      from += wordsOf(header)
    }
    return count
  }

  /** Moves the blocks in `group` until one lacks something. @returns where to go on */
  private move(count: number): number {
    const { words, group, approach } = this
    if (approach !== null) approach(group, count)
    let moved = 0
    let next = 0
    for (let i = 0; i < count && this.lacking === 0; i++) {
      next = group[i]
      const header = Atomics.load(words, next)
      if (!isDead(header)) {
        this.lacking = this.relocate(next, header)
        if (this.lacking !== 0) break
        moved += wordsOf(header)
      }
      next += wordsOf(header)
    }
    // What was found out is good for this critical region only.
    if (approach !== null) approach(group, 0)
    this.me.count(COUNTER.relocatedWords, moved)
    return next
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
