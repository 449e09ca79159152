/** The path from the root of the search to where it stands: for each depth what could be chosen, and what was. */
import { fail } from './failure.ts'
import { has, lowest, sizeOf } from './strategy.ts'
import { grown } from './trace.ts'

const FIRST_CAPACITY = 1024

/** What is needed to go on with a search later, or elsewhere. */
export interface SavedChoices {
  readonly chosen: readonly number[]
  readonly enabled: readonly number[]
  readonly wanted: readonly number[]
  readonly asleep: readonly number[]
  readonly floor: number
  /** Threads asleep where the floor ends. */
  readonly asleepBelow: number
}

export class Choices {
  /** Depth up to which the next execution repeats. */
  length = 0
  /** Choices above this depth are not ours to change. */
  floor = 0
  asleepBelow = 0
  /** Rows of the trace that stem from an execution with the same choices. */
  known = 0
  chosen = new Int32Array(FIRST_CAPACITY)
  enabled = new Int32Array(FIRST_CAPACITY)
  /** Threads to be explored here, the explored ones included. */
  wanted = new Int32Array(FIRST_CAPACITY)
  /** Threads that need not be explored here (again). */
  asleep = new Int32Array(FIRST_CAPACITY)
  private readonly entered: number[] = []

  push(chosen: number, enabled: number, wanted: number, asleep: number): void {
    const k = this.length
    if (k === this.chosen.length) this.grow()
    this.chosen[k] = chosen
    this.enabled[k] = enabled
    this.wanted[k] = wanted
    this.asleep[k] = asleep
    this.entered[k] = asleep
    this.length = k + 1
  }

  private grow(): void {
    const capacity = this.chosen.length * 2
    this.chosen = grown(this.chosen, new Int32Array(capacity))
    this.enabled = grown(this.enabled, new Int32Array(capacity))
    this.wanted = grown(this.wanted, new Int32Array(capacity))
    this.asleep = grown(this.asleep, new Int32Array(capacity))
  }

  /** The choice that is to be repeated at a depth. */
  repeat(depth: number, enabled: number): number {
    const chosen = this.chosen[depth]!
    if (!has(enabled, chosen)) {
      fail('nondeterminism', `step ${depth}: thread ${chosen} could go on here before, and now it cannot`)
    }
    return chosen
  }

  /** Goes to the next choice that is wanted, from the deepest. @returns false if there is none left */
  backtrack(): boolean {
    for (let k = this.length - 1; k >= this.floor; k--) {
      this.asleep[k]! |= 1 << this.chosen[k]!
      const rest = this.wanted[k]! & ~this.asleep[k]! & this.enabled[k]!
      if (rest !== 0) {
        this.chosen[k] = lowest(rest)
        this.length = k + 1
        this.known = k
        return true
      }
    }
    this.length = this.floor
    return false
  }

  /** The part explored, if all that is left at a depth were as large as what is done there. */
  progress(): number {
    let done = 0
    let share = 1
    for (let k = this.floor; k < this.length && share > 1e-12; k++) {
      const wanted = this.wanted[k]! & ~this.entered[k]!
      const total = Math.max(1, sizeOf(wanted))
      done += (share * sizeOf(wanted & this.asleep[k]!)) / total
      share /= total
    }
    return done
  }

  save(): SavedChoices {
    const upTo = (from: Int32Array): number[] => Array.from(from.subarray(0, this.length))
    return {
      chosen: upTo(this.chosen),
      enabled: upTo(this.enabled),
      wanted: upTo(this.wanted),
      asleep: upTo(this.asleep),
      floor: this.floor,
      asleepBelow: this.asleepBelow,
    }
  }

  load(saved: SavedChoices): void {
    this.length = 0
    saved.chosen.forEach((chosen, k) => {
      this.push(chosen, saved.enabled[k]!, saved.wanted[k]!, saved.asleep[k]!)
    })
    this.floor = saved.floor
    this.asleepBelow = saved.asleepBelow
    this.known = 0
  }
}
