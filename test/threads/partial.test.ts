import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileDisk } from '../../src/lsm/file-disk.ts'
import { crew } from '../support/crew.ts'
import { assertLinearizable, newHistory } from '../support/history.ts'
import { type PartialKit, compact, evictAll, flush, openPartial } from '../support/partial-store.ts'
import { fromEnv, random } from '../support/random.ts'
import { MIB, settle, tiny } from '../support/stores.ts'
import type { HotBatches } from '../support/workers/hot-batches.ts'
import type { HotKeys } from '../support/workers/hot-keys.ts'

const rounds = fromEnv('HISTORY_ROUNDS', 1)
const firstSeed = fromEnv('HISTORY_SEED', 1)
const threads = 3
const operations = 1200

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'heddle-partial-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

/** Flushes, evicts and compacts until the crew is done. @returns what it gave */
async function behind<R>(kit: PartialKit, seed: number, work: Promise<R>): Promise<R> {
  const rng = random(seed)
  let done = false
  const ended = work.finally(() => (done = true))
  ended.catch(() => undefined)
  while (!done) {
    if (rng.chance(80)) flush(kit)
    evictAll(kit)
    if (rng.chance(10)) compact(kit)
    await sleep(rng.int(3))
  }
  return ended
}

const variants = [
  { name: 'on tiny pages', tuning: tiny },
  {
    name: 'on tiny pages, with values out of line and freed memory poisoned',
    tuning: { ...tiny, inlineBytes: 16, paranoid: true },
  },
]

describe.each(variants)(
  'operations of several workers are linearizable while what they wrote leaves the tree, $name',
  ({ tuning }) => {
    it('on a few hot keys', { timeout: 120_000 * rounds }, async () => {
      for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
        const kit = openPartial({ memory: 16 * MIB, tuning }, new FileDisk(directory))
        const history = newHistory(threads, operations)
        const data: HotKeys = { history, threads, seed, keys: 3 }
        await behind(
          kit,
          seed,
          crew<number>(kit.store, 'hot-keys', threads, () => ({ ...data, tables: directory })),
        )
        expect(assertLinearizable(history)).toBe(threads * operations)
        const { evictions, fills } = kit.store.stats()
        expect(evictions).toBeGreaterThan(10)
        expect(fills).toBeGreaterThan(5)
        await settle(kit.store)
        kit.store.close()
      }
    })

    it('with batches and snapshots', { timeout: 120_000 * rounds }, async () => {
      for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
        const kit = openPartial({ memory: 16 * MIB, tuning }, new FileDisk(directory))
        const history = newHistory(threads, operations)
        const data: HotBatches = { history, threads, seed, keys: 4 }
        await behind(
          kit,
          seed,
          crew<number>(kit.store, 'hot-batches', threads, () => ({ ...data, tables: directory })),
        )
        expect(assertLinearizable(history)).toBeGreaterThan(threads * (operations - 4))
        expect(kit.store.stats().evictions).toBeGreaterThan(10)
        await settle(kit.store)
        kit.store.close()
      }
    })
  },
)
