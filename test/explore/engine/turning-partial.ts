/**
 * A complete tree that becomes partial while it is read and written: some take the steps of the transition (as a cleaner does,
 * or a writer without room), then have what is clean leave. What is below before that is old: keys that were overwritten
 * since, and such as were deleted while the tree was complete, of which it says nothing. None of that may come back.
 */
import type { Engine } from '../../../src/store/engine.ts'
import type { Mark } from '../../../src/tree/snapshots.ts'
import { batching } from './deals.ts'
import { bothOf, type Play, type Rehearsable } from './play.ts'
import { type Part, type Text, set, setting } from './points.ts'
import { furnishCursor, walk } from './shelf-cursor.ts'
import {
  entriesNow,
  entriesOf,
  fetching,
  insert,
  peek,
  peekAt,
  peeking,
  putIfAbsent,
  take,
  taking,
  transactOver,
} from './shelf-points.ts'
import { shelfOf } from './shelf.ts'
import { type Past, type Piece, onlyTurning, relieving, turning, turningPlay as play } from './turning.ts'

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

/** What is wrong with what a cursor has come by, where a and c stayed, and b may have come. */
function cursorFaults(seen: readonly (readonly [Text, Text])[], reverse: boolean, mayCome: boolean): string[] {
  const found = (reverse ? seen.toReversed() : seen).map(String)
  const right = [['a,a', 'c,c'], ...(mayCome ? [['a,a', 'b,1', 'c,c']] : [])]
  return right.some((each) => String(each) === String(found)) ? [] : [`the cursor came by ${found.join(' ')}`]
}

/** A cursor over a and c, while b is below, from before it was deleted. */
function cursor(name: string, reverse: boolean, over: Past['over'], ...others: readonly Part[]): Play<Engine> {
  return play({
    name: `against a cursor, ${name}`,
    past: { tree: 'ac', below: 'abc', over, then: (cast) => furnishCursor(cast[0]!) },
    threads: [(engine) => walk(engine, reverse), turning, ...others],
    extra: ([seen]) => (seen === undefined ? [] : cursorFaults(seen as [Text, Text][], reverse, others.length > 0)),
    does: { evictions: 1 },
  })
}

const cursors = [
  cursor('forward', false, {}),
  cursor('backward', true, {}),
  cursor('over two leaves', false, { leafEntries: 2, leafSlots: 1 }),
  cursor('and a set', false, {}, setting('b')),
  play({
    name: 'against a cursor of one who has deleted',
    past: { tree: 'abc', below: 'abc', then: (cast) => furnishCursor(cast[0]!) },
    threads: [
      (engine) => {
        take(engine, 'b')
        return walk(engine, false)
      },
      onlyTurning,
    ],
    extra: ([seen]) => (seen === undefined ? [] : cursorFaults(seen as [Text, Text][], false, false)),
    does: { deletes: 1 },
  }),
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
  ...cursors,
  ...together,
  ...journaled,
])
