/** Batches against everything that touches their keys: all or nothing, whatever helps, moves, splits or dies meanwhile. */
import { KIND_EXTENT, blockHeader } from '../../../src/log/block.ts'
import { STREAM_EXTENTS, STREAM_PAGES } from '../../../src/log/log.ts'
import type { CounterName } from '../../../src/reclaim/participant.ts'
import type { Engine } from '../../../src/store/engine.ts'
import { batch, batching } from './deals.ts'
import { runGarbage } from './people.ts'
import { bothOf, type Play, type Rehearsable } from './play.ts'
import {
  type Part,
  compareAndSet,
  entries,
  get,
  getting,
  increase,
  remove,
  removing,
  set,
  setIfAbsent,
  setting,
} from './points.ts'
import { type TreePast, type TreePlay, same, treePlay } from './trees.ts'

const MOST_STEPS = 2500
const ARENA_BYTES = 96 * 1024

function past(keys: string, over: TreePast['over'] = { leafSlots: 4, leafEntries: 4 }): TreePast {
  return { pairs: same(keys), over, batches: true }
}

function play(
  name: string,
  before: TreePast,
  threads: readonly Part[],
  does: Partial<Record<CounterName, number>> = {},
  more: Partial<TreePlay> = {},
): Play<Engine>[] {
  const rest = { does, options: { maxSteps: MOST_STEPS, memory: { bytes: ARENA_BYTES } } }
  const whole: TreePlay = { name: `batch: ${name}`, past: before, threads, rest, ...more }
  return [treePlay(whole)]
}

const both = batching(['a', '1'], ['b', '1'])
const putsAndDeletes = batching(['a', '1'], ['b', undefined])
const sealing = ({ log }: Engine): void => log.sealAll()
const RECORDS = 1
const cleaningRecords: Part = ({ cleaner, log }) => cleaner.clean(log.segments.first + RECORDS, false)

const single = [
  play('against gets of both keys', past('ab'), [both, getting('a', 'b')]),
  play('against gets of both keys the other way round', past('ab'), [both, getting('b', 'a')]),
  play('of new keys, against gets of both', past(''), [both, getting('b', 'a')], { inserts: 2 }),
  play('with a deletion, against gets of both', past('ab'), [putsAndDeletes, getting('b', 'a')], { deletes: 1 }),
  play('against an overwrite of its first key', past('ab'), [both, setting('a')]),
  play('against an overwrite of its second key', past('ab'), [both, (e) => set(e, 'b', '2')]),
  play('against inserts of one of its keys', past('a'), [both, (e) => setIfAbsent(e, 'b', '2')], { inserts: 1 }),
  play('against a delete of one of its keys', past('ab'), [both, removing('a')]),
  play('against a delete and an insert', past('ab'), [
    both,
    (e) => {
      remove(e, 'b')
      set(e, 'b', '2')
    },
  ]),
  play('against a swap of one of its keys', past('ab'), [both, (e) => compareAndSet(e, 'b', 'b', '2')]),
  play('of a new key, against an insert if it is absent', past('b'), [
    both,
    (e) => compareAndSet(e, 'a', undefined, '2'),
  ]),
  play(
    'against counting up',
    {
      ...past('b'),
      pairs: [
        ['a', '1'],
        ['b', 'b'],
      ],
    },
    [both, (e) => increase(e, 'a')],
  ),
  play('with a deletion, against an overwrite of that key', past('ab'), [putsAndDeletes, setting('b')]),
  play('with a deletion, against a delete of that key', past('ab'), [putsAndDeletes, removing('b')]),
  play('of an absent key and the deletion of one, against an insert', past('c'), [
    batching(['a', '1'], ['b', undefined]),
    (e) => set(e, 'b', '2'),
  ]),
  play('of an absent key and the deletion of one, against inserts of both', past(''), [
    batching(['a', '1'], ['b', undefined]),
    (e) => {
      set(e, 'b', '2')
      set(e, 'a', '2')
    },
  ]),
  play(
    'of keys whose deletions are kept',
    {
      ...past('ab'),
      holds: same('b'),
      then(first, cast) {
        cast[1]!.snapshots.take(0)
        remove(first, 'a')
      },
    },
    [both, getting('a', 'b')],
  ),
].flat()

const several = [
  play('against one of the same keys', past('ab'), [both, batching(['a', '2'], ['b', '2'])]),
  play('against one that shares its second key', past('abc'), [both, batching(['b', '2'], ['c', '2'])]),
  play('against one that shares its first key', past('bc'), [
    batching(['b', '1'], ['c', '1']),
    batching(['a', '2'], ['b', '2']),
  ]),
  play('of new keys, against one of the same keys', past(''), [both, batching(['a', '2'], ['b', '2'])]),
  play('against one of the same keys, and a reader', past('ab'), [
    both,
    batching(['a', '2'], ['b', '2']),
    getting('b', 'a'),
  ]),
  play('twice, against one of the same keys', past('ab'), [
    (e) => {
      batch(e, ['a', '1'], ['b', '1'])
      batch(e, ['a', '3'], ['b', undefined])
    },
    batching(['a', '2'], ['b', '2']),
  ]),
].flat()

const snapshots = [
  play('against a snapshot that is taken and read meanwhile', past('ab'), [both, entries], { snapshots: 1 }),
  play('against two snapshots, one after the other', past('ab'), [
    both,
    (e) => {
      entries(e)
      entries(e)
    },
  ]),
  play('against a snapshot after a get', past('ab'), [
    both,
    (e) => {
      get(e, 'b')
      entries(e)
    },
  ]),
  play('against a get after a snapshot', past('ab'), [
    both,
    (e) => {
      entries(e)
      get(e, 'a')
    },
  ]),
  play('with a deletion and an insert, against a snapshot', past('b'), [putsAndDeletes, entries]),
  play('against a snapshot and an overwrite', past('ab'), [both, entries, (e) => set(e, 'a', '2')]),
  play('against a snapshot, and an overwrite of another key before a look', past('abc'), [
    both,
    entries,
    (e) => {
      set(e, 'c', '2')
      get(e, 'b')
    },
  ]),
  play('while the clock goes on twice, against a reader', past('ab'), [
    both,
    ({ snapshots: taken }) => {
      taken.close(taken.take(0))
      taken.close(taken.take(0))
    },
    getting('b', 'a'),
  ]),
].flat()

const structure = [
  play('that needs a split of the leaf', past('abc', {}), [batching(['aa', '1'], ['d', '1']), getting('d', 'aa')], {
    splits: 1,
  }),
  play(
    'against a split of a leaf it installs into',
    past('abc', {}),
    [batching(['a', '1'], ['c', '1']), setting('d')],
    {
      splits: 1,
    },
  ),
  play('against a consolidation', past('ab', { leafSlots: 1, leafEntries: 4 }), [both, setting('c', 'd')], {
    consolidations: 1,
  }),
  play('of two leaves, against a split of the second', past('abcde', {}), [
    batching(['a', '1'], ['d', '1']),
    setting('f'),
  ]),
  play('against a merge', past('abcd', {}), [batching(['a', '1'], ['d', '1']), removing('c', 'b')]),
  play('against cleaning of what it replaces', { ...past('ab'), then: sealing }, [both, cleaningRecords], {
    segmentsCleaned: 1,
  }),
  play('against cleaning and freeing of what it replaces', { ...past('ab'), then: sealing }, [
    both,
    (e) => {
      cleaningRecords(e)
      runGarbage(e)
    },
    getting('a'),
  ]),
  play('against a walk for old versions', past('ab'), [both, ({ snapshots: s }) => s.trimAll(true)]),
  play('against overwrites whose old records are freed', past('ab'), [
    both,
    (e) => {
      set(e, 'b', '2')
      e.log.sealAll()
      runGarbage(e)
      set(e, 'b', '3')
    },
  ]),
].flat()

/** Takes all segments there are, and the first engine's room for pages. */
function hoard(cast: readonly Engine[]): void {
  const { log } = cast.at(-1)!
  while (log.segments.countFree(log.segments.reserve + 1) > log.segments.reserve) log.extend(STREAM_EXTENTS)
  const first = cast[0]!
  const left = first.log.available(STREAM_PAGES)
  const block = first.log.reserve(STREAM_PAGES, left)
  first.log.complete(block, blockHeader(KIND_EXTENT, left, 0, 0, false))
  first.log.unlink(block)
}

function poor(keys: string, over: TreePast['over']): TreePast {
  return { ...past(keys, over), equipped: hoard, unequipped: (survivors) => survivors.at(-1)!.log.sealAll() }
}

const narrow = { leafSlots: 1, leafEntries: 4 }
const poverty = [
  play(
    'that finds no room, against a helper with room',
    poor('a', narrow),
    [
      batching(['a', '1'], ['b', '1'], ['c', '1']),
      (e) => {
        set(e, 'a', '2')
      },
    ],
    {},
    { onlookers: 1 },
  ),
  play(
    'that finds no room, against gets',
    poor('a', narrow),
    [batching(['a', '1'], ['b', '1'], ['c', '1']), getting('b', 'a')],
    {},
    { onlookers: 1 },
  ),
  play(
    'that finds no room, against a helper and a reader',
    poor('a', narrow),
    [
      batching(['a', '1'], ['b', '1'], ['c', '1']),
      (e) => {
        remove(e, 'a')
      },
      getting('b', 'a'),
    ],
    {},
    { onlookers: 1 },
  ),
  play(
    'that finds no room, against another of the same keys',
    poor('a', narrow),
    [batching(['a', '1'], ['b', '1'], ['c', '1']), batching(['a', '2'], ['b', '2'])],
    {},
    { onlookers: 1 },
  ),
].flat()

const mourned = [
  play(
    'whose owner dies is brought to its end by a reaper, against gets',
    past('ab'),
    [both, getting('b', 'a')],
    {},
    { reaps: true },
  ),
  play(
    'whose owner dies is brought to its end by a reaper, against an overwrite',
    past('ab'),
    [both, setting('b')],
    {},
    { reaps: true },
  ),
  play(
    'whose owner dies is brought to its end by a reaper, against another',
    past('ab'),
    [both, batching(['a', '2'], ['b', '2'])],
    {},
    { reaps: true },
  ),
  play(
    'whose owner dies is brought to its end by a reaper, against a snapshot',
    past('a'),
    [both, entries],
    {},
    { reaps: true },
  ),
].flat()

export const scenarios: Rehearsable[] = bothOf([
  ...single,
  ...several,
  ...snapshots,
  ...structure,
  ...poverty,
  ...mourned,
])
