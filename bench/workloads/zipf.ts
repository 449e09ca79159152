/**
 * The zipfian ranks of YCSB: Gray and others, "Quickly generating billion-record synthetic databases", SIGMOD 1994.
 * Rank 0 is the most popular.
 */
import { scramble } from './random.ts'

/** What YCSB uses. */
export const THETA = 0.99

export class Zipf {
  private readonly count: number
  private readonly theta: number
  private readonly alpha: number
  private readonly zeta: number
  private readonly eta: number
  private readonly half: number

  constructor(count: number, theta = THETA) {
    this.count = count
    this.theta = theta
    this.alpha = 1 / (1 - theta)
    this.zeta = zetaOf(count, theta)
    this.half = 1 + 0.5 ** theta
    this.eta = (1 - (2 / count) ** (1 - theta)) / (1 - this.half / this.zeta)
  }

  /** The rank for a uniform number from 0 up to 1. */
  rank(uniform: number): number {
    const scaled = uniform * this.zeta
    if (scaled < 1) return 0
    if (scaled < this.half) return Math.min(1, this.count - 1)
    return Math.min(this.count - 1, Math.floor(this.count * (this.eta * uniform - this.eta + 1) ** this.alpha))
  }

  /** Likewise, with the popular ones strewn over all records, as YCSB does. */
  scattered(uniform: number): number {
    return scramble(this.rank(uniform) + 1) % this.count
  }

  /** The share of all draws that goes to a rank. */
  share(rank: number): number {
    return 1 / (rank + 1) ** this.theta / this.zeta
  }
}

const zetas = new Map<string, number>()

function zetaOf(count: number, theta: number): number {
  const name = `${count} ${theta}`
  let sum = zetas.get(name)
  if (sum === undefined) {
    sum = 0
    for (let i = 1; i <= count; i++) sum += 1 / i ** theta
    zetas.set(name, sum)
  }
  return sum
}
