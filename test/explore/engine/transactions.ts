/** Transactions against each other and against single writes: serializable ones, and such of snapshot isolation. */
import type { CounterName } from '../../../src/reclaim/participant.ts'
import type { Engine } from '../../../src/store/engine.ts'
import { batch, batching, dealing, transact, transactApart, transactAtSnapshot } from './deals.ts'
import type { Change, Deal } from './map-of-batches.ts'
import { bothOf, type Play, type Rehearsable } from './play.ts'
import { type Part, entries, get, getting, increased, remove, removing, set, setting } from './points.ts'
import { type Pairs, type TreePast, type TreePlay, same, treePlay } from './trees.ts'

const MOST_STEPS = 3000

function past(pairs: Pairs, over: TreePast['over'] = { leafSlots: 4, leafEntries: 4 }): TreePast {
  return { pairs, over, batches: true }
}

function play(
  name: string,
  before: TreePast,
  threads: readonly Part[],
  more: Partial<TreePlay> = {},
  does: Partial<Record<CounterName, number>> = {},
): Play<Engine> {
  const rest = { does, options: { maxSteps: MOST_STEPS } }
  return treePlay({ name: `transaction: ${name}`, past: before, threads, rest, ...more })
}

const ab = past(same('ab'))
/** Counts keys up together. */
const counting = (...keys: string[]): Deal => ({
  reads: keys,
  writes: (read) => keys.map((key, i) => [key, increased(read[i] ?? 0)] as Change),
})
const zero: Pairs = [
  ['a', '0'],
  ['b', '0'],
]
/** Of those who only meet each other, one at least gets through. */
const oneDone: TreePlay['extra'] = (results, _, killed) =>
  killed < 0 && results.every((result) => result === undefined || result === false) ? ['nobody got through'] : []

const serializable = [
  play(
    'reads a, writes b, against one that reads b, writes a',
    ab,
    [dealing(['a'], ['b', '1']), dealing(['b'], ['a', '1'])],
    { extra: oneDone },
  ),
  play('reads what the other writes, three in a ring', past(same('abc')), [
    dealing(['a'], ['b', '1']),
    dealing(['b'], ['c', '1']),
    dealing(['c'], ['a', '1']),
  ]),
  play('counts two keys up, against another', past(zero), [
    (e) => transact(e, counting('a', 'b')),
    (e) => transact(e, counting('a', 'b')),
  ]),
  play('counts two keys up, against one that shares one', past([...zero, ['c', '0']]), [
    (e) => transact(e, counting('a', 'b')),
    (e) => transact(e, counting('b', 'c')),
  ]),
  play('against an overwrite of what it reads', ab, [dealing(['a'], ['b', '1']), setting('a')]),
  play('against an overwrite of what it writes', ab, [dealing(['a'], ['b', '1']), (e) => set(e, 'b', '2')]),
  play('against a delete of what it reads', ab, [dealing(['a'], ['b', '1']), removing('a')]),
  play('against a delete and an insert of what it reads', ab, [
    dealing(['a'], ['b', '1']),
    (e) => {
      remove(e, 'a')
      set(e, 'a', 'a')
    },
  ]),
  play('against the insert of what it has found absent', past(same('b')), [dealing(['a'], ['b', '1']), setting('a')]),
  play('against writes of both keys', ab, [
    dealing(['a'], ['b', '1']),
    (e) => {
      set(e, 'b', '2')
      set(e, 'a', '2')
    },
  ]),
  play('against a batch', ab, [dealing(['a', 'b'], ['a', '1'], ['b', '1']), batching(['a', '2'], ['b', '2'])]),
  play('against a batch of what it reads and writes', ab, [
    dealing(['a'], ['b', '1']),
    batching(['a', '2'], ['b', '2']),
  ]),
  play('against gets of what it reads and writes', ab, [dealing(['a'], ['b', '1'], ['c', '1']), getting('c', 'b')]),
  play('against a snapshot', ab, [dealing(['a'], ['a', '1'], ['b', '1']), entries]),
  play('reads a range, against an insert into it', past(same('ac')), [dealing('all', ['c', '1']), setting('b')]),
  play('reads a range, against a delete in it', past(same('ac')), [dealing('all', ['c', '1']), removing('a')]),
  play('reads a range, against one that does so too', past(same('a')), [
    dealing('all', ['b', '1']),
    dealing('all', ['c', '1']),
  ]),
  play('reads a range, against a split in it', past(same('abc'), {}), [dealing('all', ['a', '1']), setting('d')]),
  play('reads a range, against a batch into it', past(same('a')), [
    dealing('all', ['a', '1']),
    batching(['b', '2'], ['c', '2']),
  ]),
  play('against one whose instant is later, while the clock goes on', ab, [
    dealing(['a'], ['b', '1']),
    dealing(['b'], ['a', '1']),
    ({ snapshots }) => snapshots.close(snapshots.take(0)),
  ]),
  play('against an end of its snapshot and an overwrite', ab, [
    dealing(['a'], ['b', '1']),
    (engine) => {
      engine.tree.context.snapshots.expireOldest()
      set(engine, 'a', '2')
      remove(engine, 'a')
    },
  ]),
  play('against an end of its snapshot and a delete that leaves nothing', ab, [
    dealing(['a'], ['b', '1']),
    (engine) => {
      engine.tree.context.snapshots.expireOldest()
      remove(engine, 'a')
    },
  ]),
  play('against an end of its snapshot, a delete that leaves nothing, and a look at what it writes', ab, [
    dealing(['a'], ['b', '1']),
    (engine) => {
      engine.tree.context.snapshots.expireOldest()
      remove(engine, 'a')
      get(engine, 'b')
    },
  ]),
  play('against an end of its snapshot, a delete in its range, and a look at what it writes', ab, [
    dealing('all', ['b', '1']),
    (engine) => {
      engine.tree.context.snapshots.expireOldest()
      remove(engine, 'a')
      get(engine, 'b')
    },
  ]),
  play('against a delete of what it reads, and a look at what it writes', ab, [
    dealing(['a'], ['b', '1']),
    (e) => {
      remove(e, 'a')
      get(e, 'b')
    },
  ]),
  play('reads a range, against an insert into it, and a look at what it writes', past(same('ac')), [
    dealing('all', ['c', '1']),
    (e) => {
      set(e, 'b', '2')
      get(e, 'c')
    },
  ]),
  play('against a batch of what it reads, and a look at what it writes', past(same('abc')), [
    dealing(['a'], ['b', '1']),
    (e) => {
      batch(e, ['a', '2'], ['c', '2'])
      get(e, 'b')
    },
  ]),
  play('then what it wrote is read, and written', ab, [
    dealing(['a'], ['b', '1']),
    (e) => {
      get(e, 'b')
      set(e, 'a', '2')
    },
  ]),
]

const atSnapshot = [
  play(
    'at a snapshot: reads a, writes b, against one that reads b, writes a',
    ab,
    [(e) => transactApart(e, ['a'], ['b', '1']), (e) => transactApart(e, ['b'], ['a', '1'])],
    { extra: (results) => (results.includes(false) ? ['write skew was refused'] : []) },
  ),
  play(
    'at a snapshot: counts two keys up, against another',
    past(zero),
    [(e) => transactAtSnapshot(e, counting('a', 'b')), (e) => transactAtSnapshot(e, counting('a', 'b'))],
    { extra: oneDone },
  ),
  play('at a snapshot: against an overwrite', ab, [(e) => transactAtSnapshot(e, counting('a', 'b')), setting('b')]),
  play('at a snapshot: against a delete', ab, [(e) => transactAtSnapshot(e, counting('a', 'b')), removing('b')]),
  play('at a snapshot: against an insert', past([['a', '0']]), [
    (e) => transactAtSnapshot(e, counting('a', 'b')),
    setting('b'),
  ]),
  play('at a snapshot: against a batch', ab, [
    (e) => transactAtSnapshot(e, counting('a', 'b')),
    batching(['a', '5'], ['b', '5']),
  ]),
]

const mourned = [
  play(
    'whose owner dies, against one in a ring with it',
    ab,
    [dealing(['a'], ['b', '1']), dealing(['b'], ['a', '1'])],
    { reaps: true },
  ),
  play('whose owner dies, against an overwrite of what it reads', ab, [dealing(['a'], ['b', '1']), setting('a')], {
    reaps: true,
  }),
  play(
    'whose owner dies, against a delete in its range',
    past(same('ac')),
    [dealing('all', ['c', '1']), removing('a')],
    { reaps: true },
  ),
]

export const scenarios: Rehearsable[] = bothOf([...serializable, ...atSnapshot, ...mourned])
