import { describe, expect, it } from 'vitest'
import type { AnomalyName } from './anomaly.ts'
import { findAnomalies } from './check.ts'
import { explain } from './explain.ts'
import { atOnce, inTurn } from './notation.ts'
import type { History } from './transaction.ts'

function names(history: History, realtime = false): AnomalyName[] {
  return [...new Set(findAnomalies(history, { realtime }).map(({ name }) => name))].sort()
}

const seeded: readonly (readonly [string, AnomalyName[], History])[] = [
  ['writes of two transactions interleaved under two keys', ['G0'], atOnce('x+1 y+2', 'x+3 y+4', 'x=[1,3]', 'y=[4,2]')],
  ['writes interleaved under one key', ['G0'], atOnce('x+1 x+3', 'x+2', 'x=[1,2,3]')],
  ['an aborted append', ['G1a'], atOnce('aborted x+1', 'x=[1]')],
  ['an aborted append among others', ['G1a'], atOnce('aborted x+2', 'x+1', 'x+3', 'x=[1,2,3]')],
  [
    'an aborted append that is gone later',
    ['G1a', 'incompatible orders'],
    atOnce('aborted x+1', 'x+2', 'x=[1]', 'x=[2]'),
  ],
  ['an aborted write', ['G1a'], atOnce('aborted y:1', 'y=1')],
  ['an append before the last one', ['G1b', 'G-single'].sort() as AnomalyName[], atOnce('x+1 x+2', 'x=[1]', 'x=[1,2]')],
  ['a write before the last one', ['G1b'], atOnce('y:1 y:2', 'y=1')],
  ['each reads the append of the other', ['G1c'], atOnce('x+1 y=[2]', 'y+2 x=[1]')],
  ['each reads the write of the other', ['G1c'], atOnce('x:1 y=2', 'y:2 x=1')],
  ['appends one way, reads the other', ['G1c'], atOnce('x+1 y=[1]', 'x+2 y+1', 'x=[1,2]')],
  ['a read of half of a transaction', ['G-single'], atOnce('x+1 y+2', 'x=[1] y=[]', 'y=[2]')],
  ['a read of half of a batch of writes', ['G-single'], atOnce('x:1 y:2', 'x=1 y=-')],
  ['a read of half of a batch over known versions', ['G-single'], atOnce('y:1', 'y=1 y:2 x:2', 'x=2 y=1')],
  ['write skew on lists', ['G2'], atOnce('x=[] y+1', 'y=[] x+2', 'x=[2]', 'y=[1]')],
  ['write skew on lists that nobody reads afterwards', ['G2'], atOnce('x=[] y+1', 'y=[] x+2')],
  ['write skew on registers', ['G2'], atOnce('x=- y:1', 'y=- x:2')],
  ['a phantom among the keys of a range', ['G2'], atOnce('a=- b=- c:1', 'b=- c=- a:1')],
  [
    'two readers that disagree on the order of two writes',
    ['G-nonadjacent'],
    atOnce('x:1', 'y:1', 'x=1 y=-', 'x=- y=1'),
  ],
  [
    'a list that lost an append',
    ['G-single', 'G2', 'incompatible orders', 'lost update'],
    atOnce('x=[] x+1', 'x=[] x+2', 'x=[1]', 'x=[2]'),
  ],
  [
    'an append that was kept though its read was old',
    ['G-single', 'lost update'],
    atOnce('x=[] x+1', 'x=[] x+2', 'x=[1,2]'),
  ],
  ['an update of a register lost', ['G2', 'lost update'], atOnce('x=- x:1', 'x=- x:2')],
  ['lists that are no prefixes of each other', ['incompatible orders'], atOnce('x+1', 'x+2', 'x=[1,2]', 'x=[2,1]')],
  ['an element twice', ['duplicate'], atOnce('x+1', 'x=[1,1]')],
  ['an element that nobody appended', ['unwritten read'], atOnce('x+1', 'x=[1,7]')],
  ['a value that nobody wrote', ['unwritten read'], atOnce('x:1', 'x=7')],
  ['its own append not there', ['internal'], atOnce('x+1 x=[]')],
  ['its own write not there', ['internal'], atOnce('x:1 x=-')],
  ['another read than before', ['G-single', 'internal'], atOnce('x=[] x=[1]', 'x+1')],
  ['its own append there before it was made', ['internal'], atOnce('x=[1] x+1')],
  ['versions in a circle', ['G1c', 'cyclic versions'], atOnce('x=1 x:2', 'x=2 x:1')],
]

const timed: typeof seeded = [
  ['an old list read', ['G-single-realtime'], inTurn('x+1', 'x=[]', 'x=[1]')],
  ['an old register read', ['G-single-realtime'], inTurn('x:1', 'x=-')],
  [
    'old registers read by a transaction',
    ['G-single-realtime', 'cyclic versions'].sort() as AnomalyName[],
    inTurn('x:1', 'x=1 x:2', 'x=1'),
  ],
  [
    'a register that goes back to a version that nobody replaced knowingly',
    ['cyclic versions'],
    inTurn('x:1', 'x:2', 'x=2', 'x=1'),
  ],
  ['appends against the order of time', ['G0-realtime'], inTurn('x+1', 'x+2', 'x=[2,1]')],
  ['reads against the order of time', ['G1c-realtime'], inTurn('x=[1] y+2', 'x+1', 'y=[2]')],
]

describe('finds by its name', () => {
  it.each(seeded)('%s: %j', (_, expected, history) => {
    expect(names(history)).toEqual(expected)
    for (const anomaly of findAnomalies(history)) expect(explain(history, anomaly)).toMatch(/^[\w -]+: .*T\d/s)
  })
  it.each(timed)('%s: %j', (_, expected, history) => {
    expect(names(history)).toEqual([])
    expect(names(history, true)).toEqual(expected)
  })
})

describe('finds nothing in', () => {
  it.each([
    ['nothing', []],
    ['reads and appends in turn', inTurn('x+1', 'x=[1] x+2', 'x=[1,2] y=[] y+1', 'y=[1]')],
    ['writes in turn', inTurn('x:1', 'x=1 x:2 x=2', 'y=-', 'x=2 y:1', 'y=1 x=2')],
    ['reads of own appends', inTurn('x+1 x=[1] x+2 x=[1,2]', 'x+3 x=[1,2,3]')],
    ['an unknown end that came about', inTurn('unknown x+1', 'x=[1]')],
    ['an unknown end that did not', inTurn('unknown x+1 y+1', 'x=[]', 'y=[]')],
    ['an unknown end that comes about late', inTurn('unknown x=[] x+1', 'x=[]', 'x=[1]')],
    ['an aborted transaction whatever it read', inTurn('x+1', 'aborted x=[7,7] y+1', 'y=[]')],
  ])('%s', (_, history) => {
    expect(findAnomalies(history, { realtime: true })).toEqual([])
  })
})

it('says why each transaction of a cycle comes before the next', () => {
  const history = atOnce('x=[] y+1', 'y=[] x+2', 'x=[2]')
  const [found] = findAnomalies(history)
  expect(explain(history, found!).split('\n')).toEqual([
    'G2: T0 -rw-> T1 -rw-> T0',
    '  T0 (process 0, ok): read x = [], append y 1',
    '  T1 (process 1, ok): read y = [], append x 2',
    '  T0 < T1 (rw): T0 found x absent or empty, and T1 wrote 2 to it',
    '  T1 < T0 (rw): T1 found y absent or empty, and T0 wrote 1 to it',
  ])
})

it('shows the shortest cycle', () => {
  const long = atOnce('a=[] b+1', 'b=[] c+1', 'c=[] a+1', 'd=[] e+1', 'e=[] d+1', 'a=[1] b=[1] c=[1]')
  const cycles = findAnomalies(long).flatMap(({ cycle }) => (cycle === undefined ? [] : [cycle.length]))
  expect(cycles.sort()).toEqual([2, 3])
})

it.each([
  ['a value written twice', atOnce('x+1', 'x+1'), '1 is written twice under x: by T0 and T1'],
  ['a key of two kinds', atOnce('x+1', 'x:2'), 'x is used as a list and as a register'],
])('refuses %s', (_, history, message) => {
  expect(() => findAnomalies(history)).toThrow(message)
})
