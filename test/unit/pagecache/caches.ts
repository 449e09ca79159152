/** Page caches on a small arena, without a tree: bases are written by hand, and consolidation is the test's own. */
import type { Arena } from '../../../src/memory/arena.ts'
import type { Geometry } from '../../../src/memory/layout.ts'
import { KIND_PAGE, blockHeader } from '../../../src/log/block.ts'
import { ROOM_ORDINARY, STREAM_PAGES } from '../../../src/log/log.ts'
import { BASE_BODY, BASE_ID, BASE_PREAMBLE, BASE_SHAPE, shape, slotWords } from '../../../src/pagecache/base.ts'
import { PageCache } from '../../../src/pagecache/page-cache.ts'
import { PageTable } from '../../../src/pagecache/page-table.ts'
import { type Appender, appender, logArena } from '../log/logs.ts'

export interface CacheUser extends Appender {
  readonly arena: Arena
  readonly table: PageTable
  readonly cache: PageCache
  /** What the materializer was asked for: id and base, one after the other. */
  readonly asked: number[]
}

export function cacheArena(over: Partial<Geometry> = {}): Arena {
  return logArena({ pageIds: 40, ...over })
}

export function cacheUser(arena: Arena, threadId = 1): CacheUser {
  const one = appender(arena, threadId)
  const table = new PageTable(arena, one.scheme, one.me)
  one.scheme.onReap((slotAt, label) => {
    if (label === one.me.label) table.dropCache()
    table.reap(slotAt, label)
  })
  const asked: number[] = []
  const consolidate = (id: number, base: number): boolean => asked.push(id, base) > 0
  return { ...one, arena, table, cache: new PageCache(arena, table, one.log, { consolidate }), asked }
}

/** Writes a base that leads to the given fragments and has so many empty slots; complete, not linked. */
export function writeBase({ arena: { words }, log }: CacheUser, id: number, entries: number[], slots: number): number {
  const size = BASE_PREAMBLE + 2 * entries.length + slotWords(slots)
  log.prepare(STREAM_PAGES, size, ROOM_ORDINARY)
  const base = log.reserve(STREAM_PAGES, size)
  words[base + BASE_ID] = id
  words[base + BASE_SHAPE] = shape(0, slots, entries.length)
  words[base + BASE_BODY] = BASE_PREAMBLE
  entries.forEach((fragment, i) => (words[base + BASE_PREAMBLE + entries.length + i] = fragment))
  log.complete(base, blockHeader(KIND_PAGE, size, 0, 0, false))
  return base
}

/** A page of its own, shown under a fresh id. */
export function newPage(user: CacheUser, entries: number[], slots: number): { id: number; base: number } {
  user.scheme.enter()
  const id = user.table.allocate()
  user.scheme.leave()
  const base = writeBase(user, id, entries, slots)
  user.table.install(id, base)
  return { id, base }
}

/** Entry and slot words of a base, in order. */
export function wordsOf({ arena, cache }: CacheUser, base: number, slots: number): number[] {
  return [...arena.words.subarray(cache.entriesAt(base), cache.slotsAt(base) + slots)]
}
