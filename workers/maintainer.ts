/** The maintainer's thread: flushes and compactions. See src/lsm/tier-maintainer.ts. */
import { threadId, workerData } from 'node:worker_threads'
import { FileDisk } from '../src/lsm/file-disk.ts'
import { runMaintainer, type TierConfig } from '../src/lsm/tier-loops.ts'
import { viewArena } from '../src/memory/arena.ts'
import { GLOBAL_STOP } from '../src/memory/layout.ts'
import { isRaised } from '../src/memory/parking.ts'
import { Engine } from '../src/store/engine.ts'
import type { StoreHandle } from '../src/store/handle.ts'

const { store, tier } = workerData as { store: StoreHandle; tier: TierConfig }
const disk = new FileDisk(tier.directory)
const engine = new Engine(viewArena(store.buffer), threadId, disk)
const isStopped = (): boolean => isRaised(engine.arena.words, GLOBAL_STOP)
runMaintainer(engine.tier!, disk, tier, isStopped)
engine.detach()
