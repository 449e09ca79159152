/**
 * The two threads of the tier, each a loop around its steps: it takes the claim, works until it is told to stop, and gives
 * the claim back.
 *
 * Thread safety: each in a thread of its own. Progress: parks when there is nothing to do, for a limited time.
 * Death: leaves the claim, which the reap frees; the opener starts another thread (store/tier-threads.ts).
 */
import type { Disk } from './disk.ts'
import { reasonOf } from './failure-cause.ts'
import type { Tier } from './tier.ts'
import { kernelThread } from './kernel-thread.ts'
import { LogWorker } from './tier-log.ts'
import { Maintainer, type MaintainerOptions } from './tier-maintainer.ts'
import { COUNT, WHY } from './tier-words.ts'

/** What the threads are given, beside the store's handle. Structured-cloneable. */
export interface TierConfig {
  readonly directory: string
  readonly maintainer: MaintainerOptions
}

/** Between two attempts at a claim that somebody else still has. */
const CLAIM_MS = 10
/** A maintainer that cannot begin: the first pause, by which each of the next is longer; and how often it is tried. */
const PAUSE_MS = 50
const MOST_TRIES = 8
/** The longest that the maintainer sleeps although nobody rings. */
const IDLE_MS = 100

/** Runs the log worker. @param isStopped whether the store is being closed */
export function runLogWorker(tier: Tier, disk: Disk, config: TierConfig, isStopped: () => boolean): void {
  const { log, me } = tier
  tier.words.setKernelThread(0, kernelThread())
  while (!log.claim(me.label)) {
    if (isStopped()) return
    log.waitProgress(log.listenProgress(), CLAIM_MS)
  }
  const worker = new LogWorker(tier, disk, config.maintainer.fileBytes)
  while (!isStopped()) worker.sleep(worker.turn())
  worker.close()
  log.unclaim(me.label)
  log.announce()
}

/**
 * A maintainer. If it cannot begin, since the disk refuses what it has to read, it is tried again after pauses that grow; then
 * the store is made read-only, as changes would pile up in the logs for ever.
 * @returns undefined if it could not
 */
export function beginMaintainer(
  tier: Tier,
  disk: Disk,
  { maintainer }: TierConfig,
  isStopped: () => boolean,
): Maintainer | undefined {
  const { words, log } = tier
  for (let tries = 1; !isStopped(); tries++) {
    let failure: unknown
    try {
      return new Maintainer(tier, disk, maintainer)
    } catch (error) {
      failure = error
      words.addCount(COUNT.failures, 1)
    }
    if (tries === MOST_TRIES) {
      words.fail(reasonOf(WHY.maintainer, failure))
      log.wake()
      return undefined
    }
    for (let until = performance.now() + tries * PAUSE_MS; performance.now() < until && !isStopped();) {
      words.park(words.listen(), PAUSE_MS)
    }
  }
  return undefined
}

/** Runs the maintainer. */
export function runMaintainer(tier: Tier, disk: Disk, config: TierConfig, isStopped: () => boolean): void {
  const { log, words, me } = tier
  words.setKernelThread(1, kernelThread())
  while (!words.claim(me.label)) {
    if (isStopped()) return
    words.park(words.listen(), CLAIM_MS)
  }
  const maintainer = beginMaintainer(tier, disk, config, isStopped)
  while (maintainer === undefined && !isStopped()) words.park(words.listen(), IDLE_MS)
  while (!isStopped()) {
    const heard = words.listen()
    if (!maintainer!.step() && !isStopped()) words.park(heard, maintainer!.isBusy ? CLAIM_MS : IDLE_MS)
  }
  maintainer?.close()
  words.unclaim(me.label)
  log.announce()
}
