/** Participants of a small arena, several in one thread, without the floors above. */
import { type Arena, createArena } from '../../../src/memory/arena.ts'
import { CHUNK_WORDS, GLOBAL_EPOCH, type Geometry } from '../../../src/memory/layout.ts'
import { NoneScheme, UnsafeScheme } from '../../../src/reclaim/controls.ts'
import { EpochScheme } from '../../../src/reclaim/epoch.ts'
import {
  OWNER,
  type Participant,
  STATUS_DRAINING,
  STATUS_FREE,
  STATUS_LIVE,
  STATUS_REAPING,
  claimSlot,
  slotAt,
  statusOf,
} from '../../../src/reclaim/participant.ts'
import { OP_USER } from '../../../src/reclaim/scheme.ts'
import { geometry } from '../memory/geometry.ts'

export function smallArena(over: Partial<Geometry> = {}): Arena {
  return createArena(geometry(over))
}

/** One participant with its scheme, and what its handler of OP_USER was given. */
export interface Joined {
  readonly me: Participant
  readonly scheme: EpochScheme
  readonly ran: number[]
}

function schemeFor(arena: Arena, me: Participant): EpochScheme {
  if (arena.layout.scheme === 'none') return new NoneScheme(arena, me)
  return arena.layout.scheme === 'unsafe' ? new UnsafeScheme(arena, me) : new EpochScheme(arena, me)
}

/** @param ran where OP_USER's arguments go; participants that share it see each other's */
export function join(arena: Arena, threadId: number, ran: number[] = []): Joined {
  const me = claimSlot(arena, threadId)
  if (me === undefined) throw new Error('no slot is free')
  const scheme = schemeFor(arena, me)
  scheme.register(OP_USER, (argument) => void ran.push(argument))
  return { me, scheme, ran }
}

/** Retires an argument under OP_USER in the present epoch. */
export function retire({ scheme }: Joined, argument: number): void {
  scheme.retire(OP_USER, argument, scheme.epoch())
}

export function setEpoch(arena: Arena, epoch: number): void {
  Atomics.store(arena.words, GLOBAL_EPOCH, epoch)
}

const STATUS_NAMES = new Map([
  [STATUS_FREE, 'free'],
  [STATUS_LIVE, 'live'],
  [STATUS_REAPING, 'reaping'],
  [STATUS_DRAINING, 'draining'],
])

export function statuses(arena: Arena): string[] {
  return Array.from({ length: arena.layout.maxParticipants }, (_, slot) => {
    return STATUS_NAMES.get(statusOf(Atomics.load(arena.words, slotAt(arena, slot) + OWNER)))!
  })
}

/** Garbage chunks in somebody's hands. */
export function chunksTaken({ words, layout }: Arena): number {
  let taken = 0
  for (let chunk = 0; chunk < layout.chunks; chunk++) {
    if (Atomics.load(words, layout.chunksAt + chunk * CHUNK_WORDS) !== 0) taken++
  }
  return taken
}
