/**
 * The segment table: one descriptor of SEGMENT_DESCRIPTOR_WORDS words per segment.
 *
 *   0 state    fresh, FREE, HELD by a participant (open for its appends), SEALED, RETIRED in an epoch (see ownership.ts)
 *   1 link     next on the free list
 *   2 used     words appended, set when the segment is sealed; 0 before
 *   3 dead     words of dead blocks, added by whoever marks a block dead
 *   4 clock    the segment clock when it was opened
 *   5 cleaner  label + 1 of who is cleaning it, a courtesy only
 *
 * A sealed segment all of whose words are dead is retired, exactly once (CAS of the state), by whoever notices: the
 * unlinker adds to `dead` and then reads `used`, the sealer stores `used` and then reads `dead`, so one of them does.
 * Both are pinned meanwhile: SEALED and the counts could else be those of the segment's next use.
 */
import { assert } from '../memory/assert.ts'
import type { Arena } from '../memory/arena.ts'
import {
  GLOBAL_REST,
  GLOBAL_SEGMENT_CLOCK,
  GLOBAL_SEGMENT_FRESH,
  GLOBAL_SEGMENT_HEAD,
  GLOBAL_STOP,
  SEGMENT_DESCRIPTOR_WORDS,
} from '../memory/layout.ts'
import { park } from '../memory/parking.ts'
import { FreeList } from '../reclaim/free-list.ts'
import { held, isHeld, isRetired, payloadOf } from '../reclaim/ownership.ts'
import { COUNTER, INTENT_POP_SEGMENT, type Participant } from '../reclaim/participant.ts'
import { OP_RELEASE_SEGMENT, type Scheme } from '../reclaim/scheme.ts'
import { isBlock, isDead, wordsOf } from './block.ts'

const STATE = 0
const LINK = 1
const USED = 2
const DEAD = 3
const CLOCK = 4
const CLEANER = 5
export const SEALED = 1
/** What a released segment is filled with in paranoid arenas: no valid header, no valid address. */
export const POISON = 0x0badf00d

/** Free segments that writers find in store, those that wait for their epoch included; between these, a 64th of all. */
const LEAST_SPARE = 4
const MOST_SPARE = 32

/** Longest wait for cleaners to come to rest, in rounds of a millisecond. */
const REST_ROUNDS = 500

export class Segments {
  readonly first: number
  readonly end: number
  /** Segments that ordinary appends leave alone, so that cleaning always has somewhere to put survivors. */
  readonly reserve: number
  private readonly words: Int32Array
  private readonly tableAt: number
  private readonly shift: number
  private readonly segmentWords: number
  private readonly paranoid: boolean
  private readonly scheme: Scheme
  private readonly me: Participant
  private readonly list: FreeList

  constructor(arena: Arena, scheme: Scheme, me: Participant) {
    const { layout } = arena
    this.words = arena.words
    this.tableAt = layout.segmentTableAt
    this.shift = layout.segmentShift
    this.segmentWords = layout.segmentWords
    this.paranoid = layout.paranoid
    this.first = layout.firstSegment
    this.end = layout.endSegment
    this.reserve = Math.min(64, Math.max(5, Math.floor((this.end - this.first) / 32)))
    this.scheme = scheme
    this.me = me
    this.list = new FreeList(
      arena.words,
      scheme,
      OP_RELEASE_SEGMENT,
      GLOBAL_SEGMENT_HEAD,
      GLOBAL_SEGMENT_FRESH,
      this.tableAt + STATE,
      this.tableAt + LINK,
      SEGMENT_DESCRIPTOR_WORDS,
      this.first,
      this.end,
    )
    this.list.prepare = (segment) => this.wipe(segment)
    scheme.register(OP_RELEASE_SEGMENT, (segment, epoch) => this.release(segment, epoch))
    scheme.onReap((slotAt, label) => this.reap(slotAt, label))
  }

  private at(segment: number): number {
    return this.tableAt + segment * SEGMENT_DESCRIPTOR_WORDS
  }

  /** First word of a segment. */
  start(segment: number): number {
    return segment << this.shift
  }

  segmentOf(address: number): number {
    return address >>> this.shift
  }

  /**
   * Opens a segment for the caller's appends: zeroed, HELD by its label. The caller need not be pinned.
   * @param privileged whether the reserve may be used (cleaning, and finishing structural changes)
   * @returns the segment, or 0 if there is none to have
   */
  open(privileged: boolean): number {
    if (!privileged && this.list.countFree(this.reserve + 1) <= this.reserve) return 0
    const { words, scheme } = this
    scheme.enter()
    const fresh = this.list.used()
    const segment = this.list.pop(this.me.at + INTENT_POP_SEGMENT)
    scheme.leave()
    if (segment === 0) return 0
    const at = this.at(segment)
    Atomics.store(words, at + USED, 0)
    Atomics.store(words, at + DEAD, 0)
    Atomics.store(words, at + CLOCK, Atomics.add(words, GLOBAL_SEGMENT_CLOCK, 1))
    // Private while HELD: plain stores; walkers see it after the seal, or block by block through the atomic headers.
    // A segment that was never used is still zero, and writing it would commit its pages.
    if (segment < fresh) words.fill(0, this.start(segment), this.start(segment) + this.segmentWords)
    this.me.count(COUNTER.segmentsOpened, 1)
    return segment
  }

  /** Seals the caller's open segment: from now on it may be cleaned. Publishes its blocks to the cleaners. */
  seal(segment: number, usedWords: number): void {
    const at = this.at(segment)
    if (usedWords === 0) {
      // Nothing was ever linked from it, so it may go straight back.
      this.list.retire(segment, held(this.scheme.label))
      return
    }
    // Pinned: once it is sealed, a cleaner may retire it, and what is retired below must not be its next use.
    this.scheme.enter()
    Atomics.store(this.words, at + USED, usedWords)
    Atomics.store(this.words, at + STATE, SEALED)
    if (Atomics.load(this.words, at + DEAD) === usedWords) this.retire(segment)
    this.scheme.leave()
  }

  /** Accounts for a block that has just been marked dead. */
  addDead(segment: number, blockWords: number): void {
    const at = this.at(segment)
    const dead = Atomics.add(this.words, at + DEAD, blockWords) + blockWords
    if (Atomics.load(this.words, at + USED) === dead) this.retire(segment)
  }

  /**
   * Retires a sealed segment in which nothing is live. Idempotent. The caller is pinned since before it saw that: SEALED
   * looks the same in the next use of the segment.
   */
  retire(segment: number): void {
    assert(this.scheme.pinned(), 'a segment was retired outside of a critical region')
    this.list.retire(segment, SEALED)
  }

  /** Handler of OP_RELEASE_SEGMENT. Idempotent: only the exact state of that retirement is freed. */
  private release(segment: number, epoch: number): void {
    if (this.list.push(segment, epoch)) this.me.count(COUNTER.segmentsReleased, 1)
  }

  /** What a segment goes through before it is on the free list again. */
  private wipe(segment: number): void {
    const start = this.start(segment)
    if (this.paranoid) this.words.fill(POISON, start, start + this.segmentWords)
    // No block begins here any more, also for whoever opens it and dies before it is zeroed.
    Atomics.store(this.words, start, 0)
  }

  /** Frees segments whose retirement nobody noted, because the retirer died. O(segments). */
  collectStale(): void {
    this.list.collectStale((segment, epoch) => this.release(segment, epoch))
  }

  /** See FreeList. The caller is pinned. */
  recoverLost(): void {
    this.list.recoverLost()
  }

  /** Brings back the segments of a participant that is gone: open ones are sealed where their blocks end. */
  private reap(slotAt: number, label: number): void {
    const { words } = this
    Atomics.compareExchange(words, GLOBAL_REST, label + 1, 0)
    Atomics.compareExchange(words, this.at(0) + CLEANER, label + 1, 0)
    for (let segment = this.first; segment < this.list.used(); segment++) {
      const at = this.at(segment)
      Atomics.compareExchange(words, at + CLEANER, label + 1, 0)
      const state = Atomics.load(words, at + STATE)
      if (state === held(label)) this.sealFor(segment, label)
    }
    this.list.rescue(label, Atomics.load(words, slotAt + INTENT_POP_SEGMENT), false)
  }

  private sealFor(segment: number, label: number): void {
    const { words } = this
    const at = this.at(segment)
    const used = this.walkUsed(segment)
    if (used === 0) {
      this.list.retire(segment, held(label))
      return
    }
    Atomics.store(words, at + USED, used)
    if (Atomics.compareExchange(words, at + STATE, held(label), SEALED) !== held(label)) return
    if (Atomics.load(words, at + DEAD) === used) this.retire(segment)
  }

  /** Words up to where the blocks of a segment end, found by walking the headers. */
  walkUsed(segment: number): number {
    const start = this.start(segment)
    let offset = 0
    while (offset < this.segmentWords) {
      const header = Atomics.load(this.words, start + offset)
      if (!isBlock(header)) break
      offset += wordsOf(header)
    }
    return offset
  }

  /** Words of complete, not dead blocks in a segment, by walking it. */
  walkLive(segment: number): number {
    const start = this.start(segment)
    let live = 0
    let offset = 0
    while (offset < this.segmentWords) {
      const header = Atomics.load(this.words, start + offset)
      if (!isBlock(header)) break
      if (!isDead(header)) live += wordsOf(header)
      offset += wordsOf(header)
    }
    return live
  }

  /** One past the last segment ever opened. */
  used(): number {
    return this.list.used()
  }

  /** Segments free to be opened, counted up to `limit`. */
  countFree(limit: number): number {
    return this.list.countFree(limit)
  }

  /** Grows by one with every segment that anybody opens, modulo 2^32. */
  opened(): number {
    return Atomics.load(this.words, GLOBAL_SEGMENT_CLOCK)
  }

  /**
   * Whether so few free segments were used before that writers will soon commit memory that is fresh, or find none. What
   * was used once stays committed, so more of them in store than writers need between two looks would save nobody anything.
   * O(segments)
   */
  isShort(): boolean {
    const used = this.used() - this.first
    const fresh = this.end - this.used()
    const spare = Math.min(MOST_SPARE, Math.max(LEAST_SPARE, used >>> 6)) + Math.max(0, this.reserve - fresh)
    return this.list.countRecycled(spare) + this.list.countRetired() < spare
  }

  isSealed(segment: number): boolean {
    return Atomics.load(this.words, this.at(segment) + STATE) === SEALED
  }

  isOpen(segment: number): boolean {
    return isHeld(Atomics.load(this.words, this.at(segment) + STATE))
  }

  isRetired(segment: number): boolean {
    return isRetired(Atomics.load(this.words, this.at(segment) + STATE))
  }

  /** Label of the participant that holds an open segment. */
  holder(segment: number): number {
    return payloadOf(Atomics.load(this.words, this.at(segment) + STATE))
  }

  usedWords(segment: number): number {
    return Atomics.load(this.words, this.at(segment) + USED)
  }

  deadWords(segment: number): number {
    return Atomics.load(this.words, this.at(segment) + DEAD)
  }

  /** The segment clock when it was opened: tells one use of a segment from the next. */
  clock(segment: number): number {
    return Atomics.load(this.words, this.at(segment) + CLOCK)
  }

  /** Segments opened since this one was. */
  age(segment: number): number {
    return Atomics.load(this.words, GLOBAL_SEGMENT_CLOCK) - Atomics.load(this.words, this.at(segment) + CLOCK)
  }

  /** Whether somebody is cleaning a segment. Another victim will do: whoever is at this one may have been stopped. */
  isClaimed(segment: number): boolean {
    return Atomics.load(this.words, this.at(segment) + CLEANER) !== 0
  }

  /** Marks a segment as being cleaned by the caller. @returns false if somebody else is at it */
  claimCleaning(segment: number): boolean {
    return Atomics.compareExchange(this.words, this.at(segment) + CLEANER, 0, this.scheme.label + 1) === 0
  }

  endCleaning(segment: number): void {
    const mine = this.scheme.label + 1
    Atomics.compareExchange(this.words, this.at(segment) + CLEANER, mine, 0)
  }

  /**
   * Marks the caller as walking over the whole tree, for which verifiers wait as they do for cleaners. Segment 0, where the
   * header lies, stands for the tree.
   * @returns false if somebody else is walking
   */
  claimWalk(): boolean {
    return this.claimCleaning(0)
  }

  endWalk(): void {
    this.endCleaning(0)
  }

  /** Whether any segment is being cleaned, or the tree walked over. */
  anyCleaning(): boolean {
    if (this.isClaimed(0)) return true
    const used = this.used()
    for (let segment = this.first; segment < used; segment++) {
      if (Atomics.load(this.words, this.at(segment) + CLEANER) !== 0) return true
    }
    return false
  }

  /**
   * Asks the background cleaner to rest and waits, within limits, until no segment is being cleaned.
   * @returns whether the request is the caller's, to be ended by `endRest`; somebody else's serves as well
   */
  beginRest(): boolean {
    const mine = Atomics.compareExchange(this.words, GLOBAL_REST, 0, this.scheme.label + 1) === 0
    for (let i = 0; i < REST_ROUNDS && this.anyCleaning(); i++) park(this.words, GLOBAL_STOP, 0, 1)
    return mine
  }

  endRest(): void {
    Atomics.compareExchange(this.words, GLOBAL_REST, this.scheme.label + 1, 0)
  }

  /** Whether the background cleaner was asked to rest. */
  resting(): boolean {
    return Atomics.load(this.words, GLOBAL_REST) !== 0
  }

  /** What holds whenever nobody is between two steps; the expensive check behind the paranoid switch. */
  check(segment: number): void {
    if (!this.paranoid || !this.isSealed(segment)) return
    assert(this.deadWords(segment) <= this.usedWords(segment), 'a segment has more dead words than words')
  }
}
