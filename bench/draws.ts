/** Indices drawn by a small generator, and keys for them: the same for every engine. */
import { keyOf } from './load.ts'

/** Indices below `records`, drawn with replacement; the same seed gives the same ones. */
export function drawIndices(count: number, seed: number, records: number): Int32Array {
  const indices = new Int32Array(count)
  let state = Math.imul(seed, 0x9e3779b1) | 1
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    // The high bits: the low ones of such a generator have short periods.
    indices[i] = Math.floor(((state >>> 0) / 2 ** 32) * records)
  }
  return indices
}

/** Fresh flat 16-byte strings, in memory in the order of their use (see load.ts). */
export function drawStrings(count: number, seed: number, records: number): string[] {
  const keys: string[] = []
  for (const index of drawIndices(count, seed, records)) keys.push(keyOf(index))
  return keys
}

/** The i-th number key: no two alike, in an order that has nothing to do with i. */
export function numberOf(i: number): number {
  return Math.imul(i + 1, 0x9e3779b1) >>> 0
}

export function drawNumbers(count: number, seed: number, records: number): number[] {
  return Array.from(drawIndices(count, seed, records), numberOf)
}
