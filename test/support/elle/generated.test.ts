import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromEnv } from '../random.ts'
import type { AnomalyName } from './anomaly.ts'
import { assertLevel, checkLevel, findAnomalies } from './check.ts'
import type { Level } from './levels.ts'
import type { Behaviour } from './simulated-store.ts'
import { simulate, type Setting } from './simulation.ts'

const runs = fromEnv('ELLE_RUNS', 500)
const seed = fromEnv('ELLE_SEED', 1)

const sound: Behaviour = { reads: 'snapshot', validates: 'reads', writes: 'together' }
const settings = fc.record({
  seed: fc.nat(),
  transactions: fc.integer({ min: 1, max: 80 }),
  processes: fc.integer({ min: 1, max: 8 }),
  keys: fc.integer({ min: 1, max: 6 }),
  workload: fc.constantFrom('lists' as const, 'registers' as const),
})

function always(check: (setting: Setting) => void): void {
  fc.assert(fc.property(settings, check), { numRuns: runs, seed })
}

describe('a store that keeps its promise is never accused', () => {
  const levels: readonly (readonly [string, Level, Behaviour, boolean])[] = [
    ['one after the other', 'strict serializable', sound, true],
    ['validated reads', 'strict serializable', sound, false],
    ['first committer wins', 'strong snapshot', { ...sound, validates: 'writes' }, false],
    ['old snapshots, validated', 'serializable', { ...sound, reads: 'old snapshot' }, false],
    [
      'old snapshots, first committer wins',
      'snapshot',
      { ...sound, reads: 'old snapshot', validates: 'writes' },
      false,
    ],
    [
      'committed reads',
      'read committed',
      { reads: 'committed', validates: 'nothing', writes: 'together', locks: true },
      false,
    ],
  ]
  it.each(levels)('%s: %s', (_, level, behaviour, serial) => {
    always((setting) => void assertLevel(simulate(behaviour, { ...setting, serial }), level))
  })
})

/** Which names turn up among many histories of a behaviour, and in how many of them something is wrong. */
function turnUp(
  behaviour: Behaviour,
  workload: Setting['workload'],
  level: Level,
): { names: Set<AnomalyName>; caught: number } {
  const names = new Set<AnomalyName>()
  let caught = 0
  for (let i = 0; i < 100; i++) {
    const history = simulate(behaviour, { seed: seed * 1000 + i, transactions: 60, keys: 3, processes: 5, workload })
    const { violations } = checkLevel(history, level)
    for (const { name } of violations) names.add(name)
    if (violations.length > 0) caught++
  }
  return { names, caught }
}

type Row = readonly [string, Behaviour, Level, readonly AnomalyName[], readonly AnomalyName[], number]

/** A fault, the level it breaks, names that must turn up with lists and with registers, and histories of 100 to be caught. */
const faults: readonly Row[] = [
  ['write skew', { ...sound, validates: 'writes' }, 'serializable', ['G2'], ['G2'], 60],
  [
    'updates lost',
    { ...sound, validates: 'nothing' },
    'snapshot',
    ['lost update', 'incompatible orders'],
    ['lost update'],
    95,
  ],
  [
    'reads that are not repeated',
    { reads: 'committed', validates: 'nothing', writes: 'together', locks: true },
    'snapshot',
    ['G-single', 'internal', 'lost update'],
    ['G-single', 'internal', 'lost update'],
    30,
  ],
  [
    'dirty reads',
    { reads: 'dirty', validates: 'nothing', writes: 'at once' },
    'read committed',
    ['G0', 'G1a', 'G1b', 'G1c'],
    ['G1a', 'G1b', 'G1c'],
    95,
  ],
  [
    'aborted writes that stay',
    { ...sound, writes: 'at once', reads: 'dirty', abortsKeep: true },
    'read committed',
    ['G1a'],
    ['G1a'],
    95,
  ],
  ['batches in pieces', { ...sound, writes: 'one by one' }, 'snapshot', ['G-single'], ['G-single'], 40],
  ['phantoms', { ...sound, validates: 'found' }, 'serializable', [], ['G2'], 10],
  ['own writes not seen', { ...sound, blind: true }, 'snapshot', ['internal'], ['internal'], 95],
  ['appends done twice', { ...sound, commitsTwice: true }, 'read committed', ['duplicate'], [], 0],
  ['writes forgotten', { ...sound, forgets: true }, 'snapshot', ['incompatible orders'], [], 0],
  [
    'old snapshots',
    { ...sound, reads: 'old snapshot' },
    'strict serializable',
    ['G-single-realtime'],
    ['G-single-realtime'],
    90,
  ],
  [
    'old snapshots of snapshot isolation',
    { ...sound, reads: 'old snapshot', validates: 'writes' },
    'strong snapshot',
    ['G-single-realtime'],
    ['G-single-realtime'],
    90,
  ],
]

describe('finds in what a broken store did', () => {
  it.each(faults)('%s', (_, behaviour, level, ofLists, ofRegisters, least) => {
    const lists = turnUp(behaviour, 'lists', level)
    const registers = turnUp(behaviour, 'registers', level)
    expect([...lists.names]).toEqual(expect.arrayContaining([...ofLists]))
    expect([...registers.names]).toEqual(expect.arrayContaining([...ofRegisters]))
    expect(
      Math.min(ofLists.length > 0 ? lists.caught : 100, ofRegisters.length > 0 ? registers.caught : 100),
    ).toBeGreaterThanOrEqual(least)
  })

  it('write skew, which snapshot isolation permits', () => {
    const skewed = simulate({ ...sound, validates: 'writes' }, { seed, transactions: 200, workload: 'lists' })
    const verdict = assertLevel(skewed, 'strong snapshot')
    expect(new Set(verdict.permitted.map(({ name }) => name))).toContain('G2')
    expect(findAnomalies(skewed).length).toBeGreaterThan(0)
  })
})
