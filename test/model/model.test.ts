import { describe, expect, it } from 'vitest'
import { tiny } from '../support/stores.ts'
import { pairs, textPair } from './codec-pairs.ts'
import { runModel } from './run-model.ts'

// FC_RUNS=2000 FC_COMMANDS=200 FC_SEED=1 for a long run.
const timeout = 24 * 3_600_000

describe('a store does what a sorted array does', () => {
  describe.each([
    { pages: 'tiny pages', tuning: tiny },
    {
      pages: 'tiny pages, values out of line, freed memory poisoned',
      tuning: { ...tiny, inlineBytes: 16, paranoid: true },
    },
    { pages: 'ordinary pages', tuning: {} },
  ])('on $pages', ({ tuning }) => {
    it.each(pairs)('with %s', { timeout }, (_name, anyPair) => {
      const { splits, merges, reused } = anyPair((pair) => runModel(pair, { tuning }))
      if (!('leafEntries' in tuning)) return
      expect(splits).toBeGreaterThan(100)
      expect(merges).toBeGreaterThan(100)
      expect(reused).toBeGreaterThan(100)
    })
  })

  it.each(pairs)('in a partial tree, with %s', { timeout }, (_name, anyPair) => {
    const { fills, evictions } = anyPair((pair) => runModel(pair, { tuning: tiny, partial: true }))
    expect(fills).toBeGreaterThan(100)
    expect(evictions).toBeGreaterThan(100)
  })

  it('in a partial tree, through three stores, values out of line', { timeout }, () => {
    runModel(textPair, { tuning: { ...tiny, inlineBytes: 16, paranoid: true }, stores: 3, partial: true })
  })

  it('through three stores on one arena', { timeout }, () => {
    runModel(textPair, { tuning: tiny, stores: 3 })
  })
})
