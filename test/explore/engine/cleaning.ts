/** Segments that are cleaned while others write and read what lies in them; and the schemes that free too early or never. */
import type { CounterName } from '../../../src/reclaim/participant.ts'
import type { Engine } from '../../../src/store/engine.ts'
import { runGarbage } from './people.ts'
import { type Play, bothOf, scenarioOf, type Rehearsable } from './play.ts'
import { type Found, type Part, findRecord, getting, removing, set, setting, swapFound } from './points.ts'
import { type TreePast, same, treePlay } from './trees.ts'

/** In the order in which the first engine opened them. */
const PAGES = 0
const RECORDS = 1

/** Everything lies in segments that are sealed. */
function sealed(keys: string, over: TreePast['over'] = {}): TreePast {
  return { pairs: same(keys), over: { leafEntries: 4, leafSlots: 2, ...over }, then: ({ log }) => log.sealAll() }
}

const cleaning =
  (which: number): Part =>
  ({ cleaner, log }) =>
    cleaner.clean(log.segments.first + which, false)

/** Cleans a segment and has it wiped if it may be. */
const cleaningAndFreeing =
  (which: number): Part =>
  (engine) => {
    cleaning(which)(engine)
    runGarbage(engine)
  }

function play(
  name: string,
  past: TreePast,
  threads: readonly Part[],
  does: Partial<Record<CounterName, number>> = { segmentsCleaned: 1 },
  more: Partial<Play<Engine>> = {},
): Play<Engine> {
  return treePlay({ name: `cleaning: ${name}`, past, threads, rest: { does, ...more } })
}

const twoRecords = sealed('ab')
const oneRecord = sealed('a')
/** Two leaves under a root. */
const threePages = sealed('abcd', { leafEntries: 2, leafSlots: 1 })

const setAndGet: Part = (engine) => {
  set(engine, 'a', '1')
  getting('a')(engine)
}

const plays = [
  play('records, against an overwrite', oneRecord, [cleaning(RECORDS), setAndGet]),
  play('records, against a delete', oneRecord, [cleaning(RECORDS), removing('a')]),
  play('records, against the delete of all', twoRecords, [cleaning(RECORDS), removing('a', 'b')]),
  play('records, against readers', twoRecords, [cleaning(RECORDS), getting('a', 'b')]),
  play('records, against a consolidation', sealed('ab', { leafSlots: 1 }), [cleaning(RECORDS), setting('c')], {
    segmentsCleaned: 1,
    consolidations: 1,
  }),
  play('records, by two', oneRecord, [cleaning(RECORDS), cleaning(RECORDS)]),
  play('records, and freeing them, against readers', oneRecord, [cleaningAndFreeing(RECORDS), getting('a', 'a')], {
    segmentsCleaned: 1,
    segmentsReleased: 1,
  }),
  play('a leaf, against an insert', oneRecord, [cleaning(PAGES), setting('b')]),
  play('a leaf, against an overwrite', oneRecord, [cleaning(PAGES), setAndGet]),
  play('a leaf, against readers', oneRecord, [cleaningAndFreeing(PAGES), getting('a', 'a')]),
  play('three pages, against a split', threePages, [cleaning(PAGES), setting('e', 'f')], {
    segmentsCleaned: 1,
    splits: 1,
  }),
  play('three pages, against a merge', threePages, [cleaning(PAGES), removing('d', 'c')], {
    segmentsCleaned: 1,
    merges: 1,
  }),
  play('pages and records', oneRecord, [cleaning(PAGES), cleaning(RECORDS)], { segmentsCleaned: 2 }),
]

let found: Found = { record: 0, since: 0 }
const swapped: TreePast = {
  ...oneRecord,
  then(first) {
    first.log.sealAll()
    found = findRecord(first, 'a')
  },
}

/** The address of the record that is to be swapped comes to hold another one, of the same key. */
const recycled = play(
  'records, which are recycled while one of them is swapped',
  swapped,
  [
    (engine) => swapFound(engine, 'a', 'a', '1', found),
    (engine) => {
      set(engine, 'a', '2')
      runGarbage(engine)
      engine.log.sealAll()
      set(engine, 'a', '3')
    },
  ],
  { segmentsReleased: 1 },
)

/** More than a record takes. */
const LARGE = 'x'.repeat(20)
/** Here the extents come before the records. */
const EXTENTS = 1
const RECORDS_OF_EXTENTS = 2
const oneLarge: TreePast = {
  pairs: [['a', LARGE]],
  over: { leafEntries: 4, leafSlots: 2, inlineBytes: 16 },
  then: ({ log }) => log.sealAll(),
}

const larges = [
  play('an extent, against readers', oneLarge, [cleaningAndFreeing(EXTENTS), getting('a', 'a')]),
  play('an extent, against an overwrite', oneLarge, [cleaning(EXTENTS), setAndGet]),
  play('an extent, and its record', oneLarge, [cleaning(EXTENTS), cleaning(RECORDS_OF_EXTENTS)], {
    segmentsCleaned: 2,
  }),
  play('an extent, against one that takes its place', oneLarge, [
    cleaning(EXTENTS),
    (engine) => set(engine, 'a', LARGE.toUpperCase()),
  ]),
]

/** Frees its old value's segment, which nothing else lies in. */
function overwriteAndFree(engine: Engine): void {
  set(engine, 'a', '1')
  runGarbage(engine)
}

const controls: Rehearsable[] = [
  play(
    'what is freed at once, under a reader',
    sealed('a', { scheme: 'unsafe' }),
    [overwriteAndFree, getting('a')],
    {},
    {
      finds: 'use-after-free',
      options: { races: 'ignore' },
    },
  ),
  play(
    'what is never freed',
    sealed('a', { scheme: 'none' }),
    [overwriteAndFree, getting('a')],
    {},
    {
      finds: 'leak',
      faultKind: 'leak',
    },
  ),
].map((control) => scenarioOf(control, false))

export const scenarios: Rehearsable[] = [
  ...bothOf([
    ...plays,
    ...larges,
    recycled,
    play('nothing, against a reader', oneRecord, [overwriteAndFree, getting('a')], { segmentsReleased: 1 }),
  ]),
  ...controls,
]
