/**
 * A whole durable store in one thread, on a simulated disk: the public `Store` on the production tree, journal and tier.
 *
 * Instead of background threads there are steps that its owner has done: turns of the log worker, steps of the maintainer,
 * rounds of cleaner and evictor. Who waits for them in the store (durability 'sync', `flushSync`, a writer without room) has
 * them done on the spot, where the opener of a store looks after its threads.
 */
import type { Disk } from '../../src/lsm/disk.ts'
import type { DirectoryLock } from '../../src/lsm/directory-lock.ts'
import { Replay } from '../../src/lsm/replay.ts'
import { distance } from '../../src/lsm/shared-log.ts'
import type { Tier } from '../../src/lsm/tier.ts'
import { type TierGeometry, placeTier, tierWordsFor, writeTierHead } from '../../src/lsm/tier-layout.ts'
import { LogWorker } from '../../src/lsm/tier-log.ts'
import { Maintainer, type MaintainerOptions } from '../../src/lsm/tier-maintainer.ts'
import { begin, inspect } from '../../src/lsm/tier-opening.ts'
import { type TierSettings, TierWords } from '../../src/lsm/tier-words.ts'
import { createArena } from '../../src/memory/arena.ts'
import type { Geometry } from '../../src/memory/layout.ts'
import { keyCodec, valueCodec } from '../../src/store/codec.ts'
import { Engine } from '../../src/store/engine.ts'
import { makeHandle } from '../../src/store/handle.ts'
import { Store } from '../../src/store/store.ts'
import type { TierThreads } from '../../src/store/tier-threads.ts'

/** More than any pace of the log worker. */
const LONG_MS = 1000
/** Turns of both threads after which nothing can be left to do for one who waits. */
const MOST_TURNS = 1000
/** As the background cleaner has it (workers/cleaner.ts). */
const VICTIM_SHARE = 0.95
const TARGET_UTILISATION = 0.87
const THREADS = 4

export interface InlineSizes {
  readonly geometry: Omit<Geometry, 'maxParticipants' | 'tierWords' | 'arenaWords'> & {
    /** Words beside those of the tier. */
    readonly words: number
  }
  readonly tier: TierGeometry
  readonly settings: Omit<TierSettings, 'generation'>
  readonly maintainer: MaintainerOptions
}

export class InlineStore {
  readonly store: Store
  readonly engine: Engine
  readonly tier: Tier
  private readonly disk: Disk
  private readonly sizes: InlineSizes
  private worker: LogWorker | undefined
  private keeper: Maintainer | undefined
  private time = 0
  private readonly clock = (): number => this.time

  /**
   * Opens what is there, or makes a new one.
   * @param generation of a new one
   */
  constructor(disk: Disk, sizes: InlineSizes, generation: number) {
    this.disk = disk
    this.sizes = sizes
    const found = inspect(disk, 'crash', generation)
    const { words, ...geometry } = sizes.geometry
    const tierWords = tierWordsFor(THREADS, sizes.tier)
    const arena = createArena({ ...geometry, maxParticipants: THREADS, tierWords, arenaWords: words + tierWords })
    writeTierHead(arena, sizes.tier)
    const settings = { ...sizes.settings, generation: found.manifest.generation }
    TierWords.init(arena.words, placeTier(arena.layout.tierAt, THREADS, sizes.tier), settings, found.nextFileId)
    const engine = new Engine(arena, 1, disk)
    this.engine = engine
    this.tier = engine.tier!
    engine.tree.create()
    engine.replay(() => void begin(this.tier, disk, found, new Replay(engine.tree, () => engine.bring()), false))
    this.standIn(engine)
    const opener = {
      disk,
      fileBytes: sizes.maintainer.fileBytes,
      lock: { release: () => {} } as DirectoryLock,
      threads: this.threads() as unknown as TierThreads,
    }
    const handle = makeHandle(arena.buffer, 'utf8', 'utf8')
    this.store = new Store(arena, engine, keyCodec('utf8'), valueCodec('utf8'), handle, null, opener)
  }

  /** What waits inside the store has the steps done first that it waits for. */
  private standIn(engine: Engine): void {
    const { cleaner } = engine
    const { relieve } = cleaner
    cleaner.relieve = () => {
      this.settle()
      return relieve()
    }
  }

  private threads(): { look(replace: boolean): void; stop(haveEnded: boolean, ended: () => void): void } {
    return {
      look: (replace) => {
        if (replace) this.turn(true)
        else this.endSteps()
      },
      stop: (_haveEnded, ended) => ended(),
    }
  }

  get logWorker(): LogWorker {
    return (this.worker ??= this.newLogWorker())
  }

  get maintainer(): Maintainer {
    return (this.keeper ??= this.newMaintainer())
  }

  /** What a successor of the log worker begins with. The one before is not asked. */
  newLogWorker(): LogWorker {
    if (this.worker === undefined) this.tier.log.claim(this.tier.me.label)
    return (this.worker = new LogWorker(this.tier, this.disk, this.sizes.maintainer.fileBytes, this.clock))
  }

  newMaintainer(): Maintainer {
    if (this.keeper === undefined) this.tier.words.claim(this.tier.me.label)
    return (this.keeper = new Maintainer(this.tier, this.disk, this.sizes.maintainer, this.clock))
  }

  /** A turn of the log worker, long after the last one. @param wanted whether somebody wants everything synced */
  turn(wanted = false): void {
    this.time += LONG_MS
    if (wanted) this.tier.words.request()
    this.logWorker.turn()
  }

  /** A step of the maintainer. Nobody is slowed, since nobody would catch up meanwhile. @returns whether it had work */
  step(): boolean {
    const worked = this.maintainer.step()
    this.tier.words.setDelay(0)
    return worked
  }

  /** Steps of both until there is nothing to do. */
  settle(): void {
    for (let i = 0; i < MOST_TURNS; i++) {
      this.turn()
      if (!this.step() && !this.maintainer.isBusy) return
    }
    throw new Error('the maintainer does not come to an end')
  }

  /** Before a change: the ring has room for it, and so has memory, as the threads would see to it. */
  makeRoom(): void {
    const { log } = this.tier
    if (distance(log.stable(), log.frontier()) * 2 > log.granules) this.turn(true)
    const { pressure, cleaner, snapshots, scheme } = this.engine
    pressure.round()
    if (cleaner.utilisation() < TARGET_UTILISATION && this.engine.log.segments.isShort()) {
      const victim = cleaner.victim(VICTIM_SHARE)
      if (victim !== 0) cleaner.clean(victim, true)
    }
    snapshots.maintain(0)
    scheme.flush()
  }

  private endSteps(): void {
    if (this.keeper !== undefined) {
      this.keeper.close()
      this.tier.words.unclaim(this.tier.me.label)
    }
    if (this.worker !== undefined) {
      this.worker.close()
      this.tier.log.unclaim(this.tier.me.label)
    }
    this.keeper = this.worker = undefined
  }

  /** As a store is closed by its opener. */
  close(): void {
    this.store.close()
  }
}
