/**
 * The background cleaner's thread: empties segments while too few of their words are live, and frees what idle
 * participants have retired. It parks between rounds and is woken when a writer runs short.
 */
import { threadId, workerData } from 'node:worker_threads'
import { FileDisk } from '../src/lsm/file-disk.ts'
import { MOST_VICTIMS } from '../src/log/cleaner.ts'
import { viewArena } from '../src/memory/arena.ts'
import { GLOBAL_CLEANER_BELL, GLOBAL_STOP } from '../src/memory/layout.ts'
import { isRaised, listen, park } from '../src/memory/parking.ts'
import { Engine } from '../src/store/engine.ts'
import type { StoreHandle } from '../src/store/handle.ts'

/**
 * Cleaning goes on while the live share of all sealed segments is below this, and few segments are free or nobody writes:
 * what is made free in a pause need not be taken fresh from the system afterwards.
 */
const TARGET_UTILISATION = 0.87
/** A segment fuller than this is left alone. */
const VICTIM_SHARE = 0.95
const ROUND_MS = 10
/** One for each so many segments is looked for at a time: of few ones, cleaning one changes which are the best. */
const SEGMENTS_PER_VICTIM = 64

const { store } = workerData as { store: StoreHandle }
const disk = store.directory === undefined ? null : new FileDisk(store.directory)
const engine = new Engine(viewArena(store.buffer), threadId, disk)
const { words } = engine.arena
const victims = new Int32Array(MOST_VICTIMS)
/** Segments opened up to the end of the last round: who writes opens some. */
let opened = -1

/** Cleans the best victims. @returns how many are empty now */
function clean(): number {
  const { cleaner } = engine
  const { segments } = engine.log
  const most = Math.max(1, Math.floor((segments.used() - segments.first) / SEGMENTS_PER_VICTIM))
  const count = cleaner.victims(VICTIM_SHARE, victims.subarray(0, most))
  let cleaned = 0
  for (let i = 0; i < count; i++) {
    // Not one that somebody else has emptied meanwhile, and filled again.
    if (!cleaner.isVictim(victims[i], VICTIM_SHARE)) continue
    if (!cleaner.clean(victims[i], true)) break
    cleaned++
  }
  return cleaned
}

function round(): boolean {
  const { cleaner, scheme } = engine
  const { segments } = engine.log
  const isPause = segments.opened() === opened
  const hasLeft = !segments.resting() && engine.pressure.round()
  const cleaned = (isPause || segments.isShort()) && cleaner.utilisation() < TARGET_UTILISATION ? clean() : 0
  engine.snapshots.maintain(Date.now() | 0)
  if (!segments.resting()) scheme.flush()
  opened = segments.opened()
  return cleaned > 0 || hasLeft
}

while (!isRaised(words, GLOBAL_STOP)) {
  const bell = listen(words, GLOBAL_CLEANER_BELL)
  if (!round()) park(words, GLOBAL_CLEANER_BELL, bell, ROUND_MS)
}
engine.detach()
