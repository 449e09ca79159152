/** The log worker's thread: writes what is committed to files, and syncs them. See src/lsm/tier-log.ts. */
import { threadId, workerData } from 'node:worker_threads'
import { FileDisk } from '../src/lsm/file-disk.ts'
import { runLogWorker, type TierConfig } from '../src/lsm/tier-loops.ts'
import { viewArena } from '../src/memory/arena.ts'
import { GLOBAL_STOP } from '../src/memory/layout.ts'
import { isRaised } from '../src/memory/parking.ts'
import { Engine } from '../src/store/engine.ts'
import type { StoreHandle } from '../src/store/handle.ts'

const { store, tier } = workerData as { store: StoreHandle; tier: TierConfig }
const disk = new FileDisk(tier.directory)
const engine = new Engine(viewArena(store.buffer), threadId, disk)
const isStopped = (): boolean => isRaised(engine.arena.words, GLOBAL_STOP)
runLogWorker(engine.tier!, disk, tier, isStopped)
engine.detach()
