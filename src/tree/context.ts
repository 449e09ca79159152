/** What the parts of one participant's tree share. */
import type { Arena } from '../memory/arena.ts'
import type { Log } from '../log/log.ts'
import type { PageCache } from '../pagecache/page-cache.ts'
import type { PageTable } from '../pagecache/page-table.ts'
import type { Participant } from '../reclaim/participant.ts'
import type { Scheme } from '../reclaim/scheme.ts'
import type { Batches } from './batches.ts'
import type { Clock } from './clock.ts'
import type { Journal } from './journal.ts'
import type { SnapshotTable } from './snapshot-table.ts'
import type { Versions } from './versions.ts'

export interface TreeContext {
  readonly arena: Arena
  readonly scheme: Scheme
  readonly me: Participant
  readonly log: Log
  readonly table: PageTable
  readonly cache: PageCache
  readonly clock: Clock
  readonly snapshots: SnapshotTable
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
