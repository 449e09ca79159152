/**
 * Depth-first search over all interleavings, with at most so many preemptions: switches away from a thread that could
 * have gone on (Musuvathi and Qadeer: "Iterative context bounding", PLDI 2007). Without a bound it is the plain search
 * that everything cleverer is measured against.
 */
import { Choices } from './choices.ts'
import { type Strategy, has, lowest } from './strategy.ts'
import { trace } from './trace.ts'

export class BoundedSearch implements Strategy {
  readonly choices = new Choices()
  /** Executions in which the bound left out an alternative. */
  clipped = false
  private readonly bound: number
  private preemptions = 0

  /** @param bound most preemptions of an execution; Infinity for all interleavings */
  constructor(bound: number) {
    this.bound = bound
  }

  get known(): number {
    return this.choices.known
  }

  begin(): void {
    this.preemptions = 0
  }

  choose(current: number, enabled: number): number {
    const { choices } = this
    const depth = trace.depth
    let chosen: number
    if (depth < choices.length) chosen = choices.repeat(depth, enabled)
    else {
      const canStay = has(enabled, current)
      const free = !canStay || this.preemptions < this.bound
      if (!free && (enabled & (enabled - 1)) !== 0) this.clipped = true
      chosen = canStay ? current : lowest(enabled)
      choices.push(chosen, enabled, free ? enabled : 1 << chosen, 0)
    }
    if (chosen !== current && has(enabled, current)) this.preemptions++
    return chosen
  }

  executed(): void {
    // Every order counts as different.
  }

  order(): void {
    // See `executed`.
  }

  advance(): boolean {
    return this.choices.backtrack()
  }

  progress(): number {
    return this.choices.progress()
  }
}
