/** A slice of `npm run kills`: see campaigns/kill-run.ts. `KILLS` and `KILL_SEED` make it longer. */
import { expect, it } from 'vitest'
import { killLine, killRun } from '../campaigns/kill-run.ts'
import { fromEnv } from '../support/random.ts'

const KILLS = fromEnv('KILLS', 4)
const SEED = fromEnv('KILL_SEED', 1)

it('has all that a killed process had acknowledged', { timeout: 60_000 + KILLS * 10_000 }, async () => {
  const report = await killRun({ kills: KILLS, seed: SEED, fillingMs: 500 })
  console.log(killLine(report, SEED))
  expect(report.violations).toEqual([])
  expect(report.kills).toBe(KILLS)
  expect(report.changes).toBeGreaterThan(0)
})
