/** What a store tells about itself. */
import { COUNTER, type CounterName, countLive, sumCounter } from '../reclaim/participant.ts'
import { BASE_SHAPE, levelOf } from '../pagecache/base.ts'
import { ADDRESS_MASK, ROOT } from '../pagecache/page-table.ts'
import type { Engine } from './engine.ts'
import { type TierStats, collectTierStats } from './tier-stats.ts'

/** A flat object of numbers. Counters are sums over all threads since the store was opened, modulo 2^32. */
export type Stats = Record<CounterName, number> &
  TierStats & {
    /** Of a partial tree, those that are in it. */
    entries: number
    /** 1 if the tree does not have everything: the store has tables that were not loaded, or memory was short. */
    partial: number
    /** Live snapshots, the age of the oldest in milliseconds, and words of versions that are kept for them. */
    snapshotsLive: number
    snapshotOldestMs: number
    snapshotWords: number
    pages: number
    height: number
    epoch: number
    participants: number
    /** Deferred actions waiting for their epoch. */
    waiting: number
    /** Segments of the arena: all, free, and in use (open or sealed, or waiting for their epoch). */
    segments: number
    segmentsFree: number
    segmentsInUse: number
    segmentWords: number
    /** Words of live blocks, and the same in bytes. */
    liveWords: number
    bytesLive: number
    /** Live share of the sealed segments. */
    utilisation: number
    bytesReserved: number
  }

function liveWords(engine: Engine): number {
  const { segments } = engine.log
  const { scheme } = engine
  let live = 0
  scheme.enter()
  try {
    for (let segment = segments.first; segment < segments.used(); segment++) {
      if (segments.isSealed(segment)) live += segments.usedWords(segment) - segments.deadWords(segment)
      else if (segments.isOpen(segment)) live += segments.walkLive(segment)
    }
  } finally {
    scheme.leave()
  }
  return live
}

function heightOf(engine: Engine): number {
  const { arena, scheme, tree } = engine
  scheme.enter()
  try {
    return levelOf(arena.words[(tree.context.table.load(ROOT) & ADDRESS_MASK) + BASE_SHAPE]) + 1
  } finally {
    scheme.leave()
  }
}

export function collectStats(engine: Engine): Stats {
  const { arena, log, scheme, tree } = engine
  const counters = {} as Record<CounterName, number>
  for (const name of Object.keys(COUNTER) as CounterName[]) counters[name] = sumCounter(arena, COUNTER[name]) >>> 0
  const { segments } = log
  const all = segments.end - segments.first
  const free = segments.countFree(all)
  const live = liveWords(engine)
  return {
    ...counters,
    entries: engine.size(),
    partial: tree.context.residence.isPartial() ? 1 : 0,
    snapshotsLive: tree.context.snapshots.countLive(),
    snapshotOldestMs: tree.context.snapshots.oldestAge(Date.now() | 0),
    snapshotWords: engine.snapshots.keptWords(),
    pages: tree.context.table.countPages(),
    height: heightOf(engine),
    epoch: scheme.epoch(),
    participants: countLive(arena),
    waiting: scheme.waiting(),
    segments: all,
    segmentsFree: free,
    segmentsInUse: all - free,
    segmentWords: arena.layout.segmentWords,
    liveWords: live,
    bytesLive: live * 4,
    utilisation: engine.cleaner.utilisation(),
    bytesReserved: arena.buffer.byteLength,
    ...collectTierStats(engine.tier),
  }
}

export interface VerifyReport {
  /** Whether no problem was found. Leaks are not problems of the structure: see leakedWords and leakedPageIds. */
  ok: boolean
  problems: string[]
  entries: number
  /** Versions that are kept for snapshots, deleted keys among them. */
  kept: number
  pages: number
  height: number
  /** Words of blocks that the tree leads to. */
  reachableWords: number
  /** Words of blocks that nothing leads to and nobody has accounted for; 0 after `drain` when nobody writes. */
  leakedWords: number
  /** Page ids that are neither in use, free, held by a live thread nor waiting; 0 likewise. */
  leakedPageIds: number
  waitingPageIds: number
  waitingSegments: number
  /**
   * As leakedWords, left by a thread that died, but in segments that other threads have open: `drain` accounts for them when
   * those are full, or their threads are gone.
   */
  waitingWords: number
}

export function collectVerify(engine: Engine): VerifyReport {
  const report = engine.verify()
  return { ok: report.problems.length === 0, ...report }
}
