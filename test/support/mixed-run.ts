/**
 * Mixed runs of a whole durable store in one thread, and what may be there after a crash at any moment of them: what was
 * there after some number of changes, no fewer than were known to be durable by then.
 */
import { backupOnline } from '../../src/lsm/online-backup.ts'
import type { BatchOperation } from '../../src/index.ts'
import { EntrySum, textHash } from './entry-hash.ts'
import type { InlineSizes, InlineStore } from './inline-store.ts'
import { type Random, random } from './random.ts'
import { SimulatedDisk } from './simulated-disk.ts'

interface Moment {
  /** Changes of the disk by then. */
  readonly changes: number
  readonly issued: number
  readonly acknowledged: number
}

/** A backup that was made in a run. */
export interface Copied {
  readonly disk: SimulatedDisk
  /** Changes that were durable before it began, and those that had been made when it ended. */
  readonly least: number
  readonly most: number
}

/** What happened, as far as a crash is judged by it. */
export class Story {
  readonly moments: Moment[] = []
  /** EntrySum of the contents after so many changes. */
  readonly sums: number[]
  readonly backups: Copied[] = []
  private readonly ends: number[] = []
  private readonly disk: SimulatedDisk
  private readonly inline: InlineStore
  private readonly model = new Map<string, string>()
  private readonly sum = new EntrySum()
  private acknowledged = 0

  constructor(disk: SimulatedDisk, inline: InlineStore) {
    this.disk = disk
    this.inline = inline
    for (const [key, value] of inline.store) this.put(key, value)
    this.sums = [this.sum.value]
    this.note()
  }

  has(key: string): boolean {
    return this.model.has(key)
  }

  value(key: string): string | undefined {
    return this.model.get(key)
  }

  /** Has `change` made, which writes `entries` as one record. */
  change(entries: readonly (readonly [string, string | undefined])[], change: () => void): void {
    change()
    for (const [key, value] of entries) this.put(key, value)
    this.ends.push(this.inline.tier.log.frontier())
    this.sums.push(this.sum.value)
    this.note()
  }

  private put(key: string, value: string | undefined): void {
    const old = this.model.get(key)
    if (old !== undefined) this.sum.subtract(textHash(key, old))
    if (value === undefined) this.model.delete(key)
    else {
      this.model.set(key, value)
      this.sum.add(textHash(key, value))
    }
  }

  note(): void {
    const { log } = this.inline.tier
    while (this.acknowledged < this.ends.length && log.isStable(this.ends[this.acknowledged])) this.acknowledged++
    this.moments.push({ changes: this.disk.journal.length, issued: this.ends.length, acknowledged: this.acknowledged })
  }

  get issued(): number {
    return this.ends.length
  }

  get durable(): number {
    return this.acknowledged
  }

  /** What is wrong with the contents after a crash, or ''. */
  fault(found: number, prefix: number): string {
    let issued = 0
    let acknowledged = 0
    for (const moment of this.moments) {
      if (moment.changes <= prefix) acknowledged = moment.acknowledged
      issued = moment.issued
      if (moment.changes >= prefix + 1) break
    }
    return this.isBetween(found, acknowledged, issued)
  }

  isBetween(found: number, least: number, most: number): string {
    for (let i = most; i >= least; i--) if (this.sums[i] === found) return ''
    const elsewhere = this.sums.lastIndexOf(found)
    return `what is there is not one of the states ${least} to ${most}, but ${elsewhere < 0 ? 'none' : elsewhere}`
  }
}

/** What of a run can be chosen. */
export interface RunShape {
  readonly name: string
  readonly sizes: InlineSizes
  readonly keys: number
  /** Bytes of the longest value. */
  readonly valueBytes: number
  readonly steps: number
  /** Keys that are read between two steps. */
  readonly reads: number
}

const keyOf = (rng: Random, { keys }: RunShape): string => `key ${rng.int(keys)}`

/** Makes a change of some kind. */
export function changeOnce(story: Story, { store }: InlineStore, rng: Random, shape: RunShape, i: number): void {
  const key = keyOf(rng, shape)
  const value = `${i} ${'.'.repeat(rng.int(shape.valueBytes))}`
  const pick = rng.int(20)
  if (pick < 9) return story.change([[key, value]], () => store.set(key, value))
  if (pick < 12) {
    if (!story.has(key)) return
    return story.change([[key, undefined]], () => void store.delete(key))
  }
  if (pick < 14) return story.change([[key, value]], () => void store.update(key, () => value))
  if (pick === 14) {
    return story.change([[key, value]], () => void store.compareAndSet(key, story.value(key), value))
  }
  const other = keyOf(rng, shape)
  const entries: [string, string | undefined][] = [['a', `${i}`], [key, value], ['z', pick % 2 === 0 ? `${i}` : undefined]] // prettier-ignore
  if (other !== key && rng.chance(50)) entries.push([other, story.has(other) ? undefined : value])
  if (pick < 17) return story.change(entries, () => store.batch(entries.map(operationOf)))
  story.change(entries, () => {
    store.transaction((tx) => {
      tx.get(other)
      for (const [name, next] of entries) {
        if (next === undefined) tx.delete(name)
        else tx.set(name, next)
      }
    })
  })
}

function operationOf([key, value]: readonly [string, string | undefined]): BatchOperation<string, string> {
  return value === undefined ? { type: 'delete', key } : { type: 'set', key, value }
}

/** Copies the store while steps go on, if `rng` has it so. */
function backUp(story: Story, inline: InlineStore, from: SimulatedDisk, rng: Random, between: () => void): void {
  const disk = new SimulatedDisk(rng.int(1000))
  const least = story.durable
  backupOnline(inline.tier, from, disk, {
    onProgress: () => {
      if (rng.chance(30)) between()
    },
  })
  story.backups.push({ disk, least, most: story.issued })
}

/** A mixed run, to its end: an orderly close, or none. */
export function mixedRun(
  disk: SimulatedDisk,
  inline: InlineStore,
  seed: number,
  shape: RunShape,
  steps = shape.steps,
): Story {
  const rng = random(seed)
  const story = new Story(disk, inline)
  let changes = 0
  const change = (): void => {
    inline.makeRoom()
    changeOnce(story, inline, rng, shape, changes++)
  }
  const background = (): void => {
    const pick = rng.int(24)
    if (pick < 9) inline.turn(pick < 3)
    else if (pick < 20) inline.step()
    else if (pick === 20) inline.newLogWorker()
    else if (pick === 21) inline.newMaintainer()
    else if (pick === 22) inline.tier.words.wantFlush()
    else inline.tier.words.wantCompaction()
    story.note()
  }
  for (let i = 0; i < steps; i++) {
    for (let count = rng.int(3); count >= 0; count--) change()
    for (let count = shape.reads; count > 0; count--) inline.store.get(keyOf(rng, shape))
    for (let count = rng.int(5); count >= 0; count--) background()
    if (rng.chance(6)) {
      backUp(story, inline, disk, rng, () => {
        if (rng.chance(50)) change()
        background()
      })
    }
  }
  inline.close()
  story.note()
  return story
}
