/** Schedules drawn at random, for scenarios that are too large to be explored to their end. */
import { MAX_THREADS } from './events.ts'
import { Random } from './random.ts'
import { type Strategy, lowest, sizeOf } from './strategy.ts'
import { trace } from './trace.ts'

abstract class Sampling implements Strategy {
  readonly known = 0
  protected readonly random: Random

  constructor(seed: number) {
    this.random = new Random(seed)
  }

  abstract begin(): void
  abstract choose(current: number, enabled: number): number

  executed(): void {
    // Nothing is learned from a step.
  }

  order(): void {
    // See `executed`.
  }

  advance(): boolean {
    return true
  }

  progress(): number {
    return NaN
  }
}

/** At each step, any thread that can go on, with equal chances. */
export class RandomWalk extends Sampling {
  begin(): void {
    // Each execution just goes on with the same random numbers.
  }

  choose(_current: number, enabled: number): number {
    let rest = enabled
    for (let skip = this.random.below(sizeOf(enabled)); skip > 0; skip--) rest &= rest - 1
    return lowest(rest)
  }
}

/**
 * Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS 2010): random priorities, and
 * `depth` - 1 random steps at which the running thread falls behind all others. It meets a bug of that depth with a
 * probability of at least 1 / (threads * steps ** (depth - 1)) in each execution.
 */
export class Pct extends Sampling {
  private readonly depth: number
  private readonly priority = new Int32Array(MAX_THREADS)
  private changes: number[] = []
  private lowest = 0
  /** Steps of an execution, as seen so far. */
  private steps = 16

  constructor(depth: number, seed: number) {
    super(seed)
    this.depth = depth
  }

  begin(): void {
    this.steps = Math.max(this.steps, trace.depth)
    this.lowest = 0
    for (let t = 0; t < MAX_THREADS; t++) this.priority[t] = t + 1
    for (let t = MAX_THREADS - 1; t > 0; t--) {
      const other = this.random.below(t + 1)
      const held = this.priority[t]!
      this.priority[t] = this.priority[other]!
      this.priority[other] = held
    }
    this.changes = Array.from({ length: this.depth - 1 }, () => 1 + this.random.below(this.steps))
  }

  choose(current: number, enabled: number): number {
    if (current >= 0 && this.changes.includes(trace.depth)) this.priority[current] = --this.lowest
    let best = lowest(enabled)
    for (let rest = enabled & (enabled - 1); rest !== 0; rest &= rest - 1) {
      const t = lowest(rest)
      if (this.priority[t]! > this.priority[best]!) best = t
    }
    return best
  }
}
