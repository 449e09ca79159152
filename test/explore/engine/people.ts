/** Participants without the floors above, at one free list: that of the page ids. */
import { GLOBAL_PAGE_FRESH, GLOBAL_PAGE_HEAD, type Geometry } from '../../../src/memory/layout.ts'
import { NoneScheme, UnsafeScheme } from '../../../src/reclaim/controls.ts'
import { EpochScheme } from '../../../src/reclaim/epoch.ts'
import { FreeList } from '../../../src/reclaim/free-list.ts'
import { FREE, FRESH, held, isHeld, labelOf } from '../../../src/reclaim/ownership.ts'
import {
  INTENT_POP_PAGE,
  OWNER,
  type Participant,
  STATUS_FREE,
  STATUS_LIVE,
  THREAD,
  claimSlot,
  generationOf,
  slotAt,
  statusOf,
} from '../../../src/reclaim/participant.ts'
import { reapThread } from '../../../src/reclaim/reaper.ts'
import { OP_RECYCLE_PAGE, type ReapHook } from '../../../src/reclaim/scheme.ts'
import type { Arena } from '../../../src/memory/arena.ts'
import { arenaIn } from './arenas.ts'
import type { Actor } from './play.ts'

/** Things of the list: 1 to 7. */
const THINGS = 8

/** Epochs, and what the floors above have reaped by themselves, for funerals without all that follows them. */
export class NotingScheme extends EpochScheme {
  readonly noted: ReapHook[] = []

  override onReap(hook: ReapHook): void {
    this.noted.push(hook)
    super.onReap(hook)
  }
}

/** Somebody with a slot. */
export interface Member extends Actor {
  readonly scheme: EpochScheme
}

export interface Person extends Member {
  readonly free: FreeList
}

export function listArena(memory: SharedArrayBuffer, over: Partial<Geometry> = {}): Arena {
  return arenaIn(memory, { pageIds: THINGS, ...over })
}

function schemeFor(arena: Arena, me: Participant): EpochScheme {
  if (arena.layout.scheme === 'none') return new NoneScheme(arena, me)
  return arena.layout.scheme === 'unsafe' ? new UnsafeScheme(arena, me) : new NotingScheme(arena, me)
}

export function join(arena: Arena, threadId: number): Member {
  const me = claimSlot(arena, threadId)
  if (me === undefined) throw new Error('no slot is free')
  return { arena, me, scheme: schemeFor(arena, me) }
}

export function person(arena: Arena, threadId: number): Person {
  const member = join(arena, threadId)
  const { scheme } = member
  const { words, layout } = arena
  const { pageTableAt, pageLinksAt, pageIds } = layout
  const [head, fresh] = [GLOBAL_PAGE_HEAD, GLOBAL_PAGE_FRESH]
  const free = new FreeList(words, scheme, OP_RECYCLE_PAGE, head, fresh, pageTableAt, pageLinksAt, 1, 1, pageIds)
  scheme.register(OP_RECYCLE_PAGE, (thing, epoch) => void free.push(thing, epoch))
  scheme.onReap((slot, label) => free.rescue(label, Atomics.load(words, slot + INTENT_POP_PAGE), true))
  return { ...member, free }
}

/** The funeral of a thread, without the flush that follows it. @returns participants reaped */
export function bury({ arena, me, scheme }: Member, threadId: number): number {
  return reapThread(scheme, arena, me, threadId, (scheme as NotingScheme).noted)
}

/** Takes a thing; 0 if there is none. */
export function take({ me, scheme, free }: Person): number {
  scheme.enter()
  const thing = free.pop(me.at + INTENT_POP_PAGE)
  scheme.leave()
  return thing
}

export function giveBack({ scheme, free }: Person, thing: number): boolean {
  return free.retire(thing, held(scheme.label))
}

/** As few steps as run what was retired before, if nobody is pinned. */
export function runGarbage({ scheme }: Member): number {
  scheme.tryAdvance()
  scheme.tryAdvance()
  return scheme.collect(9)
}

/**
 * Whether each thing is where the outcome says, once all that waits has been run.
 * @param inUse things in the hands of those who live
 */
export function listFaults(survivor: Person, killed: number, inUse: readonly number[]): string[] {
  const { scheme, free } = survivor
  if (killed >= 0) scheme.reap(killed + 1)
  scheme.flush()
  free.collectStale((thing, epoch) => void free.push(thing, epoch))
  const found = slotFaults(survivor)
  if (scheme.waiting() !== 0) found.push(`${scheme.waiting()} actions wait`)
  const listed = listedThings(survivor)
  if (listed === undefined) return [...found, 'the list goes round in a circle']
  if (new Set(inUse).size !== inUse.length) found.push(`things were given out twice: ${inUse.join()}`)
  for (let thing = 1; thing < THINGS; thing++) found.push(...thingFaults(survivor, thing, inUse, listed))
  return found
}

function thingFaults({ arena, free }: Person, thing: number, inUse: readonly number[], listed: Set<number>): string[] {
  const state = arena.words[free.stateOf(thing)]!
  const on = listed.has(thing)
  const right = inUse.includes(thing) ? isHeld(state) && !on : state === (on ? FREE : FRESH)
  return right ? [] : [`thing ${thing} is ${on ? '' : 'not '}on the list in state ${(state >>> 0).toString(16)}`]
}

/** What is on the list, or undefined if it has no end. */
function listedThings({ arena: { words, layout } }: Person): Set<number> | undefined {
  const listed = new Set<number>()
  for (let at = words[GLOBAL_PAGE_HEAD]!; at !== 0; at = words[layout.pageLinksAt + at]!) {
    if (listed.has(at)) return undefined
    listed.add(at)
  }
  return listed
}

/** Labels of those who live. */
export function liveLabels(arena: Arena): Set<number> {
  const live = new Set<number>()
  for (let slot = 0; slot < arena.layout.maxParticipants; slot++) {
    const owner = arena.words[slotAt(arena, slot) + OWNER]!
    if (statusOf(owner) === STATUS_LIVE) live.add(labelOf(slot, generationOf(owner)))
  }
  return live
}

/** Slots that are neither live nor free. */
export function slotFaults({ arena }: Actor): string[] {
  const { words, layout } = arena
  const found: string[] = []
  for (let slot = 0; slot < layout.maxParticipants; slot++) {
    const status = statusOf(words[slotAt(arena, slot) + OWNER]!)
    if (status !== STATUS_LIVE && status !== STATUS_FREE) found.push(`slot ${slot} has status ${status}`)
  }
  return [...found, ...nameFaults(arena)]
}

/** Free slots that nobody can take, because somebody's name is in them. */
export function nameFaults(arena: Arena): string[] {
  const { words, layout } = arena
  const found: string[] = []
  for (let slot = 0; slot < layout.maxParticipants; slot++) {
    const at = slotAt(arena, slot)
    const name = words[at + THREAD]!
    if (statusOf(words[at + OWNER]!) === STATUS_FREE && name !== 0)
      found.push(`slot ${slot} is free, but named ${name}`)
  }
  return found
}
