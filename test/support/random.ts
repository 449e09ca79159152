/** A seeded source of numbers: the same seed gives the same run. */
export interface Random {
  /** A whole number from 0 up to, and without, `below`. */
  int(below: number): number
  /** True in `percent` of 100 calls. */
  chance(percent: number): boolean
  pick<T>(items: readonly T[]): T
}

export function random(seed: number): Random {
  let state = (seed ^ 0x9e3779b9) >>> 0
  // mulberry32
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }
  const int = (below: number): number => Math.floor((next() / 2 ** 32) * below)
  return {
    int,
    chance: (percent) => int(100) < percent,
    pick: (items) => items[int(items.length)]!,
  }
}

/** A number from the environment that makes a run longer, or its size in CI. */
export function fromEnv(name: string, fallback: number): number {
  const text = process.env[name]
  if (text === undefined || text === '') return fallback
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${name} must be a whole number, not "${text}"`)
  return value
}
