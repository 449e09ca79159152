/** A slice of `npm run crash`: see campaigns/crash-run.ts. `CRASH_RUNS`, `CRASH_STATES` and `CRASH_SEED` make it longer. */
import { describe, expect, it } from 'vitest'
import { crashLine, crashRun } from '../campaigns/crash-run.ts'
import { fromEnv } from '../support/random.ts'

/** As many as there are kinds of runs, so that each has its turn. */
const RUNS = fromEnv('CRASH_RUNS', 4)
const EACH = fromEnv('CRASH_STATES', 2)
const SEED = fromEnv('CRASH_SEED', 1)

describe('a whole store', () => {
  it('has all that was acknowledged after crashes at any moment', { timeout: 120_000 * RUNS }, () => {
    const report = crashRun({ seed: SEED, runs: RUNS, each: EACH, steps: 20 })
    console.log(crashLine(report, SEED))
    expect(report.violations).toEqual([])
    expect(report.distinct).toBeGreaterThan(1000)
    expect(report.whole).toBeGreaterThan(100)
    expect(report.backups).toBeGreaterThan(0)
    expect(report.again).toBeGreaterThan(0)
    expect(report.evictions).toBeGreaterThan(0)
    expect(report.compactions).toBeGreaterThan(0)
  })

  it.each(['sync', 'sync directory'] as const)('is found out on a disk that forgets to %s', (forgets) => {
    const report = crashRun({ seed: SEED, runs: 2, each: 4, steps: 20, forgets })
    expect(report.violations.length).toBeGreaterThan(0)
    for (const violation of report.violations)
      expect(violation).toMatch(/^seed \d+ \([a-z ]+\), .*after \d+ operations/)
  })
})
