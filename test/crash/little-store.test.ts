/**
 * Crashes at every moment of a mixed run of logs, tables and manifests, and again during the recovery from them.
 *
 * After each, what is there is a prefix of what was done, without holes, and contains all that was acknowledged before the
 * crash. `CRASH_STATES` makes it longer: states for each moment, 12 by default.
 */
import { describe, expect, it } from 'vitest'
import { forEachCrash } from '../support/crash-states.ts'
import { LittleStore, type Sabotage } from '../support/little-store.ts'
import { fromEnv, random } from '../support/random.ts'
import { type Files, SimulatedDisk } from '../support/simulated-disk.ts'

const EACH = fromEnv('CRASH_STATES', 12)
const SEED = fromEnv('CRASH_SEED', 1)

interface Moment {
  /** Changes of the disk by then. */
  readonly changes: number
  readonly issued: number
  readonly acknowledged: number
}

/** A mixed run. @returns what was issued and acknowledged, by the length of the journal */
function run(disk: SimulatedDisk, seed: number, steps: number, sabotage: Sabotage = {}): Moment[] {
  const rng = random(seed)
  const moments: Moment[] = []
  const store = new LittleStore(disk, sabotage)
  const note = (): void => {
    moments.push({ changes: disk.journal.length, issued: store.last, acknowledged: store.acknowledged })
  }
  note()
  for (let i = 0; i < steps; i++) {
    const choice = rng.int(20)
    for (let count = rng.int(4); count >= 0; count--) store.add()
    // The records may reach the disk from here on.
    note()
    if (choice < 2) store.addAborted()
    if (choice === 2) store.flush()
    else if (choice === 3) store.rotate()
    else if (choice === 4) store.committer.prepare()
    else if (choice < 9) store.committer.round(false)
    else store.commit()
    if (choice < 9 && rng.chance(30)) store.commit()
    if (i % 10 === 9) store.commit()
    note()
  }
  store.close()
  return moments
}

function momentAt(moments: readonly Moment[], prefix: number): { issued: number; acknowledged: number } {
  let issued = 0
  let acknowledged = 0
  for (const moment of moments) {
    if (moment.changes <= prefix) acknowledged = moment.acknowledged
    issued = moment.issued
    if (moment.changes >= prefix + 1) break
  }
  return { issued, acknowledged }
}

/** Opens what is left and looks at it. @returns what is wrong, or '' */
function fault(files: Files, issued: number, acknowledged: number): string {
  const disk = SimulatedDisk.with(files)
  try {
    const store = new LittleStore(disk)
    store.close()
    if (store.last < acknowledged) return `${acknowledged} was acknowledged, ${store.last} is there`
    if (store.last > issued) return `${store.last} is there, ${issued} was issued`
  } catch (error) {
    return String(error)
  }
  return disk.openFiles === 0 ? '' : `${disk.openFiles} files are open`
}

describe('a little store', () => {
  it('has all that was acknowledged after a crash at any moment', () => {
    let states = 0
    for (let seed = SEED; seed < SEED + 8; seed++) {
      const disk = new SimulatedDisk(seed)
      const moments = run(disk, seed, 40)
      states += forEachCrash(disk.journal, random(seed), EACH, (files, prefix) => {
        const { issued, acknowledged } = momentAt(moments, prefix)
        const wrong = fault(files, issued, acknowledged)
        if (wrong !== '') expect.fail(`seed ${seed}, after ${prefix} changes: ${wrong}`)
      })
    }
    console.log(`${states} crash states, seed ${SEED}, 0 violations`)
    expect(states).toBeGreaterThan(1000)
  })

  it('has it after a crash during the recovery, too', () => {
    let states = 0
    const rng = random(SEED)
    for (let seed = SEED; seed < SEED + 4; seed++) {
      const disk = new SimulatedDisk(seed)
      const moments = run(disk, seed, 30)
      forEachCrash(disk.journal, random(seed), 1, (files, prefix) => {
        const { issued, acknowledged } = momentAt(moments, prefix)
        const second = SimulatedDisk.with(files, seed)
        const initial = second.initial()
        const store = new LittleStore(second)
        const recovered = store.last
        const recoveredAt = second.journal.length
        store.add()
        store.commit()
        const acknowledgedAt = second.journal.length
        if (rng.chance(50)) store.flush()
        store.close()
        states += forEachCrash(
          second.journal,
          rng,
          2,
          (left, at) => {
            // What a reader has been given after the recovery must stay, and what was acknowledged after it.
            const least = at >= acknowledgedAt ? recovered + 1 : at >= recoveredAt ? recovered : acknowledged
            const wrong = fault(left, Math.max(issued, recovered + 1), least)
            if (wrong !== '') expect.fail(`seed ${seed}, after ${prefix} and ${at} changes: ${wrong}`)
          },
          initial,
        )
      })
    }
    expect(states).toBeGreaterThan(1000)
  })

  it('has it after kills of the process and one crash of the machine', () => {
    for (let seed = SEED; seed < SEED + 12; seed++) {
      const disk = new SimulatedDisk(seed)
      const rng = random(seed)
      let last = 0
      const moments: Moment[] = []
      for (let life = 0; life < 4; life++) {
        const store = new LittleStore(disk)
        expect(store.last).toBeGreaterThanOrEqual(last)
        // Whoever has read it after a start counts on it.
        moments.push({ changes: disk.journal.length, issued: store.last, acknowledged: store.last })
        for (let i = 0; i < 6; i++) {
          store.add()
          moments.push({ changes: disk.journal.length, issued: store.last, acknowledged: store.acknowledged })
          if (rng.chance(40)) store.committer.round(false)
          if (rng.chance(30)) store.commit()
          if (rng.chance(10)) store.flush()
          moments.push({ changes: disk.journal.length, issued: store.last, acknowledged: store.acknowledged })
        }
        last = store.acknowledged
      }
      forEachCrash(disk.journal, rng, 4, (files, prefix) => {
        const { acknowledged } = momentAt(moments, prefix)
        const wrong = fault(files, Infinity, acknowledged)
        if (wrong !== '') expect.fail(`seed ${seed}, after ${prefix} changes: ${wrong}`)
      })
    }
  })

  it.each<Sabotage>([{ earlyRemoval: true }, { manifestFirst: true }])('is found out with %j', (sabotage) => {
    let found = ''
    for (let seed = 1; seed < 6 && found === ''; seed++) {
      const disk = new SimulatedDisk(seed)
      const moments = run(disk, seed, 40, sabotage)
      forEachCrash(disk.journal, random(seed), 6, (files, prefix) => {
        const { issued, acknowledged } = momentAt(moments, prefix)
        found ||= fault(files, issued, acknowledged)
      })
    }
    expect(found).not.toBe('')
  })
})
