/** Logs on a small arena, without the floors above: a block is what a test wrote, and whether it is linked it knows. */
import type { Arena } from '../../../src/memory/arena.ts'
import type { Geometry } from '../../../src/memory/layout.ts'
import { KIND_RECORD, blockHeader } from '../../../src/log/block.ts'
import { Log, ROOM_ORDINARY, STREAM_RECORDS } from '../../../src/log/log.ts'
import { type Joined, join, smallArena } from '../reclaim/participants.ts'

export const SEGMENT_WORDS = 256

export function logArena(over: Partial<Geometry> = {}): Arena {
  return smallArena({ segmentWords: SEGMENT_WORDS, arenaWords: 1 << 15, paranoid: true, ...over })
}

export interface Appender extends Joined {
  readonly log: Log
}

export function appender(arena: Arena, threadId = 1): Appender {
  const joined = join(arena, threadId)
  return { ...joined, log: new Log(arena, joined.scheme, joined.me) }
}

export function header(words: number): number {
  return blockHeader(KIND_RECORD, words, 0, 0, false)
}

/** Writes a complete block whose payload words are all its address. */
export function append({ log }: Pick<Appender, 'log'>, arena: Arena, words: number, stream = STREAM_RECORDS): number {
  log.prepare(stream, words, ROOM_ORDINARY)
  const address = log.reserve(stream, words)
  arena.words.fill(address, address + 1, address + words)
  log.complete(address, header(words))
  return address
}

/** Whether a block still is what `append` wrote. */
export function isWhole(arena: Arena, address: number, words: number): boolean {
  return (
    arena.words[address] === header(words) &&
    arena.words.subarray(address + 1, address + words).every((word) => word === address)
  )
}

/** Segments by their state, as a picture: free, fresh, open, sealed, retired. */
export function states({ log: { segments } }: Appender): Record<'open' | 'sealed' | 'retired', number> {
  const counts = { open: 0, sealed: 0, retired: 0 }
  for (let segment = segments.first; segment < segments.used(); segment++) {
    if (segments.isOpen(segment)) counts.open++
    if (segments.isSealed(segment)) counts.sealed++
    if (segments.isRetired(segment)) counts.retired++
  }
  return counts
}

export function segmentsInAll({ log: { segments } }: Appender): number {
  return segments.end - segments.first
}

/** Whether all segments are free once everything that waits has been run. */
export function allFree(one: Appender): boolean {
  one.scheme.flush()
  one.log.segments.collectStale()
  one.scheme.flush()
  return one.log.segments.countFree(Number.MAX_SAFE_INTEGER) === segmentsInAll(one)
}
