/**
 * A tree that is smaller than its data: records leave it for a shelf below, and are brought up again, against everything that
 * reads and writes them. Nothing is lost, nothing comes back that was replaced or deleted.
 */
import type { CounterName } from '../../../src/reclaim/participant.ts'
import type { Engine } from '../../../src/store/engine.ts'
import type { Mark } from '../../../src/tree/snapshots.ts'
import { batching } from './deals.ts'
import { mapOfBatches } from './map-of-batches.ts'
import { runGarbage } from './people.ts'
import { bothOf, type Play, type Rehearsable } from './play.ts'
import { type Part, type Text, set, setting } from './points.ts'
import {
  clearing,
  entriesNow,
  entriesOf,
  evict,
  evictClean,
  evicting,
  fetch,
  fetching,
  peek,
  peekAt,
  peeking,
  putIfAbsent,
  shelfFaults,
  take,
  taking,
  transactOver,
} from './shelf-points.ts'
import { SHELF_WORDS, shelfOf, shelve } from './shelf.ts'
import { type Pairs, type TreePast, enginesAt, keysIn, mourn, notExplained, same } from './trees.ts'

const MOST_STEPS = 2500
const ARENA_BYTES = 96 * 1024
/** Granules of the journal, more than a play writes. */
const RING = 128

interface Past {
  /** In the tree, clean: also on the shelf. */
  readonly tree?: Text
  /** On the shelf only. */
  readonly shelf?: Text
  readonly over?: TreePast['over']
  /** Whether changes go through the journal. */
  readonly journaled?: boolean
  readonly then?: (first: Engine, cast: readonly Engine[]) => void
  /** What all of it holds, if `then` changes it. */
  readonly holds?: Pairs
}

interface Piece {
  readonly name: string
  readonly past: Past
  readonly threads: readonly Part[]
  readonly does?: Partial<Record<CounterName, number>>
  readonly extra?: (results: readonly unknown[]) => string[]
}

function play({ name, past, threads, does, extra }: Piece): Play<Engine> {
  const { tree = '', shelf = '', then, over } = past
  const pairs = past.holds ?? same(tree + shelf)
  const model = mapOfBatches(pairs)
  const treePast: TreePast = {
    pairs: same(tree),
    over: { leafSlots: 4, leafEntries: 4, tierWords: SHELF_WORDS, ...over },
    batches: true,
    ring: RING,
    then(first, cast) {
      shelve(cast, same(tree + shelf), past.journaled === true)
      then?.(first, cast)
    },
  }
  return {
    name: `partial: ${name}`,
    cast: (memory) => enginesAt(memory, threads.length, treePast),
    threads,
    model,
    check(survivors, outcome) {
      const engine = survivors[0]!
      const found = extra?.(outcome.results) ?? []
      found.push(...notExplained(engine, outcome, model, pairs, peek))
      if (outcome.killed < 0) found.push(...engine.verify().problems)
      if (outcome.killed >= 0) mourn(survivors, outcome.killed + 1, false)
      return [...found, ...shelfFaults(engine, keysIn(outcome.history, pairs))]
    },
    does: does ?? {},
    options: { maxSteps: MOST_STEPS, memory: { bytes: ARENA_BYTES } },
  }
}

const evictions = [
  play({
    name: 'a record leaves, against a get',
    past: { tree: 'a' },
    threads: [evicting('a'), peeking('a', 'a')],
    does: { evictions: 1 },
  }),
  play({
    name: 'a record leaves, against a get that brings it up',
    past: { tree: 'a' },
    threads: [evicting('a'), fetching('a', 'a')],
    does: { evictions: 1, fills: 1 },
  }),
  play({
    name: 'a record leaves, against an overwrite',
    past: { tree: 'a' },
    threads: [evicting('a'), setting('a')],
    does: { evictions: 1 },
  }),
  play({
    name: 'a record leaves, against a delete',
    past: { tree: 'a' },
    threads: [evicting('a'), taking('a')],
    does: { evictions: 1, deletes: 1 },
  }),
  play({
    name: 'a record leaves, against an insert if it is absent',
    past: { tree: 'a' },
    threads: [evicting('a'), (e) => putIfAbsent(e, 'a', '1')],
    does: { evictions: 1 },
  }),
  play({
    name: 'a record leaves by two, against a get',
    past: { tree: 'a' },
    threads: [evicting('a'), evicting('a'), fetching('a')],
    does: { evictions: 1 },
  }),
  play({
    name: 'a record leaves, against a batch',
    past: { tree: 'ab' },
    threads: [evicting('a', 'b'), batching(['a', '1'], ['b', '1'])],
    does: { evictions: 1 },
  }),
  play({
    name: 'a record leaves, against a batch and a reader',
    past: { tree: 'ab' },
    threads: [evicting('b'), batching(['a', '1'], ['b', undefined]), peeking('b', 'a')],
    does: { evictions: 1 },
  }),
  play({
    name: 'a record leaves, against the cleaner',
    past: { tree: 'a', then: ({ log }) => log.sealAll() },
    threads: [evicting('a'), ({ cleaner, log }) => cleaner.clean(log.segments.first + 1, false), peeking('a')],
    does: { evictions: 1 },
  }),
  play({
    name: 'a record leaves, against a consolidation',
    past: { tree: 'ab', over: { leafSlots: 1 } },
    threads: [evicting('a'), setting('c', 'd'), peeking('a')],
    does: { evictions: 1, consolidations: 1 },
  }),
  play({
    name: 'what was just written leaves only when it is clean',
    past: { shelf: 'a' },
    threads: [setting('a'), evicting('a'), peeking('a')],
  }),
  play({
    name: 'what is deleted, is forgotten only when that is clean',
    past: { tree: 'a' },
    threads: [taking('a'), evicting('a'), peeking('a', 'a')],
    does: { deletes: 1 },
  }),
  play({
    name: 'a delete is flushed and leaves, against gets',
    past: { tree: 'a' },
    threads: [taking('a'), clearing('a'), peeking('a', 'a')],
    does: { deletes: 1, evictions: 1 },
  }),
  play({
    name: 'a write is flushed and leaves, against gets',
    past: { shelf: 'a' },
    threads: [setting('a'), clearing('a'), peeking('a', 'a')],
    does: { evictions: 1 },
  }),
  play({
    name: 'a write is flushed and leaves, against a delete',
    past: { shelf: 'a' },
    threads: [setting('a'), clearing('a'), taking('a')],
    does: { evictions: 1 },
  }),
]

/** Writes, flushes and evicts: afterwards the leaf looks as if nothing had been. */
const setAndClear: Part = (engine) => {
  set(engine, 'a', '1')
  evictClean(engine, 'a')
}
const deleteAndClear: Part = (engine) => {
  take(engine, 'a')
  evictClean(engine, 'a')
}

const fills = [
  play({
    name: 'brought up, against a write',
    past: { shelf: 'a' },
    threads: [fetching('a'), setting('a')],
    does: { fills: 1 },
  }),
  play({
    name: 'brought up, against a write that leaves again',
    past: { shelf: 'a' },
    threads: [fetching('a'), setAndClear],
    does: { fills: 1, evictions: 1 },
  }),
  play({
    name: 'brought up, against a write that leaves again, and a reader',
    past: { shelf: 'a' },
    threads: [fetching('a'), setAndClear, peeking('a', 'a')],
    does: { fills: 1, evictions: 1 },
  }),
  play({
    name: 'brought up, against a delete that leaves again',
    past: { shelf: 'a' },
    threads: [fetching('a'), deleteAndClear],
    does: { fills: 1, evictions: 1 },
  }),
  play({
    name: 'brought up by two',
    past: { shelf: 'a' },
    threads: [fetching('a'), fetching('a')],
    does: { fills: 1 },
  }),
  play({
    name: 'brought up, against an insert of another key',
    past: { shelf: 'a' },
    threads: [fetching('a'), setting('b')],
    does: { fills: 1 },
  }),
  play({
    name: 'brought up, against a write that leaves with its base, which is freed',
    past: { shelf: 'a', over: { leafSlots: 1 } },
    threads: [
      fetching('a'),
      (e) => {
        setAndClear(e)
        set(e, 'b', '1')
        e.log.sealAll()
        runGarbage(e)
      },
    ],
    does: { fills: 1, evictions: 1 },
  }),
  play({
    name: 'brought up, against a split',
    past: { tree: 'bcde', shelf: 'a' },
    threads: [fetching('a', 'a'), setting('f', 'g')],
    does: { fills: 1 },
  }),
  play({
    name: 'brought up, against a batch',
    past: { shelf: 'ab' },
    threads: [fetching('a'), batching(['a', '1'], ['b', '1'])],
    does: { fills: 1 },
  }),
  play({
    name: 'brought up, and left, against a batch',
    past: { shelf: 'ab' },
    threads: [
      (e) => {
        fetch(e, 'b')
        evict(e, 'b')
      },
      batching(['a', '1'], ['b', '1']),
    ],
    does: { fills: 1, evictions: 1 },
  }),
  play({
    name: 'deleted below, against a write',
    past: { shelf: 'a' },
    threads: [taking('a'), setting('a')],
    does: { deletes: 1 },
  }),
  play({
    name: 'deleted below, against a write that leaves',
    past: { shelf: 'a' },
    threads: [taking('a'), setAndClear],
    does: { deletes: 1, evictions: 1 },
  }),
  play({
    name: 'deleted below by two',
    past: { shelf: 'a' },
    threads: [taking('a'), taking('a')],
    does: { deletes: 1 },
  }),
  play({
    name: 'deleted below, against a batch',
    past: { shelf: 'ab' },
    threads: [taking('b'), batching(['a', '1'], ['b', '1'])],
    does: { deletes: 1 },
  }),
  play({
    name: 'inserted if absent below, against a write that leaves',
    past: {},
    threads: [(e) => putIfAbsent(e, 'a', '2'), setAndClear],
    does: { fills: 1, evictions: 1 },
  }),
  play({
    name: 'inserted if absent below, against a delete that leaves',
    past: { shelf: 'a' },
    threads: [(e) => putIfAbsent(e, 'a', '2'), deleteAndClear],
    does: { evictions: 1 },
  }),
  play({
    name: 'inserted if absent below by two',
    past: {},
    threads: [(e) => putIfAbsent(e, 'a', '1'), (e) => putIfAbsent(e, 'a', '2')],
    does: { fills: 1 },
  }),
  play({
    name: 'inserted if absent below, while what was brought up for it leaves',
    past: {},
    threads: [(e) => putIfAbsent(e, 'a', '1'), evicting('a', 'a')],
    does: { fills: 1 },
  }),
]

const snapshots = [
  play({
    name: 'a snapshot, against a write that leaves',
    past: { shelf: 'a' },
    threads: [entriesNow, setAndClear],
    does: { snapshots: 1, evictions: 1 },
  }),
  play({
    name: 'a snapshot, against a delete that leaves',
    past: { tree: 'a' },
    threads: [entriesNow, deleteAndClear],
    does: { snapshots: 1, evictions: 1 },
  }),
  play({
    name: 'a snapshot, against a write, and a flush and an eviction of it',
    past: { shelf: 'a' },
    threads: [entriesNow, setting('a'), clearing('a')],
    does: { snapshots: 1, evictions: 1 },
  }),
  play({
    name: 'two snapshots, against a flush and an eviction',
    past: { shelf: 'a', then: (e) => set(e, 'a', '1'), holds: [['a', '1']] },
    threads: [
      (e) => {
        entriesNow(e)
        entriesNow(e)
      },
      clearing('a'),
      (e) => set(e, 'a', '2'),
    ],
    does: { snapshots: 2, evictions: 1 },
  }),
  play({
    name: 'a snapshot, against a key that is brought up and written',
    past: { shelf: 'a' },
    threads: [
      entriesNow,
      (e) => {
        fetch(e, 'a')
        set(e, 'a', '1')
      },
    ],
    does: { snapshots: 1, fills: 1 },
  }),
  play({
    name: 'a get and a snapshot, against a delete that leaves',
    past: { tree: 'a' },
    threads: [
      (e) => {
        peek(e, 'a')
        entriesNow(e)
      },
      deleteAndClear,
    ],
    does: { evictions: 1 },
  }),
]

let mark: Mark = { slot: 0, state: 0, ts: 0 }

/** Writes over what is in the tree, then what is not, and flushes both: who sees the second sees the first. */
const setBothAndFlush: Part = (engine) => {
  set(engine, 'b', '1')
  set(engine, 'a', '1')
  shelfOf(engine).flush(engine, ['a', 'b'])
}

const ordered = [
  play({
    name: 'a snapshot, against two writes, one after the other, that are flushed',
    past: { tree: 'b', shelf: 'a' },
    threads: [entriesNow, setBothAndFlush],
    does: { snapshots: 1 },
  }),
]

/** A snapshot that was taken before the play begins, by an engine that only looks on. */
function old(
  name: string,
  past: Past,
  sees: Text | undefined,
  threads: readonly Part[],
  does: Piece['does'] = {},
): Play<Engine> {
  return play({
    name: `old snapshot: ${name}`,
    past: {
      ...past,
      then(first, cast) {
        past.then?.(first, cast)
        mark = cast.at(-1)!.snapshots.take(0)
      },
    },
    threads: [
      (engine) => {
        const value = peekAt(engine, mark, 'a')
        const pairs = entriesOf(engine, mark)?.find(([key]) => key === 'a')?.[1]
        return value === sees && pairs === sees ? [] : [`the snapshot sees ${value} and ${pairs}`]
      },
      ...threads,
    ],
    extra: (results) => (Array.isArray(results[0]) ? (results[0] as string[]) : []),
    does,
  })
}

const held = [
  old('a write leaves', { shelf: 'a' }, 'a', [setAndClear], { evictions: 1 }),
  old(
    'what it sees was written and leaves not',
    { shelf: 'a', then: (e) => set(e, 'a', '1'), holds: [['a', '1']] },
    '1',
    [clearing('a')],
  ),
  old(
    'what it sees is overwritten, and that leaves not',
    { shelf: 'a', then: (e) => set(e, 'a', '1'), holds: [['a', '1']] },
    '1',
    [
      (e) => {
        set(e, 'a', '2')
        evictClean(e, 'a')
      },
    ],
  ),
  old('a delete that it sees leaves not', { shelf: 'a', then: (e) => void take(e, 'a'), holds: [] }, undefined, [
    clearing('a'),
  ]),
  old(
    'what it sees leaves, and is brought up and overwritten',
    { tree: 'a' },
    'a',
    [
      (e) => {
        evict(e, 'a')
        fetch(e, 'a')
        set(e, 'a', '1')
      },
    ],
    { evictions: 1, fills: 1 },
  ),
  old('what it sees is deleted by two after it left', { shelf: 'a' }, 'a', [taking('a'), deleteAndClear], {
    deletes: 1,
  }),
]

const transactions = [
  play({
    name: 'a transaction, against a write that leaves',
    past: { shelf: 'ab' },
    threads: [(e) => transactOver(e, ['a'], ['b', '1'], ['c', '1']), setAndClear],
    does: { evictions: 1 },
  }),
  play({
    name: 'a transaction, against a delete that leaves',
    past: { shelf: 'ab' },
    threads: [(e) => transactOver(e, ['a'], ['b', '1'], ['c', '1']), deleteAndClear],
  }),
  play({
    name: 'a transaction of what leaves meanwhile',
    past: { tree: 'ab' },
    threads: [(e) => transactOver(e, ['a', 'b'], ['a', '1'], ['b', '1']), evicting('a', 'b')],
    does: { evictions: 1 },
  }),
  play({
    name: 'two transactions that read what the other writes, one of them flushed',
    past: { shelf: 'ab' },
    threads: [
      (e) => transactOver(e, ['a'], ['b', '1'], ['c', '1']),
      (e) => {
        transactOver(e, ['b'], ['a', '2'], ['d', '2'])
        shelfOf(e).flush(e, ['a', 'b', 'c', 'd'])
        evict(e, 'a')
      },
    ],
  }),
]

const afterAborts = [
  play({
    name: 'inserted if absent below, over what a transaction left that was aborted',
    past: { shelf: 'ab' },
    threads: [
      (e) => transactOver(e, ['b'], ['a', '1'], ['c', '1']),
      (e) => {
        set(e, 'b', '2')
        putIfAbsent(e, 'a', '2')
      },
    ],
  }),
  play({
    name: 'deleted below, over what a transaction left that was aborted, and read by a snapshot',
    past: { shelf: 'ab' },
    threads: [
      (e) => transactOver(e, ['b'], ['a', '1'], ['c', '1']),
      (e) => {
        set(e, 'b', '2')
        entriesNow(e)
        take(e, 'a')
      },
    ],
  }),
]

const journaled = [
  play({
    name: 'with a journal: a write is flushed and leaves, against a snapshot',
    past: { shelf: 'a', journaled: true },
    threads: [setting('a'), clearing('a'), entriesNow],
    does: { evictions: 1 },
  }),
  play({
    name: 'with a journal: brought up, against a write that leaves again',
    past: { shelf: 'a', journaled: true },
    threads: [fetching('a'), setAndClear],
    does: { fills: 1, evictions: 1 },
  }),
  play({
    name: 'with a journal: deleted below, against a batch',
    past: { shelf: 'ab', journaled: true },
    threads: [taking('b'), batching(['a', '1'], ['b', '1'])],
    does: { deletes: 1 },
  }),
  play({
    name: 'with a journal: a record leaves, against a delete',
    past: { tree: 'a', journaled: true },
    threads: [evicting('a'), taking('a')],
    does: { evictions: 1, deletes: 1 },
  }),
]

export const scenarios: Rehearsable[] = bothOf([
  ...evictions,
  ...fills,
  ...snapshots,
  ...ordered,
  ...held,
  ...transactions,
  ...afterAborts,
  ...journaled,
])
