/**
 * A cache of decompressed blocks in shared memory, used by all threads without a lock.
 *
 * A block is found by its file and offset. Files are never changed and their ids never used again, so what is cached never
 * becomes wrong; blocks of a removed file are simply not asked for any more.
 *
 * The cache is set associative: a hash of (file, offset) names a set of `ways` slots, and the block is in one of them or
 * not cached. A slot leads to a frame, which holds one block and is immutable while anybody can reach it:
 *
 *   slots    two words each: (tag << 20 | frame + 1), 0 if empty; referenced since the hand last came by
 *   states   an ownership word (reclaim/ownership.ts) for each frame:
 *              0 never used    HELD|label being filled    1 in use    RETIRED|epoch waiting for readers to leave
 *   frames   0 file   1 offset in the file   2 length in bytes   3 unused   4.. payload
 *
 * There are more frames than slots, since a frame that was evicted can be filled again only two epochs later.
 *
 * Why no reader sees a frame change: a reader is pinned from before it loads a slot until after its last look at the
 * frame. A frame is written by whoever holds it, who took it fresh or by CAS from RETIRED after its epoch had passed, and
 * it was retired after the CAS that took it out of its slot (reclaim/epoch.ts has the rest of the argument). Its plain
 * stores are ordered before a reader's plain loads by the CAS that publishes it. There is no ABA at a slot: its evictor is
 * pinned, and a frame that it saw there cannot be filled and come back meanwhile.
 *
 * Eviction: second chance within the set. Two threads that miss the same block at the same time may both cache it; the
 * copies are equal, and the one not found ages out.
 *
 * Thread safety: an instance belongs to one participant, the region is shared. Progress: `lookup` is wait-free,
 * O(ways); `fill` is wait-free and may give up, since a cache need not keep anything: when no frame has passed its epoch,
 * or others were faster. Neither allocates.
 * Death: a dead thread leaves a frame HELD by its label, or one in use that it took out of its slot and did not retire.
 * The hook of its reap finds both, since the state word and the slots tell all; until then they are lost to the cache.
 */
import type { Arena } from '../memory/arena.ts'
import { FRAME_HEADER_BYTES } from './block-frame.ts'
import { LINE_WORDS } from '../memory/layout.ts'
import { hasPassed } from '../reclaim/garbage.ts'
import { FRESH, held, isHeld, isRetired, payloadOf, retired } from '../reclaim/ownership.ts'
import { COUNTER, type Participant } from '../reclaim/participant.ts'
import type { Scheme } from '../reclaim/scheme.ts'

const IN_USE = 1
const SLOT_WORDS = 2
const FRAME_BITS = 20
const FRAME_MASK = (1 << FRAME_BITS) - 1
const TAG_MASK = 0x7ff
const FILE = 0
const OFFSET = 1
const LENGTH = 2
/** As much as a block's header takes in its file, so that a block can be read to where it is cached. */
const PAYLOAD = FRAME_HEADER_BYTES / 4
const DEFAULT_WAYS = 8
/** Frames looked at, from a hand of the thread's own, for one that is free. */
const PROBES = 64
/** Victims tried before a fill gives up. */
const ATTEMPTS = 4
/** Retired frames that a thread remembers, so that it need not search for them. */
const REMEMBERED = 256

/** Where a cache lies and how it is divided: the same in every thread. Immutable. */
export interface CacheGeometry {
  readonly slotsAt: number
  readonly statesAt: number
  readonly framesAt: number
  /** One past its last word. */
  readonly end: number
  readonly sets: number
  readonly ways: number
  readonly frames: number
  readonly frameWords: number
}

/**
 * Divides about `bytes` of the arena, which are zero, into a cache.
 * @param at first word; `end` of the result is one past the last
 * @param blockBytes the largest payload that it can hold
 * @param ways slots of a set
 */
export function placeCache(at: number, bytes: number, blockBytes: number, ways = DEFAULT_WAYS): CacheGeometry {
  const frameWords = PAYLOAD + Math.ceil(blockBytes / 4)
  const most = Math.min(FRAME_MASK - 1, Math.floor(bytes / 4 / (frameWords + 1 + SLOT_WORDS)))
  // A sixteenth waits for its epoch; small caches need more of it, since threads advance the epoch every so many leaves.
  const spare = Math.min(most >>> 1, Math.max(most >>> 4, 64))
  return divideCache(at, Math.max(1, Math.floor((most - spare) / ways)), ways, Math.max(1, spare), frameWords)
}

/** As `placeCache`, with exact numbers. @param spare frames beyond those that slots can lead to */
export function divideCache(at: number, sets: number, ways: number, spare: number, frameWords: number): CacheGeometry {
  const align = (word: number): number => Math.ceil(word / LINE_WORDS) * LINE_WORDS
  const slotsAt = align(at)
  const frames = sets * ways + spare
  const statesAt = align(slotsAt + sets * ways * SLOT_WORDS)
  const framesAt = align(statesAt + frames)
  const end = framesAt + frames * frameWords
  return Object.freeze({ slotsAt, statesAt, framesAt, end, sets, ways, frames, frameWords })
}

export interface CacheReport {
  readonly inSlots: number
  readonly retired: number
  readonly fresh: number
  readonly held: number
  readonly problems: readonly string[]
}

export class BlockCache {
  readonly geometry: CacheGeometry
  /** The largest payload that is cached, in bytes. */
  readonly capacity: number
  /** The arena's bytes: where payloads are read. */
  readonly bytes: Uint8Array
  readonly scheme: Scheme
  /** This thread's counts. */
  hits = 0
  misses = 0
  fills = 0
  evictions = 0
  /** Blocks that were not cached although they fit. */
  bypassed = 0
  private readonly words: Int32Array
  private readonly me: Participant
  private readonly mine: number
  /** A frame HELD by this thread and not published: what the next fill takes. -1 if there is none. */
  private spare = -1
  private hand: number
  private readonly remembered = new Int32Array(REMEMBERED)
  private oldest = 0
  private newest = 0
  private tag = 0

  constructor(arena: Arena, scheme: Scheme, me: Participant, geometry: CacheGeometry) {
    this.geometry = geometry
    this.capacity = (geometry.frameWords - PAYLOAD) * 4
    this.words = arena.words
    this.bytes = arena.bytes
    this.scheme = scheme
    this.me = me
    this.mine = held(scheme.label)
    // Threads begin their searches apart from each other.
    this.hand = (me.slot * PROBES) % geometry.frames
    scheme.onReap((_, label) => this.bringBack(label))
  }

  private slotAt(set: number, way: number): number {
    return this.geometry.slotsAt + (set * this.geometry.ways + way) * SLOT_WORDS
  }

  private frameAt(frame: number): number {
    return this.geometry.framesAt + frame * this.geometry.frameWords
  }

  /** The set of a block; sets `tag` to what its slot is told by. */
  private setOf(file: number, offset: number): number {
    let h = Math.imul(file ^ Math.imul(offset ^ (offset >>> 15), 0x2c1b3c6d), 0x297a2d39)
    h = Math.imul(h ^ (h >>> 15), 0x85ebca6b)
    h ^= h >>> 13
    this.tag = (h >>> 21) & TAG_MASK
    return (h >>> 0) % this.geometry.sets
  }

  /**
   * Finds a block. The caller is pinned, and stays so as long as it looks at the payload.
   * @returns the frame's first word, or 0 if the block is not cached
   */
  lookup(file: number, offset: number): number {
    const frame = this.find(file, offset, this.setOf(file, offset))
    this.me.count(frame === 0 ? COUNTER.cacheMisses : COUNTER.cacheHits, 1)
    if (frame === 0) this.misses++
    else this.hits++
    return frame
  }

  private find(file: number, offset: number, set: number): number {
    const { words, tag } = this
    for (let way = 0; way < this.geometry.ways; way++) {
      const at = this.slotAt(set, way)
      const slot = Atomics.load(words, at)
      if (slot === 0 || slot >>> FRAME_BITS !== tag) continue
      const frame = this.frameAt((slot & FRAME_MASK) - 1)
      // Plain loads: ordered after the filler's stores by the slot just loaded; immutable while we are pinned.
      if (words[frame + FILE] !== file || words[frame + OFFSET] !== (offset | 0)) continue
      if (Atomics.load(words, at + 1) === 0) Atomics.store(words, at + 1, 1)
      return frame
    }
    return 0
  }

  /** Where in `bytes` the payload of a frame begins. */
  payloadAt(frame: number): number {
    return (frame + PAYLOAD) * 4
  }

  /** Bytes of a frame's payload. */
  lengthOf(frame: number): number {
    return this.words[frame + LENGTH]
  }

  /**
   * Caches a block, which the caller has checked, unless that takes waiting. The caller is not pinned.
   * @param offset of the block in its file, a word
   * @returns whether the block is cached now
   */
  fill(file: number, offset: number, payload: Uint8Array): boolean {
    if (payload.length > this.capacity) return false
    const at = this.room()
    if (at < 0) return false
    this.bytes.set(payload, at)
    return this.fillRoom(file, offset, payload.length)
  }

  /**
   * Room for a payload of up to `capacity` bytes, where it can be read to from its file: a frame that is this thread's, and
   * that nobody else looks at, until the next `fill` or `fillRoom`. The caller is not pinned.
   * @returns where in `bytes` the payload begins, and FRAME_HEADER_BYTES before it are the caller's too; -1 if there is none
   */
  room(): number {
    let frame = this.take()
    if (frame < 0) {
      this.scheme.flush()
      frame = this.take()
    }
    if (frame < 0) this.bypassed++
    return frame < 0 ? -1 : this.payloadAt(this.frameAt(frame))
  }

  /** As `fill`, with the first `length` bytes of the room. */
  fillRoom(file: number, offset: number, length: number): boolean {
    const frame = this.spare
    this.spare = -1
    const at = this.frameAt(frame)
    // Private while HELD by this thread: plain stores.
    this.words[at + FILE] = file
    this.words[at + OFFSET] = offset | 0
    this.words[at + LENGTH] = length
    this.scheme.enter()
    const done = this.publish(frame, file, offset)
    this.scheme.leave()
    return done
  }

  private publish(frame: number, file: number, offset: number): boolean {
    const { words } = this
    const set = this.setOf(file, offset)
    const slot = (this.tag << FRAME_BITS) | (frame + 1)
    for (let i = 0; i < ATTEMPTS && this.find(file, offset, set) === 0; i++) {
      const at = this.victim(set)
      const old = Atomics.load(words, at)
      if (Atomics.compareExchange(words, at, old, slot) !== old) continue
      Atomics.store(words, at + 1, 0)
      this.settle(frame, at, slot)
      if (old !== 0) this.evicted((old & FRAME_MASK) - 1)
      this.fills++
      return true
    }
    // Somebody cached it meanwhile, or the set is in great demand.
    this.spare = frame
    return false
  }

  /** What was published is no longer ours. If it has been evicted already, by somebody who then died, nobody else retires it. */
  private settle(frame: number, at: number, slot: number): void {
    const state = this.geometry.statesAt + frame
    if (Atomics.compareExchange(this.words, state, this.mine, IN_USE) !== this.mine) return
    if (Atomics.load(this.words, at) !== slot) this.retireFrom(frame, IN_USE)
  }

  /** The slot whose block is given up: an empty one, or the first that was not referenced. */
  private victim(set: number): number {
    const { words } = this
    const { ways } = this.geometry
    const start = this.hand
    for (let i = 0; i < 2 * ways; i++) {
      const at = this.slotAt(set, (start + i) % ways)
      if (Atomics.load(words, at) === 0 || Atomics.load(words, at + 1) === 0) return at
      Atomics.store(words, at + 1, 0)
    }
    return this.slotAt(set, start % ways)
  }

  /**
   * Retires what this thread took out of its slot, also if its publisher has not settled it: he may be dead, and his
   * reaper may have seen the frame in its slot before.
   */
  private evicted(frame: number): void {
    const at = this.geometry.statesAt + frame
    this.evictions++
    for (;;) {
      const state = Atomics.load(this.words, at)
      if (state !== IN_USE && !isHeld(state)) return
      if (this.retireFrom(frame, state)) return
    }
  }

  /** Retires a frame that is in exactly this state. The epoch is read after the frame left its slot. */
  private retireFrom(frame: number, state: number): boolean {
    const mark = retired(this.scheme.epoch())
    if (Atomics.compareExchange(this.words, this.geometry.statesAt + frame, state, mark) !== state) return false
    if (this.newest - this.oldest < REMEMBERED) this.remembered[this.newest++ % REMEMBERED] = frame
    return true
  }

  /** Takes a frame that nobody can see: HELD by this thread. @returns -1 if none was found */
  private take(): number {
    if (this.spare >= 0) return this.spare
    const { frames } = this.geometry
    if (this.newest > this.oldest) {
      const frame = this.remembered[this.oldest % REMEMBERED]
      const outcome = this.tryTake(frame)
      // Kept only while its epoch has not passed; others may have taken it.
      if (outcome !== WAITS) this.oldest++
      if (outcome === TAKEN) return frame
    }
    for (let i = 0; i < PROBES && i < frames; i++) {
      this.hand = (this.hand + 1) % frames
      if (this.tryTake(this.hand) === TAKEN) return this.hand
    }
    return -1
  }

  private tryTake(frame: number): number {
    const at = this.geometry.statesAt + frame
    const state = Atomics.load(this.words, at)
    if (isRetired(state)) {
      if (!this.hasPassed(payloadOf(state))) return WAITS
    } else if (state !== FRESH) return NOT_FREE
    if (Atomics.compareExchange(this.words, at, state, this.mine) !== state) return NOT_FREE
    this.spare = frame
    return TAKEN
  }

  /** Whether no reader can look at what was retired in `epoch`. */
  private hasPassed(epoch: number): boolean {
    const { scheme } = this
    if (!scheme.reclaims) return false
    // The control that frees at once must be caught here too.
    return scheme.name === 'unsafe' || hasPassed(epoch, scheme.epoch())
  }

  /**
   * Brings back what a participant that died, or leaves, had in its hands. The caller is pinned. Idempotent.
   * O(frames): a state that is read first and a slot that is looked for afterwards tell that a frame left its slot.
   */
  private bringBack(label: number): void {
    const { words } = this
    const { statesAt, frames } = this.geometry
    const theirs = held(label)
    const states = new Int32Array(frames)
    for (let frame = 0; frame < frames; frame++) states[frame] = Atomics.load(words, statesAt + frame)
    const linked = this.linkedFrames()
    for (let frame = 0; frame < frames; frame++) {
      const state = states[frame]
      if (state !== theirs && state !== IN_USE) continue
      if (linked[frame] === 0) this.retireFrom(frame, state)
      else if (state === theirs) Atomics.compareExchange(words, statesAt + frame, theirs, IN_USE)
    }
    // Its own departure: what it held in reserve has been given back.
    if (theirs === this.mine) this.spare = -1
  }

  /** How many slots lead to each frame. */
  private linkedFrames(): Uint8Array {
    const { slotsAt, sets, ways, frames } = this.geometry
    const linked = new Uint8Array(frames)
    for (let i = 0; i < sets * ways; i++) {
      const slot = Atomics.load(this.words, slotsAt + i * SLOT_WORDS)
      if (slot !== 0) linked[(slot & FRAME_MASK) - 1]++
    }
    return linked
  }

  /** Accounts for every frame. Exact when nobody fills. */
  verify(): CacheReport {
    const linked = this.linkedFrames()
    const problems: string[] = []
    const count = { inSlots: 0, retired: 0, fresh: 0, held: 0 }
    for (let frame = 0; frame < this.geometry.frames; frame++) {
      const state = Atomics.load(this.words, this.geometry.statesAt + frame)
      const links = linked[frame]
      if (links > 1) problems.push(`frame ${frame} is in ${links} slots`)
      if (state === IN_USE) count.inSlots++
      else if (isRetired(state)) count.retired++
      else if (isHeld(state)) count.held++
      else count.fresh++
      if ((state === IN_USE) !== (links === 1))
        problems.push(`frame ${frame} in state ${state >>> 0} is in ${links} slots`)
    }
    return { ...count, problems }
  }
}

const TAKEN = 0
const WAITS = 1
const NOT_FREE = 2
