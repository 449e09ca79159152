/** Mixed runs of a whole tier, and what may be there after a crash at any moment of them. */
import { HeddleError } from '../../src/memory/error.ts'
import { type HandTier, contents } from './hand-tier.ts'
import { type Random, random } from './random.ts'
import type { SimulatedDisk } from './simulated-disk.ts'

interface Moment {
  /** Changes of the disk by then. */
  readonly changes: number
  readonly issued: number
  readonly acknowledged: number
}

/** What happened, as far as a crash is judged by it. */
export class History {
  readonly moments: Moment[] = []
  readonly refusals: HeddleError[] = []
  /** Contents after so many changes. */
  readonly states: string[]
  private readonly ends: number[] = []
  private readonly disk: SimulatedDisk
  private readonly store: HandTier
  private acknowledged = 0

  constructor(disk: SimulatedDisk, store: HandTier) {
    this.disk = disk
    this.store = store
    this.states = [contents(store.map)]
    this.note()
  }

  /** Makes a change. */
  change(body: () => void): void {
    body()
    this.ends.push(this.store.tier.log.frontier())
    this.states.push(contents(this.store.map))
    this.note()
  }

  /** As `change`, if it is not refused. */
  tryChange(body: () => void): void {
    try {
      this.change(body)
    } catch (error) {
      if (!(error instanceof HeddleError)) throw error
      this.refusals.push(error)
    }
  }

  note(): void {
    const { log } = this.store.tier
    while (this.acknowledged < this.ends.length && log.isStable(this.ends[this.acknowledged])) this.acknowledged++
    this.moments.push({ changes: this.disk.journal.length, issued: this.ends.length, acknowledged: this.acknowledged })
  }

  /** Least and most changes that may be there after a crash. */
  at(prefix: number): { issued: number; acknowledged: number } {
    let issued = 0
    let acknowledged = 0
    for (const moment of this.moments) {
      if (moment.changes <= prefix) acknowledged = moment.acknowledged
      issued = moment.issued
      if (moment.changes >= prefix + 1) break
    }
    return { issued, acknowledged }
  }

  /** What is wrong with the contents after a crash, or ''. */
  fault(found: string, prefix: number): string {
    const { issued, acknowledged } = this.at(prefix)
    for (let i = issued; i >= acknowledged; i--) if (this.states[i] === found) return ''
    return `neither of the states ${acknowledged} to ${issued} is there, but ${found}`
  }
}

function changeOf(store: HandTier, rng: Random, i: number): () => void {
  const key = `key ${rng.int(12)}`
  const pick = rng.int(10)
  if (pick < 6) return () => store.put(key, `value ${i} ${'.'.repeat(rng.int(60))}`)
  if (pick < 8) return () => store.remove(key)
  const last = pick === 8 ? undefined : `${i}`
  return () => store.batch([['a', `${i}`], [key, `batch ${i}`], ['z', last]]) // prettier-ignore
}

/**
 * A mixed run, to its end. Changes that are refused are as if they had not been asked for.
 * @param deaths whether log worker and maintainer are replaced now and then, which leaves their files open
 */
export function run(disk: SimulatedDisk, store: HandTier, seed: number, steps: number, deaths = true): History {
  const rng = random(seed)
  const history = new History(disk, store)
  for (let i = 0; i < steps; i++) {
    for (let count = rng.int(3); count >= 0; count--) history.tryChange(changeOf(store, rng, i))
    for (let count = rng.int(5); count >= 0; count--) {
      const pick = rng.int(deaths ? 20 : 18)
      if (pick < 8) store.turn(pick < 3)
      else if (pick < 18) store.maintainer.step()
      else if (pick === 18) store.newLogWorker()
      else store.newMaintainer()
      history.note()
    }
  }
  store.close()
  history.note()
  return history
}
