import { checkPattern, patterned, patternSizes } from '../patterns.ts'
import { random } from '../random.ts'
import { workerMain } from '../worker-main.ts'

export interface PatternedValues {
  readonly seed: number
  readonly keys: number
  readonly rounds: number
}

export interface PatternCounts {
  readonly read: number
  readonly written: number
}

const margin = 0xee

// Writes values that carry their own check, in sizes from a word to extents, and reads what others wrote, in every way.
workerMain<PatternedValues, PatternCounts, string, Uint8Array>((store, { thread, seed, keys, rounds }) => {
  const rng = random(seed * 100 + thread)
  const buffer = new Uint8Array(Math.max(...patternSizes) + 64)
  const counts = { read: 0, written: 0 }
  for (let round = 0; round < rounds; round++) {
    const key = `pattern ${rng.int(keys)}`
    const size = rng.pick(patternSizes)
    const way = rng.int(10)
    if (way < 4) {
      store.set(key, patterned(round * 8 + thread, size))
      counts.written++
    } else if (way < 7) {
      const offset = rng.int(32)
      buffer.fill(margin)
      const length = store.getInto(key, buffer, offset)
      if (length < 0) continue
      checkPattern(buffer.subarray(offset, offset + length))
      const around = [...buffer.subarray(0, offset), ...buffer.subarray(offset + length, offset + length + 8)]
      if (around.some((byte) => byte !== margin)) throw new Error('getInto wrote outside its place')
      counts.read++
    } else if (way < 9) {
      const value = store.get(key)
      if (value === undefined) continue
      checkPattern(value)
      counts.read++
    } else {
      for (const value of store.values({ gte: key, limit: 3, reverse: rng.chance(50) })) {
        checkPattern(value)
        counts.read++
      }
      if (rng.chance(30)) store.delete(key)
    }
  }
  return counts
})
