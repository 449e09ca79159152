/** What a thread will do in a round, drawn before the clock starts: an operation and a key for each step. */
import type { Key, KeyKind, Operation } from '../engines/engine.ts'
import type { Workload } from './catalog.ts'
import { type KeyMaker, keyMaker } from './keys.ts'
import { Random } from './random.ts'
import { Zipf } from './zipf.ts'

export const READ = 0
export const READ_INTO = 1
export const SET = 2
export const DELETE = 3
export const UPDATE = 4
export const SCAN = 5

export const OPERATIONS: readonly Operation[] = ['read', 'readInto', 'set', 'delete', 'update', 'scan']

/** The first key of all: a scan from the very beginning. */
const MOST_SCAN_ENTRIES = 100

export interface Plan {
  readonly count: number
  readonly keys: Key[]
  /** The operation, if all are the same; else -1, and `codes` tells. */
  readonly code: number
  readonly codes: Uint8Array
  /** Entries of each scan; empty if all take `limit`. */
  readonly limits: Uint8Array
  readonly limit: number
}

/** Operations that a workload needs an engine to have. */
export function needs(workload: Workload): Operation[] {
  if (workload.kind === 'load') return ['set']
  if (workload.kind === 'churn') return ['delete', 'set']
  const { read, readInto, set, update, insert, scan } = workload.mix
  const found: Operation[] = []
  if (read !== undefined) found.push('read')
  if (readInto !== undefined) found.push('readInto')
  if (set !== undefined || insert !== undefined) found.push('set')
  if (update !== undefined) found.push('update')
  if (scan !== undefined) found.push('scan')
  return found
}

/** Draws plans for one thread. Remembers what this thread has inserted, so no key is inserted twice. */
export class Planner {
  private readonly records: number
  private readonly lane: number
  private readonly lanes: number
  private readonly random: KeyMaker
  private readonly sequential: KeyMaker
  private readonly universe: Key[] | undefined
  private zipf: Zipf | undefined
  private inserted = 0

  /**
   * @param shuffled keys are drawn from an array of all keys, made beforehand: the order of use is not that of the memory
   * @param lane this thread's number among `lanes`
   */
  constructor(kind: KeyKind, records: number, shuffled: boolean, lane: number, lanes: number) {
    this.records = records
    this.lane = lane
    this.lanes = lanes
    this.random = keyMaker(kind, false)
    this.sequential = keyMaker(kind, true)
    if (shuffled) {
      this.universe = []
      for (let i = 0; i < records; i++) this.universe.push(this.random(i))
    }
  }

  private keyOf(index: number): Key {
    return this.universe !== undefined && index < this.records ? this.universe[index] : this.random(index)
  }

  /** The keys of part `part` of `parts`. */
  load(sequential: boolean, part: number, parts: number): Plan {
    const keys: Key[] = []
    const maker = sequential ? this.sequential : this.random
    for (let i = part; i < this.records; i += parts) keys.push(sequential ? maker(i) : this.keyOf(i))
    return { count: keys.length, keys, code: SET, codes: new Uint8Array(0), limits: new Uint8Array(0), limit: 0 }
  }

  /** `count` steps of a workload. */
  draw(workload: Workload, count: number, seed: number): Plan {
    const random = new Random(seed)
    const keys: Key[] = []
    const codes = new Uint8Array(count)
    const limits = new Uint8Array(workload.scanEntries === 0 ? count : 0)
    if (workload.kind === 'churn') this.churn(keys, codes, count, random)
    else for (let i = 0; i < count; i++) this.step(workload, i, keys, codes, limits, random)
    let code = count > 0 ? codes[0] : SET
    for (let i = 0; i < count; i++) if (codes[i] !== code) code = -1
    return { count, keys, code, codes, limits, limit: workload.scanEntries }
  }

  private step(
    workload: Workload,
    i: number,
    keys: Key[],
    codes: Uint8Array,
    limits: Uint8Array,
    random: Random,
  ): void {
    const { mix } = workload
    let drawn = workload.alternate ? (i & 1) / 2 : random.next()
    const isNext = (share = 0): boolean => {
      if (drawn < share) return true
      drawn -= share
      return false
    }
    if (isNext(mix.insert)) {
      codes[i] = SET
      keys.push(this.keyOf(this.records + this.inserted++ * this.lanes + this.lane))
      return
    }
    if (isNext(mix.read)) codes[i] = READ
    else if (isNext(mix.readInto)) codes[i] = READ_INTO
    else if (isNext(mix.set)) codes[i] = SET
    else if (isNext(mix.update)) codes[i] = UPDATE
    else codes[i] = SCAN
    if (limits.length > 0) limits[i] = 1 + random.below(MOST_SCAN_ENTRIES)
    keys.push(this.keyOf(this.choose(workload, random)))
  }

  private churn(keys: Key[], codes: Uint8Array, count: number, random: Random): void {
    for (let i = 0; i < count; i++) {
      const again = (i & 1) === 1
      codes[i] = again ? SET : DELETE
      keys.push(again ? keys[i - 1] : this.keyOf(random.below(this.records)))
    }
  }

  private choose(workload: Workload, random: Random): number {
    const uniform = random.next()
    if (workload.choose === 'hot') return 0
    if (workload.choose === 'uniform') return Math.floor(uniform * this.records)
    this.zipf ??= new Zipf(this.records)
    if (workload.choose === 'zipf') return this.zipf.scattered(uniform)
    // What this thread inserted last comes first, then what was loaded last.
    const back = this.zipf.rank(uniform)
    if (back < this.inserted) return this.records + (this.inserted - 1 - back) * this.lanes + this.lane
    return Math.max(0, this.records - 1 - (back - this.inserted))
  }
}
