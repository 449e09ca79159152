/**
 * The shared log: one ring in the arena in which all threads reserve slots. The order of slots is the order of commits.
 *
 * A slot is a number of granules (32 bytes). Its header is one word in a table beside the ring, at the index of its first
 * granule, so that no header word ever holds payload:
 *
 *   bits 0-1 state | 2-9 participant slot of the owner | 10-21 granules | 22-31 lap
 *
 *   granules: up to 2,047 as they are; with the top bit, so many times 512. A longer slot is rounded up to that, and longer
 *   padding is made of several pieces.
 *
 *   state 0 FREE      nobody's yet; with granules not 0: SEALED, nobody may reserve here
 *         1 RESERVED  by the participant
 *         2 COMPLETE  the payload is there
 *         3 VOID      no content: aborted, or padding up to the ring's end
 *
 * Words, each group on a line of its own:
 *   CURSOR    where the next slot begins, or somewhat before: whoever finds a header there moves it on
 *   RELEASED  up to where the ring may be written again (consumer)
 *   STABLE    up to where all slots are durable (consumer)
 *   PROGRESS  bell: rung when STABLE, RELEASED or STATE has changed
 *   BELL      the consumer parks here; IDLE says that it does
 *   CLAIM     label + 1 of the consumer; STATE, SYNCING, ROOM and the file record are the committer's (log-committer.ts)
 *
 * A *position* counts granules since the arena was made, modulo 2^31. Its *lap* is how often the ring has been gone round,
 * modulo 1,024.
 *
 * Invariants
 *   1. A reservation is the CAS of the header at the frontier from FREE of this lap to RESERVED. So a slot names its owner
 *      from the first moment, and there is no state in which a dead thread has room that nobody knows the length of.
 *      The cursor is only a hint, which anybody may move on.
 *   2. A header of the lap before can be met by no one: `release` writes FREE of the next lap to all of them before the
 *      room is given out. A thread that was stopped before its CAS fails, unless it slept for a multiple of 1,024 laps (16
 *      MiB of log in the smallest ring of a store). Then it has a slot that is not where it thinks, and perhaps without room:
 *      it sees that its position is not within a ring of RELEASED, which its slot holds up, gives the slot up, writes nothing.
 *   3. At least one granule is never reserved, but for such a slot, so that the header at the frontier is FREE of its lap.
 *   4. RESERVED is left by its owner, or by the reaper of its owner: the participant's slot is not given to another one
 *      before the reaper's hooks are done, so the slot's number needs no generation. Or, by `settle`, by whoever brings to
 *      an end what the slot was made for.
 *   5. Slots below STABLE are finished; RELEASED <= STABLE <= frontier; RELEASED <= CURSOR.
 *
 * Payload is plain memory: written by the owner between `reserve` and `complete`, read by the consumer after it has loaded
 * COMPLETE, written again by a next owner who has loaded the RELEASED that the consumer stored after its last read.
 *
 * Progress: `reserve` is lock-free, except that a full ring refuses it; `complete`, `abort` wait-free; waits have limits.
 * Death: a RESERVED slot, which holds up STABLE until its owner is reaped. Nothing else: headers at the
 * frontier are moved past by anybody.
 * Thread safety: all methods by any thread, those of the consumer by the holder of the claim.
 */
import { assert } from '../memory/assert.ts'
import { LINE_WORDS } from '../memory/layout.ts'
import { listen, park, ring } from '../memory/parking.ts'
import { parkAsync } from './async-parking.ts'
import { TYPE_FIRST_OF_USERS } from './log-format.ts'
import { IN_UNITS, MOST_UNITS, UNIT_SHIFT, exactPart } from './slot-length.ts'

/** What `reserve` says if there is no room now. */
export const LOG_FULL = -1
/** What `reserve` says if the log is sealed. */
export const LOG_SEALED = -2

export const GRANULE_WORDS = 8
/** Words at the beginning of a slot that belong to the record's header. */
export const SLOT_HEADER_WORDS = 4

const FREE = 0
const RESERVED = 1
const COMPLETE = 2
const VOID = 3
const STATE_MASK = 3
const OWNER_SHIFT = 2
const OWNER_MASK = 0xff
const GRANULES_SHIFT = 10
const GRANULES_MASK = 0xfff
const LAP_SHIFT = 22
const LAP_MASK = 0x3ff
const POSITION_MASK = 0x7fffffff
const SEALED_GRANULES = GRANULES_MASK

const CURSOR = 0
const RELEASED = LINE_WORDS
const STABLE = 2 * LINE_WORDS
const PROGRESS = 3 * LINE_WORDS
const BELL = 4 * LINE_WORDS
const IDLE = 4 * LINE_WORDS + 1
/** What IDLE says. */
const WANTS_WORK = 1
const KEEPS_PACE = 2
const CLAIM = 5 * LINE_WORDS
/** Words 5 * LINE + 1 to + 16: of the committer. */
export const COMMITTER_WORDS = 5 * LINE_WORDS + 1
const CONTROL_WORDS = 6 * LINE_WORDS

/** Granules of the smallest and of the largest ring. */
export const MIN_RING_GRANULES = 4
export const MAX_RING_GRANULES = 2 ** 21

/** How far `to` lies ahead of `from`, 0 to 2^31 - 1. */
export function distance(from: number, to: number): number {
  return (to - from) & POSITION_MASK
}

export class SharedLog {
  readonly words: Int32Array
  /** Word index of the control words. */
  readonly at: number
  readonly granules: number
  /** The longest slot, in granules: with the padding before it, it must fit into the ring. */
  readonly maxSlot: number
  private readonly headersAt: number
  private readonly ringAt: number
  private readonly shift: number

  /**
   * A view of the log; all threads must give the same numbers. The words must be 0 when the first one begins.
   * @param granules of the ring, a power of two
   */
  constructor(words: Int32Array, at: number, granules: number) {
    assert(
      granules >= MIN_RING_GRANULES && granules <= MAX_RING_GRANULES && (granules & (granules - 1)) === 0,
      'a ring has a power of two of granules',
    )
    this.words = words
    this.at = at
    this.granules = granules
    this.maxSlot = Math.min(granules / 2, MOST_UNITS << UNIT_SHIFT)
    this.headersAt = at + CONTROL_WORDS
    this.ringAt = this.headersAt + granules
    this.shift = 31 - Math.clz32(granules)
  }

  /** Words that a log of so many granules takes. */
  static wordsFor(granules: number): number {
    return CONTROL_WORDS + granules + granules * GRANULE_WORDS
  }

  /** Granules that a payload takes. */
  static granulesFor(payloadBytes: number): number {
    return (payloadBytes + SLOT_HEADER_WORDS * 4 + GRANULE_WORDS * 4 - 1) >>> 5
  }

  /** Granules that a slot takes that is to have so many. */
  static rounded(granules: number): number {
    if (granules < IN_UNITS) return granules
    return ((granules + (1 << UNIT_SHIFT) - 1) >>> UNIT_SHIFT) << UNIT_SHIFT
  }

  /**
   * Takes the next slot.
   * @param owner the participant's slot
   * @param wanted granules, 1 to `maxSlot`; the slot has `rounded(wanted)`
   * @returns its position, or LOG_FULL, or LOG_SEALED. Then nothing has changed, but perhaps for padding
   */
  reserve(owner: number, wanted: number): number {
    assert(wanted > 0 && wanted <= this.maxSlot, 'a slot is too long for the log')
    const granules = SharedLog.rounded(wanted)
    const { words, at } = this
    for (;;) {
      const position = Atomics.load(words, at + CURSOR)
      const toEnd = this.granules - (position & (this.granules - 1))
      const padding = granules > toEnd ? toEnd : 0
      const room = this.granules - 1 - distance(Atomics.load(words, at + RELEASED), position)
      if (room < padding + granules) {
        if (Atomics.load(words, at + CURSOR) !== position) continue
        if (this.moveOn(position)) continue
        return this.isSealedAt(position) ? LOG_SEALED : LOG_FULL
      }
      const taken = padding > 0 ? exactPart(padding) : granules
      const header = this.headerFor(position, padding > 0 ? VOID : RESERVED, owner, taken)
      const index = this.headerIndex(position)
      if (Atomics.compareExchange(words, index, this.freeAt(position), header) === this.freeAt(position)) {
        Atomics.compareExchange(words, at + CURSOR, position, (position + taken) & POSITION_MASK)
        if (padding > 0) continue
        if (distance(Atomics.load(words, at + RELEASED), position) < this.granules) return position
        this.settle(position, false)
      } else if (!this.moveOn(position) && this.isSealedAt(position)) return LOG_SEALED
    }
  }

  /** Word index of a slot's payload; it lies in one piece, `granules * 8 - 4` words long. */
  payloadAt(position: number): number {
    return this.slotAt(position) + SLOT_HEADER_WORDS
  }

  /** Word index of a slot. */
  slotAt(position: number): number {
    return this.ringAt + (position & (this.granules - 1)) * GRANULE_WORDS
  }

  /**
   * The payload is there. To be called by the owner.
   * @param type at least 16
   * @param payloadBytes of the slot that mean something
   */
  complete(position: number, type: number, payloadBytes: number): void {
    const index = this.headerIndex(position)
    const header = Atomics.load(this.words, index)
    assert((header & STATE_MASK) === RESERVED, 'only a reserved slot is completed')
    this.describe(position, type, payloadBytes)
    Atomics.store(this.words, index, (header & ~STATE_MASK) | COMPLETE)
  }

  /** Says what a reserved slot holds, so that `settle` can complete it. To be called by the owner. Parameters as above. */
  describe(position: number, type: number, payloadBytes: number): void {
    const slot = this.slotAt(position)
    assert(type >= TYPE_FIRST_OF_USERS, 'a type of the floor above')
    this.words[slot + 1] = payloadBytes
    this.words[slot + 2] = type
  }

  /**
   * Completes a slot that has been described, or gives it up, unless it is finished already. Any thread to which the owner
   * has made the slot known; all who call it for one slot must agree.
   * @returns whether it was this call
   */
  settle(position: number, isComplete: boolean): boolean {
    const index = this.headerIndex(position)
    const header = Atomics.load(this.words, index)
    if (this.lapIn(header) !== this.lapOf(position) || (header & STATE_MASK) !== RESERVED) return false
    const next = (header & ~STATE_MASK) | (isComplete ? COMPLETE : VOID)
    return Atomics.compareExchange(this.words, index, header, next) === header
  }

  /** Gives a slot up. To be called by the owner. */
  abort(position: number): void {
    const index = this.headerIndex(position)
    const header = Atomics.load(this.words, index)
    assert((header & STATE_MASK) === RESERVED, 'only a reserved slot is aborted')
    Atomics.store(this.words, index, header | VOID)
  }

  /** Where a slot of so many granules ends. */
  endOf(position: number, granules: number): number {
    return (position + granules) & POSITION_MASK
  }

  /** Up to where all is durable. */
  stable(): number {
    return Atomics.load(this.words, this.at + STABLE)
  }

  /** Whether everything before `end` is durable. `end` must not be older than 2^30 granules. */
  isStable(end: number): boolean {
    return distance(end, this.stable()) < 2 ** 30
  }

  /** The present frontier: everything that was reserved before the call lies before it. */
  frontier(): number {
    for (;;) {
      const position = Atomics.load(this.words, this.at + CURSOR)
      if (!this.moveOn(position) && Atomics.load(this.words, this.at + CURSOR) === position) return position
    }
  }

  /** What to give to `waitProgress` after having looked at `stable()` and at the room there is. */
  listenProgress(): number {
    return listen(this.words, this.at + PROGRESS)
  }

  /** Waits until the consumer has got on, or failed, since `heard`, at most `budgetMs`. Never inside a critical region. */
  waitProgress(heard: number, budgetMs: number): void {
    park(this.words, this.at + PROGRESS, heard, budgetMs)
  }

  /** As `waitProgress`, without blocking the thread. */
  hearProgress(heard: number, budgetMs: number): Promise<void> {
    return parkAsync(this.words, this.at + PROGRESS, heard, budgetMs)
  }

  /** Tells the consumer that there is something; wakes it if it sleeps for want of that. */
  nudge(): void {
    if (Atomics.load(this.words, this.at + IDLE) === WANTS_WORK) ring(this.words, this.at + BELL)
  }

  /** Wakes the consumer if it sleeps, also if it only keeps a pace: somebody waits for it. */
  wake(): void {
    if (Atomics.load(this.words, this.at + IDLE) !== 0) ring(this.words, this.at + BELL)
  }

  /** Lets nobody reserve from now on. @returns the frontier, where it stays until `unseal` */
  seal(): number {
    for (;;) {
      const position = this.frontier()
      const sealed = this.headerFor(position, FREE, 0, SEALED_GRANULES)
      const found = Atomics.compareExchange(this.words, this.headerIndex(position), this.freeAt(position), sealed)
      if (found === this.freeAt(position) || found === sealed) return position
    }
  }

  /** Lets everybody reserve again. */
  unseal(): void {
    const position = this.frontier()
    const sealed = this.headerFor(position, FREE, 0, SEALED_GRANULES)
    Atomics.compareExchange(this.words, this.headerIndex(position), sealed, this.freeAt(position))
  }

  isSealed(): boolean {
    return this.isSealedAt(this.frontier())
  }

  /** Position of the first slot that a participant has reserved and nobody has finished; -1 if there is none. O(slots) */
  reservedBy(owner: number): number {
    let position = this.stable()
    for (;;) {
      const header = Atomics.load(this.words, this.headerIndex(position))
      if (this.lapIn(header) !== this.lapOf(position)) {
        position = this.stable() // It has moved on, or nothing would have been released.
        continue
      }
      if ((header & STATE_MASK) === FREE) return -1
      if ((header & STATE_MASK) === RESERVED && ((header >>> OWNER_SHIFT) & OWNER_MASK) === owner) return position
      position = (position + this.granulesIn(header)) & POSITION_MASK
    }
  }

  /** Whether there is room for so many granules now, padding included. */
  hasRoom(granules: number): boolean {
    const position = this.frontier()
    const toEnd = this.granules - (position & (this.granules - 1))
    const needed = SharedLog.rounded(granules) + (SharedLog.rounded(granules) > toEnd ? toEnd : 0)
    return this.granules - 1 - distance(Atomics.load(this.words, this.at + RELEASED), position) >= needed
  }

  // The consumer's part.

  /** Becomes the consumer. @param label of the participant @returns false if there is another one */
  claim(label: number): boolean {
    return Atomics.compareExchange(this.words, this.at + CLAIM, 0, label + 1) === 0
  }

  /** Ends being the consumer; also what a reaper does for a dead one. @returns whether it was the consumer */
  unclaim(label: number): boolean {
    return Atomics.compareExchange(this.words, this.at + CLAIM, label + 1, 0) === label + 1
  }

  /** Granules of the finished slot at a position, 0 if there is none. */
  finishedAt(position: number): number {
    const header = Atomics.load(this.words, this.headerIndex(position))
    if (this.lapIn(header) !== this.lapOf(position) || (header & COMPLETE) === 0) return 0
    return this.granulesIn(header)
  }

  /** Whether a finished slot has content. */
  isComplete(position: number): boolean {
    return (Atomics.load(this.words, this.headerIndex(position)) & STATE_MASK) === COMPLETE
  }

  /** Type of a complete slot. */
  typeAt(position: number): number {
    return this.words[this.slotAt(position) + 2] & 0xff
  }

  /** Payload bytes of a complete slot. */
  lengthAt(position: number): number {
    return this.words[this.slotAt(position) + 1]
  }

  /** Everything before `position` is durable. Follow it by `release` and `announce`. */
  setStable(position: number): void {
    Atomics.store(this.words, this.at + STABLE, position)
  }

  /**
   * Gives out the room before `position`, which must not be read any more. O(granules)
   * Death in the middle: the next consumer does it again, from RELEASED on.
   */
  release(position: number): void {
    // A thread that died between the header and the cursor has left the cursor behind. It must not be overtaken: its
    // header would be of a lap that nobody there expects.
    this.frontier()
    const from = Atomics.load(this.words, this.at + RELEASED)
    const count = distance(from, position)
    for (let i = 0; i < count; i++) {
      const granule = (from + i) & POSITION_MASK
      Atomics.store(this.words, this.headerIndex(granule), this.freeAt((granule + this.granules) & POSITION_MASK))
    }
    Atomics.store(this.words, this.at + RELEASED, position)
  }

  /** Tells those who wait that something has changed. */
  announce(): void {
    ring(this.words, this.at + PROGRESS)
  }

  /**
   * The consumer sleeps until it is nudged, at most `budgetMs`; not if there is a finished slot at `position`, unless it
   * is to sleep `anyway`: then it has to be woken.
   * @param isWanted whether somebody wants it who may have rung before it said that it sleeps
   */
  sleep(position: number, budgetMs: number, isWanted: () => boolean, anyway = false): void {
    const { words, at } = this
    const heard = listen(words, at + BELL)
    Atomics.store(words, at + IDLE, anyway ? KEEPS_PACE : WANTS_WORK)
    if (!isWanted() && (anyway || this.finishedAt(position) === 0)) park(words, at + BELL, heard, budgetMs)
    Atomics.store(words, at + IDLE, 0)
  }

  /** One of the committer's words. */
  load(word: number): number {
    return Atomics.load(this.words, this.at + COMMITTER_WORDS + word)
  }

  store(word: number, value: number): void {
    Atomics.store(this.words, this.at + COMMITTER_WORDS + word, value)
  }

  /** Moves the cursor past the slot at `position`. @returns false if there is none of this lap */
  private moveOn(position: number): boolean {
    const header = Atomics.load(this.words, this.headerIndex(position))
    // A header of another lap: the position is old.
    if (this.lapIn(header) !== this.lapOf(position)) return Atomics.load(this.words, this.at + CURSOR) !== position
    if ((header & STATE_MASK) === FREE) return false
    const next = (position + this.granulesIn(header)) & POSITION_MASK
    Atomics.compareExchange(this.words, this.at + CURSOR, position, next)
    return true
  }

  private isSealedAt(position: number): boolean {
    return Atomics.load(this.words, this.headerIndex(position)) === this.headerFor(position, FREE, 0, SEALED_GRANULES)
  }

  private headerIndex(position: number): number {
    return this.headersAt + (position & (this.granules - 1))
  }

  private lapOf(position: number): number {
    return (position >>> this.shift) & LAP_MASK
  }

  private lapIn(header: number): number {
    return header >>> LAP_SHIFT
  }

  private granulesIn(header: number): number {
    const field = (header >>> GRANULES_SHIFT) & GRANULES_MASK
    return field < IN_UNITS ? field : (field - IN_UNITS) << UNIT_SHIFT
  }

  private freeAt(position: number): number {
    return this.lapOf(position) << LAP_SHIFT
  }

  private headerFor(position: number, state: number, owner: number, granules: number): number {
    const field = granules < IN_UNITS || state === FREE ? granules : (granules >>> UNIT_SHIFT) | IN_UNITS
    return (this.lapOf(position) << LAP_SHIFT) | (field << GRANULES_SHIFT) | (owner << OWNER_SHIFT) | state
  }
}
