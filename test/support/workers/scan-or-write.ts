import type { Store } from '../../../src/index.ts'
import { stop } from '../crew.ts'
import { random, type Random } from '../random.ts'
import { stopped, workerMain } from '../worker-main.ts'

export interface ScanOrWrite {
  readonly seed: number
  /** Threads up to this one scan; the others write. */
  readonly scanners: number
  readonly scans: number
  /** Keys are numbered up to this; every third one stays throughout. */
  readonly keys: number
}

export interface ScanCounts {
  readonly stayed: number
  readonly passing: number
  readonly written: number
}

const name = (number: number): string => `key ${String(number).padStart(5, '0')}`
const stays = (number: number): boolean => number % 3 === 0

workerMain<ScanOrWrite, ScanCounts>((store, given) => {
  const rng = random(given.seed * 100 + given.thread)
  const counts = { stayed: 0, passing: 0, written: 0 }
  if (given.thread >= given.scanners) {
    while (!stopped(given.gate)) {
      write(store, rng, given.keys)
      counts.written++
    }
    return counts
  }
  for (let i = 0; i < given.scans; i++) {
    const seen = scan(store, rng, given.keys)
    counts.stayed += seen.stayed
    counts.passing += seen.passing
  }
  // The first of the scanners to be done ends the writing: the others then find the store at rest, which is right too.
  stop(given.gate)
  return counts
})

/** Fills or empties a run of the keys that do not stay, and overwrites one that does with what it holds. */
function write(store: Store<string, string>, rng: Random, keys: number): void {
  const from = rng.int(keys)
  const fill = rng.chance(50)
  for (let number = from; number < Math.min(keys, from + 40); number++) {
    const key = name(number)
    if (stays(number)) store.set(key, key)
    else if (fill) store.set(key, key)
    else store.delete(key)
  }
}

function scan(store: Store<string, string>, rng: Random, keys: number): { stayed: number; passing: number } {
  const reverse = rng.chance(50)
  const [a, b] = [rng.int(keys), rng.int(keys)].toSorted((x, y) => x - y)
  const [from, to] = rng.chance(50) ? [0, keys] : [a!, b!]
  const seen: number[] = []
  for (const [key, value] of store.entries({ gte: name(from), lt: name(to), reverse })) {
    if (key !== value) throw new Error(`the scan gave ${value} for ${key}`)
    seen.push(Number(key.slice(4)))
    // A slow consumer: the store is used between the steps of the cursor.
    if (rng.chance(3)) store.get(name(rng.int(keys)))
  }
  if (reverse) seen.reverse()
  for (let i = 0; i < seen.length; i++) {
    if (seen[i]! < from || seen[i]! >= to) throw new Error(`${seen[i]} is outside ${from} to ${to}`)
    if (i > 0 && seen[i - 1]! >= seen[i]!) throw new Error(`${seen[i - 1]} before ${seen[i]}, reverse: ${reverse}`)
  }
  const found = new Set(seen)
  let stayed = 0
  for (let number = Math.ceil(from / 3) * 3; number < to; number += 3) {
    if (!found.has(number)) throw new Error(`${number} stayed and was not seen between ${from} and ${to}`)
    stayed++
  }
  return { stayed, passing: seen.length - stayed }
}
