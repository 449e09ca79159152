/** Pseudorandom numbers that are the same everywhere for the same seed (xorshift, Marsaglia 2003). */
export class Random {
  private state: number

  constructor(seed: number) {
    // Neighbouring seeds are spread, and the state is never 0.
    this.state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ (seed >>> 13)) | 1
  }

  /** 32 bits. */
  next(): number {
    let x = this.state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.state = x
    return x >>> 0
  }

  /** An integer from 0 up to `limit`, which is not reached. */
  below(limit: number): number {
    return this.next() % limit
  }
}
