/**
 * A complete tree that becomes partial while it is read and written: some take the steps of the transition (as a cleaner does,
 * or a writer without room), then have what is clean leave. What is below before that is old: keys that were overwritten
 * since, and such as were deleted while the tree was complete, of which it says nothing. None of that may come back.
 */
import type { CounterName } from '../../../src/reclaim/participant.ts'
import type { Engine } from '../../../src/store/engine.ts'
import type { Mark } from '../../../src/tree/snapshots.ts'
import { batching } from './deals.ts'
import { mapOfBatches } from './map-of-batches.ts'
import { bothOf, type Play, type Rehearsable } from './play.ts'
import { type Part, type Text, set, setting } from './points.ts'
import {
  entriesNow,
  entriesOf,
  fetching,
  heldBy,
  insert,
  peek,
  peekAt,
  peeking,
  putIfAbsent,
  shelfFaults,
  take,
  taking,
  transactOver,
} from './shelf-points.ts'
import { SHELF_WORDS, furnish, shelfOf } from './shelf.ts'
import { type Pairs, type TreePast, enginesAt, keysIn, mourn, notExplained, same } from './trees.ts'

const MOST_STEPS = 3000
const ARENA_BYTES = 96 * 1024
/** Granules of the journal, more than a play writes. */
const RING = 128
/** Calls that a thread makes to turn a tree: two if nobody is in its way. */
const CALLS = 3
/** Calls after which the tree is partial if those that are left are alone with it. */
const CALLS_AT_REST = 6

interface Past {
  /** In the tree, and not below. */
  readonly tree?: Text
  /** Below, with the value 0. What of it is not in the tree has been deleted since. */
  readonly below?: Text
  /** What else is written by the threads: a flush has to know. */
  readonly written?: Text
  readonly journaled?: boolean
  readonly over?: TreePast['over']
  readonly then?: (cast: readonly Engine[]) => void
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

function isPartial({ tree }: Engine): boolean {
  return tree.context.residence.isPartial()
}

/** Takes steps until the tree is partial, or so often. */
function goOn(engine: Engine, calls: number): void {
  for (let call = 0; call < calls && !isPartial(engine); call++) engine.pressure.goOn()
}

/** Has leave what may, the hand of the evictor coming by twice, for readers leave marks. */
function leave({ evictor }: Engine): void {
  evictor.step(false)
  evictor.step(false)
}

const turning: Part = (engine) => {
  goOn(engine, CALLS)
  leave(engine)
}

/** The same without what follows: what leaves is in the way of those who would overwrite it, and have them look again. */
const onlyTurning: Part = (engine) => goOn(engine, CALLS)

/** As `turning`, by a writer that finds no room: in between it waits for a flush. */
const relieving: Part = (engine) => {
  for (let call = 0; call < CALLS && !isPartial(engine); call++) engine.pressure.relieve()
  leave(engine)
}

/** What is wrong with a tree at rest that any of those who are left is to make partial. */
function turningFaults(engine: Engine, keys: readonly Text[]): string[] {
  const before = heldBy(engine, keys)
  goOn(engine, CALLS_AT_REST)
  if (!isPartial(engine)) return ['the tree does not become partial']
  const after = heldBy(engine, keys)
  const found = after === before ? [] : [`the transition made ${after} of ${before}`]
  return [...found, ...shelfFaults(engine, keys)]
}

function play({ name, past, threads, does, extra }: Piece): Play<Engine> {
  const { tree = '', below = '', written = '', then, over } = past
  const pairs = past.holds ?? same(tree)
  const model = mapOfBatches(pairs)
  const keys = [...new Set(tree + below + written)]
  const treePast: TreePast = {
    pairs: [],
    over: { leafSlots: 4, leafEntries: 4, tierWords: SHELF_WORDS, ...over },
    batches: true,
    ring: RING,
    then(first, cast) {
      const old = [...below].map((key) => [key, '0'] as const)
      furnish(cast, old, past.journaled === true)
      for (const engine of cast) engine.pressure.askFlush = () => shelfOf(engine).flush(engine, keys)
      for (const key of tree) set(first, key, key)
      then?.(cast)
    },
  }
  return {
    name: `turning partial: ${name}`,
    cast: (memory) => enginesAt(memory, threads.length, treePast),
    threads,
    model,
    check(survivors, outcome) {
      const engine = survivors[0]!
      const found = extra?.(outcome.results) ?? []
      found.push(...notExplained(engine, outcome, model, pairs, peek))
      if (outcome.killed < 0) found.push(...engine.verify().problems)
      if (outcome.killed >= 0) mourn(survivors, outcome.killed + 1, false)
      return [...found, ...turningFaults(engine, keysIn(outcome.history, pairs))]
    },
    does: does ?? {},
    options: { maxSteps: MOST_STEPS, memory: { bytes: ARENA_BYTES } },
  }
}

const takeAndPeek: Part = (engine) => {
  take(engine, 'a')
  peek(engine, 'a')
}

const deleteAndConsolidate: Part = (engine) => {
  take(engine, 'a')
  set(engine, 'c', '1')
  peek(engine, 'a')
}

const reads = [
  play({
    name: 'against a get',
    past: { tree: 'a' },
    threads: [turning, peeking('a', 'a')],
    does: { evictions: 1 },
  }),
  play({
    name: 'against a get that brings up what has left',
    past: { tree: 'a' },
    threads: [turning, fetching('a', 'a')],
    does: { evictions: 1, fills: 1 },
  }),
  play({
    name: 'against a get of what was deleted before',
    past: { below: 'a' },
    threads: [turning, peeking('a', 'a')],
  }),
  play({
    name: 'against a get of what was overwritten before',
    past: { tree: 'a', below: 'a' },
    threads: [turning, peeking('a', 'a')],
    does: { evictions: 1 },
  }),
]

const writes = [
  play({
    name: 'against a set',
    past: { tree: 'a', below: 'a' },
    threads: [turning, setting('a', 'a')],
    does: { evictions: 1 },
  }),
  play({
    name: 'against a set of what was deleted before, and a get',
    past: { below: 'a' },
    threads: [turning, setting('a'), peeking('a')],
    does: { evictions: 1 },
  }),
  play({
    name: 'against a delete',
    past: { tree: 'a', below: 'a' },
    threads: [turning, takeAndPeek],
    does: { deletes: 1 },
  }),
  play({
    name: 'against a delete and a get',
    past: { tree: 'a', below: 'a' },
    threads: [turning, taking('a'), peeking('a')],
    does: { deletes: 1 },
  }),
  play({
    name: 'against two deletes',
    past: { tree: 'a', below: 'a' },
    threads: [turning, taking('a', 'a')],
    does: { deletes: 1 },
  }),
  play({
    name: 'against a delete of what was deleted before',
    past: { below: 'a' },
    threads: [turning, takeAndPeek],
  }),
  play({
    name: 'against a set and a delete',
    past: { below: 'a' },
    threads: [
      turning,
      (e) => {
        set(e, 'a', '1')
        takeAndPeek(e)
      },
    ],
    does: { deletes: 1 },
  }),
  play({
    name: 'against an insert if it is absent',
    past: { tree: 'a', below: 'a' },
    threads: [turning, (e) => putIfAbsent(e, 'a', '1')],
    does: { evictions: 1 },
  }),
  play({
    name: 'against an insert if it is absent, without a look before it',
    past: { tree: 'a', below: 'a' },
    threads: [turning, (e) => insert(e, 'a', '1')],
    does: { evictions: 1 },
  }),
  play({
    name: 'against an insert of what was deleted before, without a look before it, and a delete',
    past: { below: 'a' },
    threads: [turning, (e) => insert(e, 'a', '1'), taking('a')],
  }),
  play({
    name: 'against an insert if it is absent, of what was deleted before',
    past: { below: 'a' },
    threads: [turning, (e) => putIfAbsent(e, 'a', '1'), (e) => putIfAbsent(e, 'a', '2')],
  }),
  play({
    name: 'against a delete and a consolidation',
    past: { tree: 'ab', below: 'ab', written: 'c', over: { leafSlots: 1 } },
    threads: [turning, deleteAndConsolidate],
    does: { deletes: 1, consolidations: 1 },
  }),
]

const alone = [
  play({
    name: 'nothing leaves, against a delete',
    past: { tree: 'a', below: 'a' },
    threads: [onlyTurning, takeAndPeek],
    does: { deletes: 1 },
  }),
  play({
    name: 'nothing leaves, against a delete and a get',
    past: { tree: 'a', below: 'a' },
    threads: [onlyTurning, taking('a'), peeking('a')],
    does: { deletes: 1 },
  }),
  play({
    name: 'nothing leaves, against a set and a delete',
    past: { below: 'a' },
    threads: [
      onlyTurning,
      (e) => {
        set(e, 'a', '1')
        takeAndPeek(e)
      },
    ],
    does: { deletes: 1 },
  }),
  play({
    name: 'nothing leaves, against a delete and a consolidation',
    past: { tree: 'ab', below: 'ab', written: 'c', over: { leafSlots: 1 } },
    threads: [onlyTurning, deleteAndConsolidate],
    does: { deletes: 1, consolidations: 1 },
  }),
  play({
    name: 'nothing leaves, by two, against a delete',
    past: { tree: 'a', below: 'a' },
    threads: [onlyTurning, onlyTurning, takeAndPeek],
    does: { deletes: 1 },
  }),
  play({
    name: 'nothing leaves, with a journal, against a delete',
    past: { tree: 'a', below: 'a', journaled: true },
    threads: [onlyTurning, takeAndPeek],
    does: { deletes: 1 },
  }),
]

const deals = [
  play({
    name: 'against a batch',
    past: { tree: 'a', below: 'ab' },
    threads: [
      turning,
      (e) => {
        batching(['a', undefined], ['b', '1'])(e)
        peek(e, 'a')
      },
    ],
    does: { evictions: 1 },
  }),
  play({
    name: 'against a batch and a get',
    past: { tree: 'ab', below: 'ab' },
    threads: [turning, batching(['a', undefined], ['b', undefined]), peeking('b', 'a')],
  }),
  play({
    name: 'against a transaction',
    past: { tree: 'a', below: 'ab', written: 'c' },
    threads: [turning, (e) => transactOver(e, ['a', 'b'], ['b', '1'], ['c', '1'])],
    does: { evictions: 1 },
  }),
  play({
    name: 'against a transaction and a delete',
    past: { tree: 'ab', below: 'ab', written: 'c' },
    threads: [turning, (e) => transactOver(e, ['a'], ['b', '1'], ['c', '1']), taking('a')],
    does: { deletes: 1 },
  }),
]

const snapshots = [
  play({
    name: 'against a snapshot',
    past: { tree: 'a', below: 'ab' },
    threads: [turning, entriesNow],
    does: { snapshots: 1, evictions: 1 },
  }),
  play({
    name: 'against a snapshot and a delete',
    past: { tree: 'ab', below: 'ab' },
    threads: [turning, entriesNow, taking('a')],
    does: { snapshots: 1, deletes: 1, evictions: 1 },
  }),
  play({
    name: 'against a snapshot and a set',
    past: { tree: 'a', below: 'ab' },
    threads: [turning, entriesNow, setting('b', 'a')],
    does: { snapshots: 1, evictions: 1 },
  }),
]

let mark: Mark = { slot: 0, state: 0, ts: 0 }

/** A snapshot that was taken of the complete tree, which holds nothing below. */
function old(name: string, past: Past, sees: Text, threads: readonly Part[], does: Piece['does']): Play<Engine> {
  return play({
    name: `against an old snapshot, ${name}`,
    past: {
      ...past,
      then(cast) {
        past.then?.(cast)
        mark = cast.at(-1)!.snapshots.take(0)
      },
    },
    threads: [
      (engine) => {
        const values = [...'ab'].map((key) => peekAt(engine, mark, key)).join()
        const entries = entriesOf(engine, mark)?.join(' ')
        const expected = [...sees].map((key) => [key, key]).join(' ')
        return values === [...'ab'].map((key) => (sees.includes(key) ? key : undefined)).join() && entries === expected
          ? []
          : [`the snapshot sees ${values} and ${entries}`]
      },
      ...threads,
    ],
    extra: (results) => (Array.isArray(results[0]) ? (results[0] as string[]) : []),
    ...(does === undefined ? {} : { does }),
  })
}

const held = [
  old('which sees what would leave', { tree: 'a', below: 'ab' }, 'a', [turning], {}),
  old(
    'and a delete',
    { tree: 'a', below: 'ab' },
    'a',
    [
      (e) => {
        take(e, 'a')
        turning(e)
      },
    ],
    { deletes: 1 },
  ),
  old('and a delete by another', { tree: 'a', below: 'ab' }, 'a', [turning, takeAndPeek], { deletes: 1 }),
  old('and a set', { tree: 'a', below: 'ab' }, 'a', [turning, setting('a', 'b')], {}),
]

const together = [
  play({
    name: 'by two, against a delete',
    past: { tree: 'a', below: 'a' },
    threads: [turning, turning, takeAndPeek],
    does: { deletes: 1 },
  }),
  play({
    name: 'by two, of whom one deletes first',
    past: { tree: 'a', below: 'a' },
    threads: [
      turning,
      (e) => {
        takeAndPeek(e)
        turning(e)
      },
    ],
    does: { deletes: 1 },
  }),
  play({
    name: 'by two, of whom one deletes afterwards',
    past: { tree: 'a', below: 'a' },
    threads: [
      turning,
      (e) => {
        turning(e)
        takeAndPeek(e)
      },
    ],
    does: { deletes: 1, evictions: 1 },
  }),
  play({
    name: 'by two, against a get',
    past: { tree: 'a', below: 'b' },
    threads: [turning, turning, peeking('a', 'b')],
    does: { evictions: 1 },
  }),
  play({
    name: 'beside a flush that somebody else has begun',
    past: { tree: 'a', below: 'a' },
    threads: [turning, (e) => shelfOf(e).flush(e, ['a']), takeAndPeek],
    does: { deletes: 1, evictions: 1 },
  }),
  play({
    name: 'by a writer without room, against a delete',
    past: { tree: 'a', below: 'a' },
    threads: [relieving, takeAndPeek],
    does: { deletes: 1 },
  }),
  play({
    name: 'by a writer without room, against a snapshot',
    past: { tree: 'a', below: 'ab' },
    threads: [relieving, entriesNow],
    does: { snapshots: 1, evictions: 1 },
  }),
]

const journaled = [
  play({
    name: 'with a journal, against a delete',
    past: { tree: 'a', below: 'a', journaled: true },
    threads: [turning, takeAndPeek],
    does: { deletes: 1 },
  }),
  play({
    name: 'with a journal, against a delete and a consolidation',
    past: { tree: 'ab', below: 'ab', written: 'c', over: { leafSlots: 1 }, journaled: true },
    threads: [turning, deleteAndConsolidate],
    does: { deletes: 1, consolidations: 1 },
  }),
  play({
    name: 'with a journal, against a batch and a get',
    past: { tree: 'a', below: 'ab', journaled: true },
    threads: [turning, batching(['a', undefined], ['b', '1']), peeking('a', 'b')],
  }),
]

export const scenarios: Rehearsable[] = bothOf([
  ...reads,
  ...writes,
  ...alone,
  ...deals,
  ...snapshots,
  ...held,
  ...together,
  ...journaled,
])
