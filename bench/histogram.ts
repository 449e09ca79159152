/** Counts durations in classes that grow by 1/16 of a power of two, without allocating: an error of 3 % at most. */
import type { Latency } from './report.ts'

const STEPS = 16
const OCTAVES = 42
/** What makes the floats below 16 fall into the first classes. */
const LEAST = 16

export class Histogram {
  readonly counts: Float64Array
  /** The longest of all, exactly. */
  max = 0

  constructor(counts: Float64Array = new Float64Array(STEPS * OCTAVES)) {
    this.counts = counts
  }

  add(ns: number): void {
    if (ns > this.max) this.max = ns
    this.counts[classOf(ns)]++
  }

  /** Adds what another one counted. */
  merge(counts: Float64Array, max: number): void {
    for (let i = 0; i < counts.length; i++) this.counts[i] += counts[i]
    if (max > this.max) this.max = max
  }

  get total(): number {
    let total = 0
    for (let i = 0; i < this.counts.length; i++) total += this.counts[i]
    return total
  }

  /** A duration that the given share of all does not exceed. */
  quantile(share: number): number {
    const aim = this.total * share
    let seen = 0
    for (let i = 0; i < this.counts.length; i++) {
      seen += this.counts[i]
      if (seen > 0 && seen >= aim) return Math.min(this.max, middleOf(i))
    }
    return this.max
  }

  latency(): Latency | null {
    if (this.total === 0) return null
    const round = Math.round
    return {
      p50: round(this.quantile(0.5)),
      p99: round(this.quantile(0.99)),
      p999: round(this.quantile(0.999)),
      p9999: round(this.quantile(0.9999)),
      max: round(this.max),
    }
  }
}

function classOf(ns: number): number {
  let scaled = ns < LEAST ? LEAST : ns
  let octave = 0
  // Whole numbers of 31 bits, for clz32.
  if (scaled >= 2 ** 30) {
    scaled /= 2 ** 20
    octave = 20
  }
  const whole = scaled | 0
  const exponent = 31 - Math.clz32(whole)
  octave += exponent - 4
  const step = Math.floor((scaled / 2 ** exponent - 1) * STEPS)
  return Math.min(octave, OCTAVES - 1) * STEPS + step
}

function middleOf(index: number): number {
  const octave = Math.floor(index / STEPS)
  return LEAST * 2 ** octave * (1 + ((index % STEPS) + 0.5) / STEPS)
}
