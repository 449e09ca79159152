import { describe, expect, it } from 'vitest'
import { fromEnv, random, type Random } from '../random.ts'
import { checkLevel } from './check.ts'
import { isPossible, type Rules } from './explanation-search.ts'
import { explain } from './explain.ts'
import type { Level } from './levels.ts'
import { atOnce } from './notation.ts'
import type { Behaviour } from './simulated-store.ts'
import { simulate, type Setting } from './simulation.ts'
import type { History, Operation } from './transaction.ts'

const runs = fromEnv('ELLE_RUNS', 500) * 6
const seed = fromEnv('ELLE_SEED', 1)

const rules: readonly (readonly [Level, Rules])[] = [
  ['serializable', { isolation: 'serializable', realtime: false }],
  ['strict serializable', { isolation: 'serializable', realtime: true }],
  ['snapshot', { isolation: 'snapshot', realtime: false }],
  ['strong snapshot', { isolation: 'snapshot', realtime: true }],
]

/** Any combination of promises kept and broken. */
function anyBehaviour(rng: Random): Behaviour {
  return {
    reads: rng.pick(['snapshot', 'snapshot', 'old snapshot', 'committed', 'dirty']),
    validates: rng.pick(['reads', 'found', 'writes', 'nothing']),
    writes: rng.pick(['together', 'together', 'one by one', 'at once']),
    abortsKeep: rng.chance(10),
    blind: rng.chance(5),
    commitsTwice: rng.chance(5),
    forgets: rng.chance(10),
  }
}

/** Sometimes a read of some other version than the one that was read. */
function disturbed(history: History, rng: Random): History {
  const id = rng.int(history.length)
  const { operations } = history[id]!
  const at = rng.int(operations.length)
  const read = operations[at]
  if (read?.name !== 'list' || read.value.length === 0) return history
  const shorter: Operation = { ...read, value: read.value.slice(0, -1) }
  return history.with(id, { ...history[id]!, operations: operations.with(at, shorter) })
}

function smallHistory(rng: Random, workload: Setting['workload']): History {
  const setting = { seed: rng.int(2 ** 31), transactions: 2 + rng.int(3), processes: 3, keys: 1 + rng.int(2), workload }
  const history = simulate(anyBehaviour(rng), setting)
  return rng.chance(20) ? disturbed(history, rng) : history
}

describe('against the definition, by trying all orders of small histories', () => {
  it.each(rules)('%s', (level, rule) => {
    const found = { possible: 0, impossible: 0, caught: 0, lists: 0, listsCaught: 0 }
    const rng = random(seed)
    for (let i = 0; i < runs; i++) {
      const workload = i % 2 === 0 ? 'lists' : 'registers'
      const history = smallHistory(rng, workload)
      const { ok, violations } = checkLevel(history, level)
      if (isPossible(history, rule)) {
        found.possible++
        // Nothing that is possible may ever be refused.
        if (!ok) throw new Error(`wrongly accused in run ${i}: ${explain(history, violations[0]!)}`)
        continue
      }
      found.impossible++
      if (!ok) found.caught++
      if (workload === 'lists') found.lists++
      if (workload === 'lists' && !ok) found.listsCaught++
    }
    if (process.env.ELLE_SHOW !== undefined) console.log(level, found)
    expect(Math.min(found.possible, found.impossible)).toBeGreaterThan(runs / 20)
    // What nobody reads leaves no trace, so not everything can be caught.
    expect(found.listsCaught / found.lists).toBeGreaterThan(0.9)
    expect(found.caught / found.impossible).toBeGreaterThan(0.85)
  })
})

describe('the definition itself', () => {
  const [serializable, snapshot] = [rules[0]![1], rules[2]![1]]
  it.each([
    ['write skew', atOnce('x=- y:1', 'y=- x:1'), false, true],
    ['a lost update', atOnce('x=- x:1', 'x=- x:2'), false, false],
    ['half a transaction', atOnce('x:1 y:1', 'x=1 y=-'), false, false],
    ['one after the other', atOnce('x:1 y:1', 'x=1 y=1'), true, true],
    ['an unknown end', atOnce('unknown x:1', 'x=1', 'x=-'), true, true],
    ['an abort', atOnce('aborted x:1', 'x=1'), false, false],
  ])('%s', (_, history, ifSerializable, ifSnapshot) => {
    expect([isPossible(history, serializable), isPossible(history, snapshot)]).toEqual([ifSerializable, ifSnapshot])
  })
})
