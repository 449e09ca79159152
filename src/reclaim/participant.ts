/**
 * Participant slots: one per attached store instance, PARTICIPANT_WORDS each, written by their owner only except where
 * a word is CASed.
 *
 *   line 0   state: epoch << 1 | pinned                                  (owner stores; everyone reads)
 *   line 1   owner word, thread's name, intents, garbage list, consumer claim
 *   line 2-3 counters                                                    (owner stores; stats() reads)
 *
 * The owner word is `generation << 10 | by << 2 | status`. Whoever may change it is alone in that state (the claimant whose
 * thread id is in the slot, the owner, the reaper named by `by`) or CASes it:
 *   FREE -> LIVE (attach) -> DRAINING (detach) -> FREE (when its garbage is gone)
 *                 LIVE -> REAPING by slot `by` (its thread is dead) -> DRAINING
 * Death: a dead owner leaves LIVE behind until its parent sees the thread's exit; a dead reaper leaves REAPING, which
 * whoever reaps the reaper takes over.
 */
import { HeddleError } from '../memory/error.ts'
import type { Arena } from '../memory/arena.ts'
import { GLOBAL_PARTICIPANTS, PARTICIPANT_WORDS } from '../memory/layout.ts'
import { labelOf } from './ownership.ts'

export const STATE = 0
export const OWNER = 16
/** Who answers for the slot: a thread's id, and low bits of the generation (`nameOf`); 0 if nobody does. */
export const THREAD = 17
/** A page id that is installed in the page table but perhaps not yet linked into the structure above. */
export const INTENT_PAGE = 18
export const INTENT_POP_PAGE = 19
export const INTENT_POP_SEGMENT = 20
export const GARBAGE_HEAD = 21
export const GARBAGE_TAIL = 22
export const CONSUMER = 23
/** As INTENT_PAGE, for the second page of a root split. */
export const INTENT_PAGE_TWO = 24
/** The batch that the owner brings to its end, 0 if none. */
export const INTENT_BATCH = 25
/** What the owner's slot of the journal is filled with: a record, minus a batch, or 0. */
export const INTENT_CHANGE = 26
const COUNTERS = 32

/** Counters of a participant. Entries are inserts less deletes: two sums that only grow, so that a change shows. */
export const COUNTER = {
  inserts: 0,
  deletes: 15,
  splits: 1,
  merges: 2,
  pageIdsRetired: 3,
  pageIdsReused: 4,
  segmentsCleaned: 5,
  retired: 6,
  freed: 7,
  consolidations: 8,
  relocatedWords: 9,
  segmentsOpened: 10,
  segmentsReleased: 11,
  reaped: 12,
  rootSplits: 13,
  rootCollapses: 14,
  /** Words of versions that were kept for snapshots, and of such as were let go again: two sums that only grow. */
  keptWords: 16,
  unkeptWords: 17,
  snapshots: 18,
  snapshotsExpired: 19,
  /** Blocks of tables that were looked for in the cache, and found or not. */
  cacheHits: 20,
  cacheMisses: 21,
  /** Records brought up into a partial tree, and records and tombstones that left it. */
  fills: 24,
  evictions: 25,
} as const
export type CounterName = keyof typeof COUNTER

export const STATUS_FREE = 0
export const STATUS_LIVE = 1
export const STATUS_REAPING = 2
export const STATUS_DRAINING = 3

const GENERATION_SHIFT = 10
const GENERATION_MASK = 0xfffff

const NAME_ID_BITS = 24
const NAME_IDS = 2 ** NAME_ID_BITS - 1
const NAME_GENERATIONS = 0xff

/**
 * How a thread is named in a slot of a generation. The generation is part of it so that whoever read a name long ago
 * does not take the next tenure of the same thread for the one it saw.
 */
export function nameOf(threadId: number, generation: number): number {
  return ((generation & NAME_GENERATIONS) << NAME_ID_BITS) | (1 + (threadId % NAME_IDS))
}

/** Another name of the same thread. */
export function renewed(name: number): number {
  return name ^ (1 << (NAME_ID_BITS + 7))
}

/** Whether a name is that of a thread, in whatever generation. */
export function names(name: number, threadId: number): boolean {
  return (name & NAME_IDS) === 1 + (threadId % NAME_IDS)
}

export function statusOf(owner: number): number {
  return owner & 3
}

export function reaperOf(owner: number): number {
  return (owner >>> 2) & 0xff
}

export function generationOf(owner: number): number {
  return (owner >>> GENERATION_SHIFT) & GENERATION_MASK
}

export function ownerWord(status: number, by: number, generation: number): number {
  return ((generation & GENERATION_MASK) << GENERATION_SHIFT) | (by << 2) | status
}

/** The owner's view of its slot. */
export class Participant {
  readonly slot: number
  readonly generation: number
  readonly label: number
  /** What the slot calls its thread. */
  readonly name: number
  /** Word index of the slot. */
  readonly at: number
  private readonly words: Int32Array
  /** Private mirrors of the counters, so that counting is one store. */
  private readonly counts = new Int32Array(32)

  constructor(arena: Arena, slot: number, generation: number, name: number) {
    this.slot = slot
    this.name = name
    this.generation = generation
    this.label = labelOf(slot, generation)
    this.at = arena.layout.participantsAt + slot * PARTICIPANT_WORDS
    this.words = arena.words
    // Counters go on from what earlier owners of the slot left, since they are summed over all slots.
    for (let i = 0; i < 32; i++) this.counts[i] = Atomics.load(arena.words, this.at + COUNTERS + i)
  }

  /** Adds to one of the owner's counters. */
  count(counter: number, by: number): void {
    const value = (this.counts[counter] += by)
    Atomics.store(this.words, this.at + COUNTERS + counter, value)
  }
}

/** Word index of a slot. */
export function slotAt(arena: Arena, slot: number): number {
  return arena.layout.participantsAt + slot * PARTICIPANT_WORDS
}

/** One past the highest slot ever used. */
export function slotsUsed(arena: Arena): number {
  return Atomics.load(arena.words, GLOBAL_PARTICIPANTS)
}

/** Sum of one counter over all slots, wrapped to 32 bits. Not a snapshot. */
export function sumCounter(arena: Arena, counter: number): number {
  let sum = 0
  const used = slotsUsed(arena)
  for (let slot = 0; slot < used; slot++) {
    sum = (sum + Atomics.load(arena.words, slotAt(arena, slot) + COUNTERS + counter)) | 0
  }
  return sum
}

/** Number of slots whose owner lives. */
export function countLive(arena: Arena): number {
  let live = 0
  const used = slotsUsed(arena)
  for (let slot = 0; slot < used; slot++) {
    if (statusOf(Atomics.load(arena.words, slotAt(arena, slot) + OWNER)) === STATUS_LIVE) live++
  }
  return live
}

/**
 * Takes a free slot for this thread.
 * @param threadId what the parent will name when it reports this thread's death
 * @returns the participant, or undefined if every slot is taken (some may be draining: collect and try again)
 * Complexity: O(slots). Progress: lock-free.
 */
export function claimSlot(arena: Arena, threadId: number): Participant | undefined {
  const { words, layout } = arena
  for (let slot = 0; slot < layout.maxParticipants; slot++) {
    const at = slotAt(arena, slot)
    const free = Atomics.load(words, at + OWNER)
    if (statusOf(free) !== STATUS_FREE) continue
    const generation = (generationOf(free) + 1) & GENERATION_MASK
    const name = nameOf(threadId, generation)
    // The thread id comes first: a LIVE slot always names the thread whose death frees it. A thread that dies right
    // here leaves its id in a FREE slot, where the reaper looks too.
    if (Atomics.compareExchange(words, at + THREAD, 0, name) !== 0) continue
    // Read again: the slot may have been taken and nearly given up since. While it is FREE, the id above guards it.
    if (Atomics.load(words, at + OWNER) !== free) {
      Atomics.compareExchange(words, at + THREAD, name, 0)
      continue
    }
    // Counted before it lives: whoever looks for slots to be given up must not pass over one that its thread died in.
    raiseSlotsUsed(arena, slot + 1)
    Atomics.store(words, at + OWNER, ownerWord(STATUS_LIVE, 0, generation))
    return new Participant(arena, slot, generation, name)
  }
  return undefined
}

function raiseSlotsUsed(arena: Arena, to: number): void {
  for (;;) {
    const used = slotsUsed(arena)
    if (used >= to) return
    if (Atomics.compareExchange(arena.words, GLOBAL_PARTICIPANTS, used, to) === used) return
  }
}

export function tooManyThreads(limit: number): HeddleError {
  return new HeddleError(
    'HEDDLE_TOO_MANY_THREADS',
    `all ${limit} participant slots are taken; close stores that are no longer used, or open with a larger maxThreads`,
  )
}
