/** A store that is full of what lies in tables already: nothing is left to be flushed, and still it makes room. */
import { expect, it } from 'vitest'
import { LITTLE } from '../../campaigns/crash-shapes.ts'
import { InlineStore } from '../../support/inline-store.ts'
import { SimulatedDisk } from '../../support/simulated-disk.ts'

const { sizes } = LITTLE
const VALUE = 'v'.repeat(900)
const LARGE = 'x'.repeat(60_000)

/** Whose changes go to tables only when somebody wants that. */
function storeOf(): InlineStore {
  const settings = { ...sizes.settings, memtableEntries: 100_000, memtableBytes: 2 ** 24 }
  const tier = { ...sizes.tier, ringGranules: 8192, versionBytes: 16_384 }
  const geometry = {
    ...sizes.geometry,
    words: 100_000,
    pageIds: 512,
    leafEntries: 8,
    innerEntries: 8,
    inlineBytes: 1024,
  }
  return new InlineStore(new SimulatedDisk(), { ...sizes, settings, tier, geometry }, 1)
}

function fill(inline: InlineStore, share: number): number {
  let count = 0
  while (inline.engine.cleaner.load() < share) {
    inline.store.set(`key ${count++}`, VALUE)
    if (count % 8 === 0) inline.turn(true)
  }
  return count
}

it('becomes partial, for a value that needs room', () => {
  const inline = storeOf()
  const { store, engine, tier } = inline
  const count = fill(inline, 0.85)
  tier.words.wantFlush()
  inline.settle()
  expect(tier.words.windowEntries()).toBe(0)
  const { residence } = engine.tree.context
  expect(residence.isPartial()).toBe(false)
  store.set('large', LARGE)
  expect(residence.isPartial()).toBe(true)
  expect(store.get('large')).toBe(LARGE)
  for (let i = 0; i < count; i += 7) expect(store.get(`key ${i}`)).toBe(VALUE)
  inline.close()
})

it('what is written and not yet in a file is not said to be clean by a flush that finds nothing to do', () => {
  const inline = storeOf()
  const { store, engine, tier } = inline
  const { residence } = engine.tree.context
  store.set('a', '1')
  tier.words.wantFlush()
  inline.settle()
  store.set('b', '1')
  const { log } = tier
  expect(log.stable()).not.toBe(log.frontier())
  const clean = residence.cleanCounter()
  tier.words.wantFlush()
  inline.step()
  expect(residence.cleanCounter()).toBe(clean)
  inline.turn(true)
  tier.words.wantFlush()
  inline.settle()
  expect(residence.cleanCounter()).toBeGreaterThan(clean)
  inline.close()
})
