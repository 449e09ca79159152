/**
 * What happens to a participant that leaves or dies.
 *
 * The reaper takes the slot by CAS of its owner word (LIVE of that generation -> REAPING by me), runs every floor's hook
 * while the dead participant's pin still stands, so that nothing the dead could see is recycled meanwhile, and then clears
 * the pin and leaves the slot DRAINING: its garbage is consumed by anyone, and whoever finds the list empty frees the slot.
 *
 * Death of the reaper: every step is idempotent; whoever reaps the reaper takes over the slots it had in REAPING.
 * That a thread is dead is known from its parent's `exit` event (or the kernel), never from a heartbeat.
 */
import type { Arena } from '../memory/arena.ts'
import { GLOBAL_DEATHS } from '../memory/layout.ts'
import { GarbageLists } from './garbage.ts'
import { labelOf } from './ownership.ts'
import {
  CONSUMER,
  COUNTER,
  INTENT_PAGE,
  INTENT_PAGE_TWO,
  INTENT_POP_PAGE,
  INTENT_POP_SEGMENT,
  OWNER,
  type Participant,
  STATE,
  STATUS_DRAINING,
  STATUS_FREE,
  STATUS_LIVE,
  STATUS_REAPING,
  THREAD,
  generationOf,
  nameOf,
  names,
  renewed,
  ownerWord,
  reaperOf,
  slotAt,
  slotsUsed,
  statusOf,
} from './participant.ts'
import type { ReapHook } from './scheme.ts'

interface Pinnable {
  enter(): void
  leave(): void
}

/** Reaps every slot of a dead thread, and the slots it was itself reaping. @returns slots reaped */
export function reapThread(
  scheme: Pinnable,
  arena: Arena,
  me: Participant,
  threadId: number,
  hooks: readonly ReapHook[],
): number {
  const { words, layout } = arena
  let reaped = 0
  for (let slot = 0; slot < layout.maxParticipants; slot++) {
    const at = slotAt(arena, slot)
    const owner = Atomics.load(words, at + OWNER)
    const name = Atomics.load(words, at + THREAD)
    if (!names(name, threadId)) continue
    const generation = generationOf(owner)
    // A slot that reaps itself was being given up by its own thread.
    const selfReaping = statusOf(owner) === STATUS_REAPING && reaperOf(owner) === slot
    if ((statusOf(owner) === STATUS_LIVE || selfReaping) && slot !== me.slot) {
      const mine = ownerWord(STATUS_REAPING, me.slot, generation)
      if (Atomics.compareExchange(words, at + OWNER, owner, mine) !== owner) continue
      // What it was reaping comes first: once its own slot is given up, nobody would look for that any more.
      takeOver(scheme, arena, me, slot, hooks)
      bury(scheme, arena, me, slot, generation, hooks)
      reaped++
    } else if (statusOf(owner) === STATUS_FREE) {
      // It died between naming itself and taking the slot, or between giving it up and taking its name away.
      Atomics.compareExchange(words, at + THREAD, name, 0)
    }
  }
  return reaped
}

/** Finishes the funerals that a dead reaper had begun. */
function takeOver(scheme: Pinnable, arena: Arena, me: Participant, dead: number, hooks: readonly ReapHook[]): void {
  const { words } = arena
  const used = slotsUsed(arena)
  for (let slot = 0; slot < used; slot++) {
    const owner = Atomics.load(words, slotAt(arena, slot) + OWNER)
    if (statusOf(owner) !== STATUS_REAPING || reaperOf(owner) !== dead || slot === dead) continue
    const mine = ownerWord(STATUS_REAPING, me.slot, generationOf(owner))
    if (Atomics.compareExchange(words, slotAt(arena, slot) + OWNER, owner, mine) !== owner) continue
    takeOver(scheme, arena, me, slot, hooks)
    bury(scheme, arena, me, slot, generationOf(owner), hooks)
  }
}

function bury(
  scheme: Pinnable,
  arena: Arena,
  me: Participant,
  slot: number,
  generation: number,
  hooks: readonly ReapHook[],
): void {
  const { words } = arena
  const at = slotAt(arena, slot)
  const label = labelOf(slot, generation)
  scheme.enter()
  try {
    for (let i = 0; i < hooks.length; i++) hooks[i](at, label)
  } finally {
    scheme.leave()
  }
  const used = slotsUsed(arena)
  for (let other = 0; other < used; other++) {
    Atomics.compareExchange(words, slotAt(arena, other) + CONSUMER, label + 1, 0)
  }
  Atomics.add(words, GLOBAL_DEATHS, 1)
  clearIntents(words, at)
  Atomics.store(words, at + STATE, 0)
  Atomics.store(words, at + OWNER, ownerWord(STATUS_DRAINING, 0, generation))
  me.count(COUNTER.reaped, 1)
}

/** The intents are settled: a successor in the slot must not be taken for their author. */
function clearIntents(words: Int32Array, at: number): void {
  Atomics.store(words, at + INTENT_PAGE, 0)
  Atomics.store(words, at + INTENT_PAGE_TWO, 0)
  Atomics.store(words, at + INTENT_POP_PAGE, 0)
  Atomics.store(words, at + INTENT_POP_SEGMENT, 0)
}

/** Ends the tenure of a participant that leaves of its own accord. Its last act: afterwards the slot is not its own. */
export function abdicate(arena: Arena, me: Participant): void {
  clearIntents(arena.words, me.at)
  Atomics.store(arena.words, me.at + STATE, 0)
  Atomics.store(arena.words, me.at + OWNER, ownerWord(STATUS_DRAINING, 0, me.generation))
}

/**
 * Frees a draining slot whose garbage is gone. Any thread may call it (`by` and `label` are its own): the slot is first
 * taken by CAS, so that only one disposes of the list, and a death in between leaves a REAPING slot, which the reaper of
 * that thread takes over.
 * @param name of the calling thread, if `by` is the slot itself: its death is found by that
 */
export function finishDraining(
  arena: Arena,
  lists: GarbageLists,
  slot: number,
  by: number,
  label: number,
  name = 0,
): void {
  const { words } = arena
  const at = slotAt(arena, slot)
  const owner = Atomics.load(words, at + OWNER)
  if (statusOf(owner) !== STATUS_DRAINING || lists.waiting(at) > 0) return
  const generation = generationOf(owner)
  const mine = ownerWord(STATUS_REAPING, by, generation)
  if (Atomics.compareExchange(words, at + OWNER, owner, mine) !== owner) return
  if (name !== 0) keepName(words, at, name)
  if (!lists.dispose(at, labelOf(slot, generation), label)) {
    Atomics.store(words, at + OWNER, owner)
    return
  }
  const free = ownerWord(STATUS_FREE, 0, generation)
  if (name !== 0) {
    // The name stays until the slot is free, so that a death in between is found by it. A free slot with a name is taken
    // by nobody.
    Atomics.store(words, at + OWNER, free)
    Atomics.compareExchange(words, at + THREAD, renewed(name), 0)
    return
  }
  Atomics.store(words, at + THREAD, 0)
  Atomics.store(words, at + OWNER, free)
}

/**
 * Answers for a slot that reaps itself. Others may have put their names there when it was still draining; with a renewed
 * name in it, none of them can any more, since they expect another one.
 */
function keepName(words: Int32Array, at: number, name: number): void {
  for (;;) {
    const present = Atomics.load(words, at + THREAD)
    if (Atomics.compareExchange(words, at + THREAD, present, renewed(name)) === present) return
  }
}

/** Frees draining slots whose lists are empty on behalf of a thread that has no slot yet. */
export function reviveSlots(arena: Arena, threadId: number): void {
  const lists = new GarbageLists(arena)
  for (let slot = 0; slot < arena.layout.maxParticipants; slot++) {
    const at = slotAt(arena, slot)
    const before = Atomics.load(arena.words, at + THREAD)
    const owner = Atomics.load(arena.words, at + OWNER)
    if (statusOf(owner) !== STATUS_DRAINING) continue
    // Names this thread first, so that its death in the middle is put right with the slot; but not over the name of one
    // who has got the slot meanwhile.
    const name = nameOf(threadId, generationOf(owner))
    if (Atomics.compareExchange(arena.words, at + THREAD, before, name) !== before) continue
    finishDraining(arena, lists, slot, slot, labelOf(slot, generationOf(owner)), name)
  }
}
