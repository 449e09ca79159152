/**
 * The log-structured store: appends in segments that each participant has for itself.
 *
 * Thread safety: a Log instance belongs to one participant; the segments and blocks it writes are shared.
 * Invariants:
 *  - Only the holder of an open segment appends to it, so a reservation is a private bump and blocks nobody.
 *  - A block is linked (or abandoned) before the segment that holds it is sealed. Hence a complete block in a SEALED
 *    segment that cannot be reached will never be reached: whoever finds it may mark it dead. This is how words that a
 *    dead thread left behind are found, without any repair log.
 *  - `reserve` never takes a new segment; only `prepare` does, and it runs outside of critical regions, because it may
 *    clean, and cleaning needs epochs to pass.
 * Progress: reserve, complete, abort, unlink are wait-free (unlink: one CAS, not retried).
 * Death: the reaper seals the dead participant's segments where their blocks end; a reservation that was not completed
 * has no header yet and so lies past that end.
 *
 * After rsdb/sled's reservable slots and RAMCloud's log-structured memory (Rumble et al., FAST'14).
 */
import { HeddleError } from '../memory/error.ts'
import { assert } from '../memory/assert.ts'
import type { Arena } from '../memory/arena.ts'
import { GLOBAL_CLEANER_BELL } from '../memory/layout.ts'
import { park, ring } from '../memory/parking.ts'
import type { Participant } from '../reclaim/participant.ts'
import type { Scheme } from '../reclaim/scheme.ts'
import { dead, isBlock, isDead, wordsOf } from './block.ts'
import { Segments } from './segments.ts'

/** Streams: blocks of different lifetimes go to different segments, so that dead words gather. */
export const STREAM_RECORDS = 0
export const STREAM_PAGES = 1
/** Survivors of cleaning. */
export const STREAM_COLD = 2
export const STREAM_EXTENTS = 3
/** Records of batches and their descriptors, linked all together. */
export const STREAM_BATCHES = 4
const STREAMS = 5

/** How much a piece of room is worth: what may be done, and what may be touched, to get it. */
export const ROOM_ORDINARY = 0
/** Was promised (a delete, the cleaner's survivors): cleans longer, and takes from the reserve in the end. */
export const ROOM_PROMISED = 1
/** For work that can as well be left undone: one round. */
export const ROOM_OPTIONAL = 2

/**
 * Rounds of cleaning and waiting before an append gives up, and the longest wait in each. A second altogether: somebody
 * who is pinned may wait for a processor, or may be dead and its parent not yet have heard of it.
 */
const PATIENCE_ROUNDS = 200
const PATIENCE_MS = 5
const PROMISED_ROUNDS = 400
/**
 * Rounds without a segment gained, although nothing waits for its epoch, after which it gives up earlier. Victims are live
 * by up to 97 % (cleaner.ts), so that one is gained in 33 rounds at the worst.
 */
const VAIN_ROUNDS = 40

const ROUNDS = [PATIENCE_ROUNDS, PROMISED_ROUNDS, 1]

/**
 * Frees some segment if it can; set by the cleaner.
 * @param vain rounds in which nothing was gained
 * @returns whether it is worth trying again
 */
export type MakeRoom = (vain: number) => boolean

export class Log {
  readonly segments: Segments
  private readonly words: Int32Array
  private readonly segmentWords: number
  private readonly segmentOfStream = new Int32Array(STREAMS)
  private readonly cursor = new Int32Array(STREAMS)
  private readonly limit = new Int32Array(STREAMS)
  /** Full segments whose blocks are not linked yet (extents of a value under construction). */
  private readonly unsealed: number[] = []
  private readonly unsealedEnds: number[] = []
  private makeRoom: MakeRoom = () => false
  private readonly scheme: Scheme

  constructor(arena: Arena, scheme: Scheme, me: Participant) {
    this.words = arena.words
    this.segmentWords = arena.layout.segmentWords
    this.scheme = scheme
    this.segments = new Segments(arena, scheme, me)
  }

  onShortage(makeRoom: MakeRoom): void {
    this.makeRoom = makeRoom
  }

  /** Words left in the stream's open segment. */
  available(stream: number): number {
    return this.limit[stream] - this.cursor[stream]
  }

  /**
   * Makes sure that `words` can be reserved in the stream, taking a new segment and cleaning if need be. Outside of
   * critical regions only.
   * @param worth ROOM_ORDINARY, ROOM_PROMISED or ROOM_OPTIONAL
   * @throws HeddleError HEDDLE_FULL if no segment could be had; nothing has changed then
   */
  prepare(stream: number, words: number, worth: number): void {
    if (!this.tryPrepare(stream, words, worth)) throw this.full()
  }

  /** What says that no segment could be had. */
  full(): HeddleError {
    return new HeddleError(
      'HEDDLE_FULL',
      `the arena of ${this.words.length * 4} bytes is full; delete entries, or open the store with more memory`,
    )
  }

  /** As `prepare`. @returns whether there is room now */
  tryPrepare(stream: number, words: number, worth: number): boolean {
    if (this.available(stream) >= words) return true
    assert(words <= this.segmentWords, 'a block larger than a segment')
    const segment = this.take(stream, words, worth)
    if (segment === 0) return this.available(stream) >= words
    this.sealStream(stream)
    this.openIn(stream, segment)
    return true
  }

  /**
   * Goes on in a free segment if there is one: for what must not leave its critical region. Whatever was appended to the
   * stream has to be linked or aborted by now.
   */
  takeFree(stream: number, words: number): boolean {
    if (words > this.segmentWords) return false
    const segment = this.segments.open(false)
    if (segment === 0) return false
    this.sealStream(stream)
    this.openIn(stream, segment)
    return true
  }

  private openIn(stream: number, segment: number): void {
    const start = this.segments.start(segment)
    this.segmentOfStream[stream] = segment
    this.cursor[stream] = start
    this.limit[stream] = start + this.segmentWords
  }

  /**
   * Opens a segment, cleaning and waiting within limits; the reserve is touched only if that was in vain. Cleaning may
   * itself have appended to the stream, in a new segment with room for `words`; then 0 comes back, as when there is none.
   */
  private take(stream: number, words: number, worth: number): number {
    const { segments } = this
    const rounds = ROUNDS[worth]
    let most = 0
    let vain = 0
    for (let round = 0; round < rounds; round++) {
      const segment = segments.open(false)
      if (segment !== 0) return segment
      ring(this.words, GLOBAL_CLEANER_BELL)
      const cleaned = this.makeRoom(vain)
      const waiting = this.scheme.flush()
      segments.collectStale()
      if (this.available(stream) >= words) return 0
      const free = segments.countFree(segments.reserve + 1)
      if (free > segments.reserve) continue
      // Cleaning that gains nothing, because all segments are nearly full, must come to an end.
      vain = free > most ? 0 : vain + 1
      most = Math.max(most, free)
      if (!cleaned && worth === ROOM_PROMISED) break
      if (waiting === 0 && (vain > VAIN_ROUNDS || (!cleaned && round > 2))) break
      // Somebody's pin holds the epoch: give it time to go on.
      const bell = Atomics.load(this.words, GLOBAL_CLEANER_BELL)
      if (waiting > 0 && round > 1) park(this.words, GLOBAL_CLEANER_BELL, bell, PATIENCE_MS)
    }
    const segment = segments.open(false)
    return segment === 0 && worth === ROOM_PROMISED ? this.takeReserve() : segment
  }

  private takeReserve(): number {
    for (let round = 0; round < PATIENCE_ROUNDS; round++) {
      const segment = this.segments.open(true)
      if (segment !== 0) return segment
      if (this.scheme.flush() === 0 && round > 2) break
      const bell = Atomics.load(this.words, GLOBAL_CLEANER_BELL)
      if (round > 1) park(this.words, GLOBAL_CLEANER_BELL, bell, PATIENCE_MS)
    }
    return 0
  }

  /**
   * Reserves words in the stream's open segment. Private to the caller until `complete` and the CAS that links it.
   * @returns the address, or 0 if the open segment has not that much left (see `prepare`)
   */
  reserve(stream: number, words: number): number {
    const address = this.cursor[stream]
    if (this.limit[stream] - address < words) return 0
    this.cursor[stream] = address + words
    return address
  }

  /** Gives back the end of the newest reservation of the stream. Nothing may have been written there. */
  trim(stream: number, end: number): void {
    this.cursor[stream] = end
  }

  /** Completes a reserved block: its payload is written, the header makes it a block. Publishes it to walkers. */
  complete(address: number, header: number): void {
    Atomics.store(this.words, address, header)
  }

  /**
   * Abandons a block that was not linked. The newest one of its stream is rolled back, any other one becomes dead words.
   */
  abort(stream: number, address: number, words: number): void {
    if (this.cursor[stream] === address + words && this.segmentOfStream[stream] === this.segments.segmentOf(address)) {
      Atomics.store(this.words, address, 0)
      this.words.fill(0, address, address + words)
      this.cursor[stream] = address
      return
    }
    this.unlink(address)
  }

  /**
   * Marks an unlinked block dead and accounts for its words, once however many threads try.
   * The caller is pinned since before the block was unlinked, or the block was never linked.
   */
  unlink(address: number): boolean {
    // Pinned also when the caller need not be: what is accounted for must be this use of the segment, not its next one.
    this.scheme.enter()
    const done = this.unlinkKnown(address, Atomics.load(this.words, address))
    this.scheme.leave()
    return done
  }

  /** As `unlink`, for a caller who is pinned, and has loaded the block's header since. */
  unlinkKnown(address: number, header: number): boolean {
    if (isDead(header) || !isBlock(header)) return false
    if (Atomics.compareExchange(this.words, address, header, dead(header)) !== header) return false
    this.segments.addDead(this.segments.segmentOf(address), wordsOf(header))
    return true
  }

  /**
   * Goes on in another segment while the full one stays open: for blocks that are linked only later, all together.
   * @returns whether there was room
   */
  extend(stream: number): boolean {
    const segment = this.take(stream, this.segmentWords, ROOM_ORDINARY)
    if (segment === 0) return false
    if (this.segmentOfStream[stream] !== 0) {
      this.unsealed.push(this.segmentOfStream[stream])
      this.unsealedEnds.push(this.cursor[stream])
    }
    this.openIn(stream, segment)
    return true
  }

  /** Seals what `extend` left open, after the blocks were linked or aborted. */
  sealExtended(): void {
    while (this.unsealed.length > 0) {
      const segment = this.unsealed.pop()!
      this.segments.seal(segment, this.unsealedEnds.pop()! - this.segments.start(segment))
    }
  }

  private sealStream(stream: number): void {
    const segment = this.segmentOfStream[stream]
    if (segment === 0) return
    this.segmentOfStream[stream] = 0
    const used = this.cursor[stream] - this.segments.start(segment)
    this.cursor[stream] = 0
    this.limit[stream] = 0
    this.segments.seal(segment, used)
  }

  /** Seals every open segment of this participant. */
  sealAll(): void {
    this.sealExtended()
    for (let stream = 0; stream < STREAMS; stream++) this.sealStream(stream)
  }
}
