/** The way from a complete tree to a partial one where the clock cannot go on: a flush has to come first, and is asked for. */
import { expect, it } from 'vitest'
import { BURYING, COMPLETE } from '../../../src/tree/residence.ts'
import { LITTLE } from '../../campaigns/crash-shapes.ts'
import { InlineStore } from '../../support/inline-store.ts'
import { SimulatedDisk } from '../../support/simulated-disk.ts'

const { sizes } = LITTLE
/** A range of which half is used up after fifteen turns. */
const CLOCK_BITS = 5

function storeWithShortClock(): InlineStore {
  const settings = { ...sizes.settings, memtableEntries: 1000, memtableBytes: 2 ** 20 }
  return new InlineStore(
    new SimulatedDisk(),
    { ...sizes, settings, geometry: { ...sizes.geometry, clockBits: CLOCK_BITS } },
    1,
  )
}

it('a clock whose range is used up holds nobody up: a flush makes clean what then is swept', () => {
  const inline = storeWithShortClock()
  const { store, engine } = inline
  store.set('a', '1')
  const { residence } = engine.tree.context
  while (residence.turn() >= 0);
  expect(residence.mode()).toBe(COMPLETE)
  engine.pressure.goOn()
  expect(residence.mode()).toBe(BURYING)
  // Nobody writes, so nothing is flushed unless somebody asks for it.
  for (let round = 0; round < 8 && !residence.isPartial(); round++) {
    inline.settle()
    engine.snapshots.maintain(0)
    engine.pressure.goOn()
  }
  expect(residence.isPartial()).toBe(true)
  expect(store.get('a')).toBe('1')
  inline.close()
})
