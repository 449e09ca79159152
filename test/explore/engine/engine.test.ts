/**
 * A slice of the exploration of the engine: each scenario for a short time, which is enough for most to be complete.
 * `npm run explore -- --seconds 600` gives them more.
 */
import { describe, expect, it } from 'vitest'
import { explore } from '../../../src/explore/index.ts'
import { complaint } from '../../../src/explore/scenario.ts'
import { scenarios as blockCache } from './block-cache.ts'
import { scenarios as catalogs } from './catalogs.ts'
import { scenarios as batches } from './batches.ts'
import { scenarios as cleaning } from './cleaning.ts'
import { scenarios as cursors } from './cursors.ts'
import { scenarios as epochs } from './epochs.ts'
import { scenarios as freeList } from './free-list.ts'
import { scenarios as funerals } from './funerals.ts'
import { scenarios as journaling } from './journaling.ts'
import { scenarios as leaves } from './leaves.ts'
import { scenarios as merges } from './merges.ts'
import { scenarios as partial } from './partial.ts'
import { scenarios as turningPartial } from './turning-partial.ts'
import { scenarios as reaping } from './reaping.ts'
import { scenarios as segments } from './segments.ts'
import { scenarios as snapshots } from './snapshots.ts'
import { scenarios as sharedLog } from './shared-log.ts'
import { scenarios as splits } from './splits.ts'
import { scenarios as sweeping } from './sweeping.ts'
import { scenarios as transactions } from './transactions.ts'
import { scenarios as verifying } from './verifying.ts'

const maxMs = Number(process.env['EXPLORE_MS'] ?? 250)

const all = {
  freeList,
  epochs,
  reaping,
  segments,
  cleaning,
  leaves,
  splits,
  merges,
  funerals,
  cursors,
  snapshots,
  batches,
  transactions,
  sweeping,
  verifying,
  sharedLog,
  blockCache,
  catalogs,
  partial,
  turningPartial,
  journaling,
}

describe.each(Object.entries(all))('%s', (_, scenarios) => {
  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))('%s', (name, scenario) => {
    const result = explore({ name, ...scenario.options, maxMs })
    expect(`${complaint(result, scenario.expect)}${result.error?.columns ?? ''}`).toBe(
      scenario.expect?.kind === undefined ? '' : (result.error?.columns ?? 'nothing was found'),
    )
    expect(result.steps).toBeGreaterThan(0)
  })
})
