/** One participant's engine: the floors below, put together on an arena. */
import type { Arena } from '../memory/arena.ts'
import { assert } from '../memory/assert.ts'
import { Cleaner } from '../log/cleaner.ts'
import { Log } from '../log/log.ts'
import type { Disk } from '../lsm/disk.ts'
import { LogJournal } from '../lsm/journal.ts'
import { Tier } from '../lsm/tier.ts'
import { DeathLedger } from '../reclaim/death-ledger.ts'
import { NoneScheme, UnsafeScheme } from '../reclaim/controls.ts'
import { EpochScheme } from '../reclaim/epoch.ts'
import { COUNTER, type Participant, claimSlot, sumCounter, tooManyThreads } from '../reclaim/participant.ts'
import { reviveSlots } from '../reclaim/reaper.ts'
import { residenceAt } from '../lsm/tier-layout.ts'
import { BlockCache } from '../lsm/block-cache.ts'
import { TableReads } from '../lsm/table-reads.ts'
import type { Below } from '../tree/below.ts'
import { Evictor } from '../tree/evictor.ts'
import { Pressure } from './pressure.ts'
import { Relocation } from '../tree/relocation.ts'
import { NOW, Scan } from '../tree/scan.ts'
import { Snapshots } from '../tree/snapshots.ts'
import { Tree } from '../tree/tree.ts'
import { type TreeReport, Verifier } from '../tree/verify.ts'

/** Waits for a flush, of a tenth of a second each, after which what snapshots keep is let go. */
const PATIENT_WAITS = 10
/** Passes of merging that a drain makes at most. */
const MERGE_PASSES = 32

function makeScheme(arena: Arena, me: Participant): EpochScheme {
  switch (arena.layout.scheme) {
    case 'none':
      return new NoneScheme(arena, me)
    case 'unsafe':
      return new UnsafeScheme(arena, me)
    default:
      return new EpochScheme(arena, me)
  }
}

export class Engine {
  readonly arena: Arena
  readonly me: Participant
  readonly scheme: EpochScheme
  readonly log: Log
  readonly tree: Tree
  readonly cleaner: Cleaner
  readonly snapshots: Snapshots
  readonly evictor: Evictor
  readonly pressure: Pressure
  /** The durable tier; null in a store that is only in memory. */
  readonly tier: Tier | null
  /** Where changes are written to before they are made; null likewise. */
  readonly journal: LogJournal | null
  /** Whether the participant has been given up. */
  detached = false
  private readonly relocation: Relocation
  private readonly ledger: DeathLedger
  /** The number of deaths that the last drain swept for, and the segments that were open then, with their holders. */
  private mourned = 0
  private readonly unswept = new Map<number, number>()

  /**
   * Joins an arena.
   * @param threadId the thread's id, by which its parent reports its death
   * @param disk of a durable store: where files are removed that nobody needs any more; null to leave that to others
   * @throws HeddleError HEDDLE_TOO_MANY_THREADS, HEDDLE_FULL
   */
  constructor(arena: Arena, threadId: number, disk: Disk | null = null) {
    let me = claimSlot(arena, threadId)
    if (me === undefined) {
      reviveSlots(arena, threadId)
      me = claimSlot(arena, threadId)
    }
    if (me === undefined) throw tooManyThreads(arena.layout.maxParticipants)
    this.arena = arena
    this.ledger = new DeathLedger(arena)
    this.me = me
    this.scheme = makeScheme(arena, me)
    // First of all: a dead participant's batch and what it was about to link lie in segments that the log seals.
    this.scheme.onReap((slotAt, label) => {
      this.tree.commits.reap(slotAt)
      this.tree.reapChange(slotAt)
      // Before the catalog clears what they hold: who attaches to one goes by its being live.
      this.tree.context.snapshots.releaseOf(label)
    })
    this.log = new Log(arena, this.scheme, me)
    this.tier = arena.layout.tierWords === 0 ? null : new Tier(arena, this.scheme, me, disk)
    this.journal = this.tier === null ? null : new LogJournal(arena, me, this.tier.log)
    this.tree = new Tree(arena, this.scheme, me, this.log, this.journal, residenceAt(arena))
    this.relocation = new Relocation(this.tree)
    this.cleaner = new Cleaner(
      arena,
      this.scheme,
      me,
      this.log,
      this.relocation.relocate,
      this.relocation.approach.begin,
    )
    this.snapshots = new Snapshots(this.tree, this.relocation.relocate)
    this.evictor = new Evictor(this.tree)
    this.pressure = new Pressure(this)
    if (this.tier !== null && disk !== null) this.standOn(this.tier, disk)
    this.cleaner.relieve = () => this.relieve()
  }

  /** What else than cleaning makes room. @returns whether it is worth trying again */
  private relieve(): boolean {
    const { pressure } = this
    const isEased = pressure.relieve()
    if (isEased && pressure.waits < PATIENT_WAITS) return true
    return this.snapshots.relieve() || isEased
  }

  /** The tree stands on a tier's tables. */
  private standOn(tier: Tier, disk: Disk): void {
    const cache = new BlockCache(this.arena, this.scheme, this.me, tier.layout.cache)
    this.setBelow(new TableReads(tier.catalog, disk, cache))
    this.pressure.askFlush = () => {
      tier.words.wantFlush()
      tier.words.ring()
    }
  }

  /** What lies below the tree, if anything does. */
  get below(): Below | null {
    return this.snapshots.below
  }

  /** The same, if it is tables. */
  tables: TableReads | null = null

  /** Sets what lies below, before the tree is used. */
  setBelow(below: Below): void {
    this.snapshots.below = below
    if (below instanceof TableReads) this.tables = below
  }

  /**
   * Sees to it that the tree knows the tree's key. Not inside a critical region.
   * @throws HeddleError HEDDLE_FULL, and what reading below throws
   */
  bring(): void {
    const { below } = this.snapshots
    assert(below !== null, 'a partial tree has nothing below it')
    this.tree.filling.bring(below!)
  }

  /** As `tree.remove`, of whatever is there, in the tree or below. */
  remove(): boolean {
    const { tree } = this
    for (;;) {
      if (tree.remove(0, 0)) return true
      if (!tree.unknown) return false
      this.bring()
    }
  }

  /**
   * Makes changes that are in the log already, or in tables: they are not written to the journal. For the opener, before
   * there are other threads.
   */
  replay(body: () => void): void {
    this.tree.useJournal(null)
    try {
      body()
    } finally {
      this.tree.useJournal(this.journal)
    }
  }

  /**
   * Number of entries: the sum of everybody's counters, O(threads); after a death in mid-operation it is counted, O(n). Of a
   * partial tree, those that are in it, O(n).
   */
  size(): number {
    if (this.tree.context.residence.isPartial()) return this.countAt(NOW)
    if (!this.ledger.isSized()) return this.recount()
    return (this.inserts() - this.deletes() + this.ledger.correction()) | 0
  }

  /** Counts by a walk, and corrects the sum if nobody inserted or deleted meanwhile. */
  private recount(): number {
    const { ledger } = this
    const deaths = ledger.deaths()
    const correction = ledger.correction()
    const inserts = this.inserts()
    const deletes = this.deletes()
    const counted = this.countEntries()
    // An operation counts before it unpins; and both sums only grow, so a change cannot hide behind its opposite.
    const quiet = this.scheme.others() === 0 && this.inserts() === inserts && this.deletes() === deletes
    if (quiet && ledger.deaths() === deaths) ledger.correct(correction, (counted - inserts + deletes) | 0, deaths)
    return counted
  }

  private inserts(): number {
    return sumCounter(this.arena, COUNTER.inserts)
  }

  private deletes(): number {
    return sumCounter(this.arena, COUNTER.deletes)
  }

  private countEntries(): number {
    return this.countAt(NOW)
  }

  /** Number of entries at a value of the clock, or now: by a walk, O(n). */
  countAt(at: number): number {
    const scan = new Scan(this.tree, false, false)
    scan.at = at
    let count = 0
    while (!scan.done) {
      this.scheme.enter()
      try {
        scan.step(Number.MAX_SAFE_INTEGER)
      } finally {
        this.scheme.leave()
      }
      count += scan.count
    }
    return count
  }

  /**
   * Reclaims all that can be reclaimed now: lets go of versions that no snapshot needs, finishes merges, merges what is
   * underfull, accounts for what dead threads left, frees what has passed its epoch.
   */
  drain(): void {
    this.snapshots.trimAll(true)
    // Every pass may make room for the next: parents shrink when their children do.
    for (let pass = 0; pass < MERGE_PASSES; pass++) {
      const before = sumCounter(this.arena, COUNTER.merges)
      this.mergeAll()
      if (sumCounter(this.arena, COUNTER.merges) === before) break
    }
    this.scheme.flush()
    const deaths = this.ledger.deaths()
    if (!this.ledger.isSwept()) {
      this.tree.writer.abandonLeft()
      this.log.sealAll()
      const isLast = this.isLastSweep(deaths)
      this.cleaner.sweep(this.relocation.isReachable)
      this.recoverLost()
      if (isLast) this.ledger.swept(deaths)
    }
    this.collectStale()
    if (!this.ledger.isSized()) this.recount()
    this.scheme.flush()
  }

  /**
   * Whether a sweep now makes up for all these deaths. Only sealed segments are swept, since in an open one a block may
   * be unreachable because it is yet to be linked. So those that are open at the first sweep have to be swept again.
   */
  private isLastSweep(deaths: number): boolean {
    const { segments } = this.log
    if (this.mourned !== deaths) {
      this.mourned = deaths
      this.unswept.clear()
      for (let segment = segments.first; segment < segments.used(); segment++) {
        if (segments.isOpen(segment)) this.unswept.set(segment, segments.holder(segment))
      }
    }
    for (const [segment, holder] of this.unswept) {
      if (!segments.isOpen(segment) || segments.holder(segment) !== holder) this.unswept.delete(segment)
    }
    return this.unswept.size === 0
  }

  private recoverLost(): void {
    this.scheme.enter()
    this.log.segments.recoverLost()
    this.tree.context.table.list.recoverLost()
    this.scheme.leave()
  }

  /** Frees what was retired and noted by nobody, because its retirer died. */
  collectStale(): void {
    this.log.segments.collectStale()
    this.tree.context.table.collectStale()
  }

  /** Visits every leaf and merges it with a neighbour where both fit in one page. */
  private mergeAll(): void {
    const { tree, scheme } = this
    const scan = new Scan(tree, false, false)
    const rounds = this.arena.layout.pageIds
    for (let i = 0; i < rounds && !scan.done; i++) {
      scheme.enter()
      try {
        tree.key.copyFrom(scan.from.bytes, 0, scan.from.length)
        scan.step(Number.MAX_SAFE_INTEGER)
      } finally {
        scheme.leave()
      }
      tree.upkeep.mergeHere(scan.count)
    }
  }

  verify(): TreeReport {
    // The background cleaner moves blocks although nobody writes.
    const resting = this.log.segments.beginRest()
    this.scheme.enter()
    try {
      return new Verifier(this.tree).verify()
    } finally {
      this.scheme.leave()
      if (resting) this.log.segments.endRest()
    }
  }

  /** Gives up the participant. */
  detach(): void {
    this.detached = true
    this.tables?.close()
    this.tree.writer.abandonLeft()
    this.log.sealAll()
    this.scheme.detach()
  }
}
