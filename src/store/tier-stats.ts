/** What a store tells about its durable tier. */
import { logState } from '../lsm/log-committer.ts'
import type { Tier } from '../lsm/tier.ts'
import { fillOf } from '../lsm/tier-log.ts'
import { COUNT, DURABILITIES, MOST_LEVELS } from '../lsm/tier-words.ts'

/** Numbers of a durable store; all 0 in one that is only in memory. Counters count since the store was opened. */
export interface TierStats {
  /** 0 in memory only or 'none', 1 'group', 2 'sync'. */
  durability: number
  /** 0 the log works, 1 it has no room and is tried again, 2 it has failed, and the store is read-only. */
  logState: number
  /** Changes, and bytes of log, that are in no table yet; how full that makes the memtable, 1 when a flush is due. */
  windowEntries: number
  windowBytes: number
  windowFill: number
  /** Bytes that became durable in logs, and the syncs it took. */
  bytesLogged: number
  logSyncs: number
  flushes: number
  bytesFlushed: number
  compactions: number
  bytesCompacted: number
  /** Attempts of the background that failed. */
  backgroundFailures: number
  /** All tables, their bytes, their entries with older versions and deletes, and the tables of each level. */
  tables: number
  tableBytes: number
  tableEntries: number
  tablesLevel0: number
  tablesLevel1: number
  tablesLevel2: number
  tablesLevel3: number
  tablesLevel4: number
  tablesLevel5: number
  tablesLevel6: number
  /** Microseconds for which each write is held up now, and the waits that came of it. */
  writeDelay: number
  writesSlowed: number
}

export function collectTierStats(tier: Tier | null): TierStats {
  const words = tier?.words
  const fill = tier === null ? { full: 0, bytes: 0, entries: 0 } : fillOf(tier)
  const level = (index: number): number => words?.tablesOf(index) ?? 0
  const count = (which: number): number => words?.count(which) ?? 0
  let tables = 0
  for (let index = 0; index < MOST_LEVELS; index++) tables += level(index)
  return {
    durability: words === undefined ? 0 : DURABILITIES.indexOf(words.settings.durability),
    logState: tier === null ? 0 : logState(tier.log),
    windowEntries: fill.entries,
    windowBytes: fill.bytes,
    windowFill: fill.full,
    bytesLogged: words?.loggedBytes() ?? 0,
    logSyncs: words?.syncs() ?? 0,
    flushes: count(COUNT.flushes),
    bytesFlushed: count(COUNT.flushedBytes),
    compactions: count(COUNT.compactions),
    bytesCompacted: count(COUNT.compactedBytes),
    backgroundFailures: count(COUNT.failures),
    tables,
    tableBytes: count(COUNT.tableBytes),
    tableEntries: count(COUNT.tableEntries),
    tablesLevel0: level(0),
    tablesLevel1: level(1),
    tablesLevel2: level(2),
    tablesLevel3: level(3),
    tablesLevel4: level(4),
    tablesLevel5: level(5),
    tablesLevel6: level(6),
    writeDelay: words?.delay() ?? 0,
    writesSlowed: words?.slowed() ?? 0,
  }
}
