/** A fill that comes late: the leaf's base, which it noted, has been freed, and another one lies at its address. */
import { expect, it } from 'vitest'
import type { Engine } from '../../../src/store/engine.ts'
import type { Below } from '../../../src/tree/below.ts'
import { MIB, tiny } from '../../support/stores.ts'
import { attachPartial, compact, evictAll, flush, openPartial } from '../../support/partial-store.ts'
import { SimulatedDisk } from '../../support/simulated-disk.ts'
import { setKey } from './engines.ts'

const MOST_ROUNDS = 6000

/** Where a record of a key would be linked that is missing. */
function placeOf(engine: Engine, key: string): string {
  const { tree, scheme } = engine
  setKey(engine, key)
  scheme.enter()
  tree.search.locate(tree.key)
  const { base, freeSlot, record } = tree.search
  scheme.leave()
  return record === 0 ? `${base} ${freeSlot}` : ''
}

it('does not bring back what has been overwritten since, though all looks as it did', { timeout: 120_000 }, () => {
  const disk = new SimulatedDisk()
  const late = openPartial<string, string>({ memory: MIB, maxThreads: 4, tuning: { ...tiny, pageIds: 64 } }, disk)
  const other = attachPartial<string, string>(late.engine.arena.buffer, {}, disk)
  const write = (value: string, round: number): void => {
    other.store.set('a', value)
    flush(other)
    evictAll(other)
    if (round % 8 === 7) compact(other)
    other.engine.scheme.flush()
  }
  // The base is to lie in a segment that comes round again, not in one that its maker keeps open.
  for (let round = 0; round < 300 || placeOf(other.engine, 'a').endsWith(' 0'); round++) write('old', round)
  const place = placeOf(late.engine, 'a')
  expect(place).toMatch(/ [1-9]/)
  const below = late.engine.below as Below
  const look = below.look.bind(below)
  let isSame = false
  below.look = (key) => {
    const found = look(key)
    below.look = look
    for (let round = 0; round < MOST_ROUNDS && !isSame; round++) {
      write('new', round)
      isSame = placeOf(other.engine, 'a') === place
    }
    return found
  }
  expect(late.store.get('a')).toBe('old')
  expect(isSame).toBe(true)
  expect(other.store.get('a')).toBe('new')
  expect(late.store.get('a')).toBe('new')
})
