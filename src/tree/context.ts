/** What the parts of one participant's tree share. */
import type { Arena } from '../memory/arena.ts'
import type { Log } from '../log/log.ts'
import { type Materializer, PageCache } from '../pagecache/page-cache.ts'
import { PageTable } from '../pagecache/page-table.ts'
import type { Participant } from '../reclaim/participant.ts'
import type { Scheme } from '../reclaim/scheme.ts'
import { Batches, type Obstacles } from './batches.ts'
import { Clock } from './clock.ts'
import type { Journal } from './journal.ts'
import { Residence } from './residence.ts'
import { SnapshotTable } from './snapshot-table.ts'
import { Versions } from './versions.ts'

export interface TreeContext {
  readonly arena: Arena
  readonly scheme: Scheme
  readonly me: Participant
  readonly log: Log
  readonly table: PageTable
  readonly cache: PageCache
  readonly clock: Clock
  readonly snapshots: SnapshotTable
  readonly residence: Residence
  readonly versions: Versions
  readonly batches: Batches
  /** Where changes are written before they are made; null in a store that is only in memory, and in replays. */
  journal: Journal | null
  /**
   * Words of page space that the step just given up needs; 0 if it needs a page id, JOURNAL_SHORTAGE if it needs room in the
   * journal. Set before returning `false`.
   */
  shortage: number
}

/**
 * @param journal null for a tree that is only in memory
 * @param residenceAt the words of Residence, 0 if nothing lies below the tree
 * @param pages how pages are made and mended
 */
export function makeContext(
  arena: Arena,
  scheme: Scheme,
  me: Participant,
  log: Log,
  journal: Journal | null,
  residenceAt: number,
  pages: Materializer & Obstacles,
): TreeContext {
  const table = new PageTable(arena, scheme, me)
  const cache = new PageCache(arena, table, log, pages)
  const clock = new Clock(arena)
  const snapshots = new SnapshotTable(arena, clock, me.label)
  const residence = new Residence(arena, residenceAt, clock, snapshots)
  const base = { arena, scheme, me, log, table, cache, clock, snapshots, residence, journal, shortage: 0 }
  const context = base as typeof base & { versions: Versions; batches: Batches }
  context.versions = new Versions(context, clock, snapshots)
  context.batches = new Batches(context, pages)
  return context
}
