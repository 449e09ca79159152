/**
 * Crashes at every moment of a mixed run of a whole tier: log, flushes and compactions forced as often as possible, deaths
 * of log worker and maintainer in between; and again during the recovery from them.
 *
 * After each, what is there is what was there after some number of changes, no fewer than were known to be durable.
 * `CRASH_STATES` makes it longer: states for each moment, 4 by default.
 */
import { describe, expect, it } from 'vitest'
import { forEachCrash } from '../support/crash-states.ts'
import { HandTier, type HandOptions, contents } from '../support/hand-tier.ts'
import { fromEnv, random } from '../support/random.ts'
import { type Files, SimulatedDisk } from '../support/simulated-disk.ts'
import { type History, run } from '../support/tier-history.ts'

const EACH = fromEnv('CRASH_STATES', 4)
const SEED = fromEnv('CRASH_SEED', 1)

const OPTIONS: HandOptions = { memtableEntries: 5, memtableBytes: 2048, maintainer: { stepEntries: 6 } }

function opened(files: Files): { disk: SimulatedDisk; found: string } {
  const disk = SimulatedDisk.with(files)
  const store = new HandTier(disk, OPTIONS)
  const found = contents(store.map)
  store.close()
  return { disk, found }
}

function faultOf(files: Files, history: History, prefix: number): string {
  try {
    const { disk, found } = opened(files)
    if (disk.openFiles !== 0) return `${disk.openFiles} files are open`
    return history.fault(found, prefix)
  } catch (error) {
    return (error as Error).stack ?? String(error)
  }
}

describe('a tier', () => {
  it('has all that was acknowledged after a crash at any moment', { timeout: 60_000 + EACH * 30_000 }, () => {
    let states = 0
    let flushes = 0
    for (let seed = SEED; seed < SEED + 6; seed++) {
      const disk = new SimulatedDisk(seed)
      const store = new HandTier(disk, OPTIONS)
      const history = run(disk, store, seed, 45)
      flushes += store.tier.words.count(0)
      states += forEachCrash(disk.journal, random(seed), EACH, (files, prefix) => {
        const wrong = faultOf(files, history, prefix)
        if (wrong !== '') expect.fail(`seed ${seed}, after ${prefix} changes: ${wrong}`)
      })
    }
    console.log(`${states} crash states of a tier, ${flushes} flushes, seed ${SEED}, 0 violations`)
    expect(states).toBeGreaterThan(1000)
    expect(flushes).toBeGreaterThan(30)
  })

  it('has it after a crash during the recovery, too', { timeout: 60_000 + EACH * 10_000 }, () => {
    let states = 0
    const rng = random(SEED)
    for (let seed = SEED; seed < SEED + 2; seed++) {
      const disk = new SimulatedDisk(seed)
      const history = run(disk, new HandTier(disk, OPTIONS), seed, 25)
      forEachCrash(disk.journal, random(seed), 1, (files, prefix) => {
        if (!rng.chance(30)) return
        const second = SimulatedDisk.with(files, seed)
        const initial = second.initial()
        const store = new HandTier(second, OPTIONS)
        const recovered = contents(store.map)
        const wrong = history.fault(recovered, prefix)
        if (wrong !== '') expect.fail(`seed ${seed}, after ${prefix} changes: ${wrong}`)
        const openedAt = second.journal.length
        const after = run(second, store, seed + prefix, 3)
        states += forEachCrash(
          second.journal,
          rng,
          1,
          (left, at) => {
            // Before the first start was over, nobody had seen what it found.
            const again = at < openedAt ? faultOf(left, history, prefix) : faultOf(left, after, at)
            if (again !== '') expect.fail(`seed ${seed}, after ${prefix} and ${at} changes: ${again}`)
          },
          initial,
        )
      })
    }
    expect(states).toBeGreaterThan(1000)
  })
})
