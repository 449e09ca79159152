/** An exception out of nowhere, as want of stack is, while a batch is written: no hole in a segment, which walkers do not pass. */
import { expect, it } from 'vitest'
import type { Engine } from '../../../src/store/engine.ts'
import { batchOf, entries, faults, firstEngine, put, setKey, wrongCounts } from './engines.ts'

/** Writes a batch, and throws at a completion of a block, before or after it. @returns whether it came so far */
function unwoundBatch(engine: Engine, nth: number, after: boolean): boolean {
  const { log, tree, arena } = engine
  const { writer, batchWriter } = tree
  const complete = log.complete.bind(log)
  let count = 0
  log.complete = (address, header) => {
    count++
    if (count === nth && !after) throw new RangeError('unwound')
    complete(address, header)
    if (count === nth) throw new RangeError('unwound')
  }
  try {
    batchWriter.begin()
    for (const key of ['a', 'b', 'new']) {
      setKey(engine, key)
      arena.bytes[writer.begin(tree.key, 1)] = 49
      writer.finish(1, 1, true)
      batchWriter.add()
    }
    batchWriter.describe(null)
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError)
  } finally {
    log.complete = complete
    batchWriter.discard()
  }
  return count >= nth
}

it.each([false, true])('at any block of it, completed %s', (after) => {
  let steps = 0
  for (let nth = 1; ; nth++) {
    const engine = firstEngine()
    for (const key of ['a', 'b', 'c']) put(engine, key, key)
    if (!unwoundBatch(engine, nth, after)) break
    steps++
    // Behind it in the same segment.
    batchOf(engine, ['c', 'd'])
    engine.log.sealAll()
    expect(wrongCounts(engine), `block ${nth}`).toEqual([])
    expect(entries(engine).map(([key]) => key)).toEqual(['a', 'b', 'c', 'd'])
    expect(faults(engine), `block ${nth}`).toEqual([])
  }
  // Three records, a list of operations, the descriptor.
  expect(steps).toBe(5)
})
