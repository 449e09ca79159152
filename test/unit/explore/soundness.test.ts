/**
 * The reduction loses nothing: for thousands of random programs, source-DPOR meets exactly the final states, results and
 * real-time orders of operations that a plain search over all interleavings meets.
 */
import { expect, test } from 'vitest'
import { explore, type ExploreOptions, type Mode, type SequentialModel } from '../../../src/explore/index.ts'
import { Random } from '../../../src/explore/random.ts'
import { type Program, body, randomProgram } from './programs.ts'

const RUNS = Number(process.env['EXPLORE_PROGRAMS'] ?? 1500)
const WORDS = 4

/** Explains everything: it is there so that calls and returns are steps. */
const anything: SequentialModel<number> = { name: 'anything', init: () => 0, step: () => 0, key: () => 0 }

function outcomes(program: Program, mode: Mode, asOperations: boolean): { seen: Set<string>; executions: number } {
  const seen = new Set<string>()
  const options: ExploreOptions<Int32Array> = {
    memory: { bytes: WORDS * 4 },
    attach: (memory) => new Int32Array(memory),
    threads: program.threads.map((operations) => body(operations, asOperations)),
    after(memory, { results, history }) {
      const orders = history.map((a) => history.map((b) => (a.returned <= b.called ? 1 : 0)).join('')).join()
      const names = history.map(({ thread, name, result }) => `${thread}${name}=${String(result)}`)
      const sorted = names.map((name, i) => `${name}:${orders.split(',')[i]}`)
      const columns = asOperations ? canonical(names, orders.split(',')) : sorted.join(' ')
      seen.add(`${new Int32Array(memory).join()}|${JSON.stringify(results)}|${columns}`)
    },
    ...(asOperations ? { linearizable: anything } : {}),
    mode,
    races: 'ignore',
    maxMs: 60_000,
  }
  const result = explore(options)
  expect(result.error).toBeUndefined()
  expect(result.complete).toBe(true)
  return { seen, executions: result.executions }
}

/** The real-time order as pairs of names, whatever order the calls came in. */
function canonical(names: readonly string[], orders: readonly string[]): string {
  const pairs: string[] = []
  names.forEach((a, i) => names.forEach((b, j) => orders[i]![j] === '1' && pairs.push(`${a}<${b}`)))
  return [...pairs.sort(), ...[...names].sort()].join(' ')
}

function compareAll(seed: number, steps: number, asOperations: boolean, runs: number, waiting = false): void {
  const random = new Random(seed)
  let plain = 0
  let reduced = 0
  for (let i = 0; i < runs; i++) {
    const program = randomProgram(random, steps, asOperations ? 2 : 3, waiting)
    const all = outcomes(program, 'dfs', asOperations)
    const some = outcomes(program, 'dpor', asOperations)
    plain += all.executions
    reduced += some.executions
    const missed = [...all.seen].filter((outcome) => !some.seen.has(outcome))
    expect({ missed, program: missed.length === 0 ? undefined : program }).toEqual({ missed: [], program: undefined })
    expect(some.seen.size).toBe(all.seen.size)
  }
  expect(reduced).toBeLessThan(plain)
}

test('final states and results', () => {
  compareAll(11, 8, false, RUNS)
})

test('waiting with a time-out, and notifying', () => {
  compareAll(13, 6, false, RUNS, true)
})

test('real-time orders of operations', () => {
  compareAll(12, 6, true, Math.ceil(RUNS / 3))
})
