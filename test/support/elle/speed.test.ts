import { expect, it } from 'vitest'
import { fromEnv } from '../random.ts'
import { checkLevel } from './check.ts'
import type { Behaviour } from './simulated-store.ts'
import { simulate, type Setting } from './simulation.ts'

const transactions = fromEnv('ELLE_TRANSACTIONS', 100_000)
/** Far above what it takes, and far below what a quadratic step would take. */
const longest = 60_000

const sound: Behaviour = { reads: 'snapshot', validates: 'reads', writes: 'together' }
const broken: Behaviour = { ...sound, validates: 'nothing' }

function setting(workload: Setting['workload']): Setting {
  return { seed: 1, transactions, processes: 8, keys: 12, writesPerKey: 40, workload }
}

it.each([
  ['valid', 'lists', sound, true],
  ['valid', 'registers', sound, true],
  ['write skew in', 'lists', { ...sound, validates: 'writes' }, false],
  ['broken', 'lists', broken, false],
  ['broken', 'registers', broken, false],
] as const)(
  `${transactions} transactions are checked in seconds: %s %s`,
  { timeout: 240_000 },
  (_, workload, behaviour, ok) => {
    const history = simulate(behaviour, setting(workload))
    const from = performance.now()
    const verdict = checkLevel(history, 'strict serializable')
    const took = performance.now() - from
    expect(verdict.ok).toBe(ok)
    expect(took).toBeLessThan(longest)
    if (process.env.ELLE_SHOW !== undefined) {
      const { violations } = verdict
      console.log(`${workload}: ${history.length} transactions, ${violations.length} violations, ${took.toFixed(0)} ms`)
    }
  },
)
