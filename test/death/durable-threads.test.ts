/** A slice of `npm run deaths`: see campaigns/death-run.ts. `THREAD_DEATHS` and `THREAD_DEATH_SEED` make it longer. */
import { expect, it } from 'vitest'
import { deathLine, deathRun } from '../campaigns/death-run.ts'
import { fromEnv } from '../support/random.ts'

const DEATHS = fromEnv('THREAD_DEATHS', 8)
const SEED = fromEnv('THREAD_DEATH_SEED', 1)

it('loses nothing when its background threads are killed', { timeout: 300_000 + DEATHS * 10_000 }, async () => {
  const report = await deathRun({ deaths: DEATHS, seed: SEED, deathsOfRound: 4, filling: 500 })
  console.log(deathLine(report, SEED))
  expect(report.violations).toEqual([])
  expect(report.deaths).toBeGreaterThanOrEqual(DEATHS)
  expect(report.flushes).toBeGreaterThan(0)
  expect(report.evictions).toBeGreaterThan(0)
})
