/** Snapshots that are taken, read, attached to, closed and ended while others write, delete, clean and consolidate. */
import type { Engine } from '../../../src/store/engine.ts'
import type { Mark } from '../../../src/tree/snapshots.ts'
import { bothOf, type Play, type Rehearsable } from './play.ts'
import {
  type Part,
  type Text,
  compareAndSet,
  entries,
  entriesAt,
  get,
  getAt,
  increase,
  remove,
  removing,
  set,
  setting,
} from './points.ts'
import { type Pairs, type TreePast, same, treePlay } from './trees.ts'
import { runGarbage } from './people.ts'

const RECORDS = 1
const slots = (leafSlots: number) => ({ leafSlots, leafEntries: 4 })
const cleaningRecords: Part = ({ cleaner, log }) => cleaner.clean(log.segments.first + RECORDS, false)

/** Whoever takes a snapshot sees one moment: what they give must be linearizable with everything else. */
const taken = [
  treePlay({
    name: 'snapshot: taken against an overwrite of two keys',
    past: { pairs: same('ab'), over: slots(2) },
    threads: [
      (e) => {
        set(e, 'a', '1')
        set(e, 'b', '1')
      },
      entries,
    ],
    rest: { does: { snapshots: 1 } },
  }),
  treePlay({
    name: 'snapshot: taken against an insert and a delete',
    past: { pairs: same('a'), over: slots(2) },
    threads: [
      (e) => {
        set(e, 'b', '1')
        remove(e, 'a')
      },
      entries,
    ],
    rest: { does: { snapshots: 1, deletes: 1 } },
  }),
  treePlay({
    name: 'snapshot: taken against a delete and an insert of the same key',
    past: { pairs: same('a'), over: slots(2) },
    threads: [
      (e) => {
        remove(e, 'a')
        set(e, 'a', '1')
      },
      entries,
    ],
  }),
  treePlay({
    name: 'snapshot: two take one while a key is overwritten',
    past: { pairs: same('a'), over: slots(2) },
    threads: [setting('a'), entries, entries],
    rest: { does: { snapshots: 2 } },
  }),
  treePlay({
    name: 'snapshot: taken twice while another reads and one overwrites',
    past: { pairs: same('a'), over: slots(2) },
    threads: [
      setting('a'),
      (e) => {
        get(e, 'a')
        entries(e)
      },
    ],
  }),
  treePlay({
    name: 'snapshot: taken after a look at a key that is being deleted',
    past: { pairs: same('a'), over: slots(2) },
    threads: [
      removing('a'),
      (e) => {
        get(e, 'a')
        entries(e)
      },
    ],
  }),
  treePlay({
    name: 'snapshot: taken after a try to delete a key that is being deleted',
    past: { pairs: same('a'), over: slots(2) },
    threads: [
      removing('a'),
      (e) => {
        remove(e, 'a')
        entries(e)
      },
    ],
  }),
  treePlay({
    name: 'snapshot: taken against counting up',
    past: { pairs: [['a', '1']], over: slots(2) },
    threads: [(e) => increase(e, 'a'), (e) => increase(e, 'a'), entries],
  }),
  treePlay({
    name: 'snapshot: taken against a swap to absence and back',
    past: { pairs: same('a'), over: slots(2) },
    threads: [
      (e) => {
        compareAndSet(e, 'a', 'a', undefined)
        compareAndSet(e, 'a', undefined, 'b')
      },
      entries,
    ],
  }),
  treePlay({
    name: 'snapshot: taken against a consolidation with a deleted key',
    past: { pairs: same('ab'), over: slots(1) },
    threads: [
      (e) => {
        remove(e, 'a')
        set(e, 'c', '1')
        set(e, 'd', '1')
      },
      entries,
    ],
    rest: { does: { consolidations: 1 } },
  }),
  treePlay({
    name: 'snapshot: taken against the cleaner and an overwrite',
    past: { pairs: same('a'), over: slots(2), then: ({ log }) => log.sealAll() },
    threads: [cleaningRecords, setting('a'), entries],
  }),
  treePlay({
    name: 'snapshot: taken against a split',
    past: { pairs: same('abcde') },
    threads: [setting('f'), entries],
    rest: { does: { splits: 1 } },
  }),
  treePlay({
    name: 'snapshot: taken while the range of the clock is swept',
    past: { pairs: same('a'), over: { ...slots(2), clockBits: 5 }, then: winding(13) },
    threads: [
      (e) => {
        entries(e)
        entries(e)
      },
      setting('a', 'a'),
    ],
  }),
  treePlay({
    name: 'snapshot: two take one while the range of the clock is used up',
    past: { pairs: same('a'), over: { ...slots(2), clockBits: 5 }, then: winding(14) },
    threads: [entries, entries, removing('a')],
  }),
]

/** Takes so many snapshots. */
function winding(count: number): (first: Engine) => void {
  return ({ snapshots }) => {
    for (let i = 0; i < count; i++) snapshots.close(snapshots.take(0))
  }
}

/** A snapshot that was taken when the play begins, and what it is to see however the play goes on. */
interface Old {
  readonly name: string
  readonly past: TreePast
  /** Done between the taking and the play. */
  readonly since?: (first: Engine) => void
  readonly threads: readonly ((engine: Engine, mark: Mark) => unknown)[]
  readonly holds?: Pairs
  readonly rest?: Partial<Play<Engine>>
}

let mark: Mark = { slot: 0, state: 0, ts: 0 }

const shown = (pairs: Pairs | undefined): string =>
  pairs === undefined ? 'nothing, since it was ended' : String(pairs)

/** What the snapshot gives, in every way, if it is not what it is to see. */
function wrongLooks(engine: Engine, sees: Pairs): string[] {
  const expected = shown(sees)
  const looks = [entriesAt(engine, mark), entriesAt(engine, mark, true)]
  const found = looks.map(shown).filter((look) => look !== expected)
  for (const key of 'abc') {
    const value = getAt(engine, mark, key)
    if (value !== sees.find(([other]) => other === key)?.[1]) found.push(`${key} is ${value}`)
  }
  return found
}

function old({ name, past, since, threads, holds, rest }: Old): Play<Engine> {
  return treePlay({
    name: `old snapshot: ${name}`,
    past: {
      ...past,
      ...(holds === undefined ? {} : { holds }),
      then(first, cast) {
        mark = cast.at(-1)!.snapshots.take(0)
        since?.(first)
        past.then?.(first, cast)
      },
    },
    threads: threads.map((thread) => (engine: Engine) => thread(engine, mark)),
    extra: (results) => results.flatMap((result) => (Array.isArray(result) ? (result as string[]) : [])),
    ...(rest === undefined ? {} : { rest }),
  })
}

const looking =
  (sees: Pairs): Old['threads'][number] =>
  (engine) =>
    wrongLooks(engine, sees)

const closing: Old['threads'][number] = ({ snapshots }, held) => snapshots.close(held)
const sealing = ({ log }: Engine): void => log.sealAll()
const a1 = same('a')
const LARGE = 'large value '.repeat(8)

const held: Play<Engine>[] = [
  old({
    name: 'read while its key is overwritten twice',
    past: { pairs: a1, over: slots(2) },
    threads: [setting('a', 'a'), looking(a1)],
  }),
  old({
    name: 'read while two overwrite its key',
    past: { pairs: a1, over: slots(2) },
    threads: [setting('a'), setting('a'), looking(a1)],
  }),
  old({
    name: 'read while its key is deleted, inserted and deleted',
    past: { pairs: a1, over: slots(2) },
    threads: [
      (e) => {
        remove(e, 'a')
        set(e, 'a', '1')
        remove(e, 'a')
      },
      looking(a1),
    ],
  }),
  old({
    name: 'read while a key with an older version is deleted by two',
    past: { pairs: a1, over: slots(2) },
    since: (first) => set(first, 'a', '1'),
    holds: [['a', '1']],
    threads: [removing('a'), removing('a'), looking(a1)],
  }),
  old({
    name: 'another is taken after a look at a key that gets a tombstone',
    past: { pairs: a1, over: slots(2) },
    since: (first) => set(first, 'a', '1'),
    holds: [['a', '1']],
    threads: [
      removing('a'),
      (e) => {
        get(e, 'a')
        entries(e)
      },
    ],
  }),
  old({
    name: 'read while a deleted key goes with a consolidation',
    past: { pairs: same('ab'), over: slots(1) },
    threads: [
      (e) => {
        remove(e, 'a')
        set(e, 'c', '1')
        set(e, 'd', '1')
      },
      looking(same('ab')),
    ],
    rest: { does: { consolidations: 1 } },
  }),
  old({
    name: 'read while what it needs is moved, and freed',
    past: { pairs: a1, over: slots(2), then: sealing },
    since: (first) => set(first, 'a', '1'),
    holds: [['a', '1']],
    threads: [
      (e) => {
        cleaningRecords(e)
        runGarbage(e)
      },
      looking(a1),
    ],
    rest: { does: { segmentsCleaned: 1 } },
  }),
  old({
    name: 'what it needs is moved while its key is overwritten',
    past: { pairs: a1, over: slots(2), then: sealing },
    since: (first) => set(first, 'a', '1'),
    holds: [['a', '1']],
    threads: [cleaningRecords, setting('a'), looking(a1)],
    rest: { does: { segmentsCleaned: 1 } },
  }),
  old({
    name: 'what it needs is moved while its key is deleted',
    past: { pairs: a1, over: slots(2), then: sealing },
    threads: [cleaningRecords, removing('a'), looking(a1)],
  }),
  old({
    name: 'closed, and what it needed let go, while that is moved',
    past: { pairs: a1, over: slots(2), then: sealing },
    since: (first) => set(first, 'a', '1'),
    holds: [['a', '1']],
    threads: [
      cleaningRecords,
      ({ snapshots }, held) => {
        snapshots.close(held)
        snapshots.trimAll()
      },
    ],
    rest: { does: { segmentsCleaned: 1 } },
  }),
  old({
    name: 'what it needs is moved by two',
    past: { pairs: a1, over: slots(2), then: sealing },
    since: (first) => set(first, 'a', '1'),
    holds: [['a', '1']],
    threads: [cleaningRecords, cleaningRecords, looking(a1)],
  }),
  old({
    name: 'closed while its key is overwritten',
    past: { pairs: a1, over: slots(2) },
    since: (first) => set(first, 'a', '1'),
    holds: [['a', '1']],
    threads: [setting('a'), closing],
  }),
  old({
    name: 'closed while its key is deleted',
    past: { pairs: a1, over: slots(2) },
    threads: [removing('a'), closing],
  }),
  old({
    name: 'closed while another is taken and its key overwritten',
    past: { pairs: a1, over: slots(2) },
    threads: [setting('a'), (e) => void entries(e), closing],
  }),
  old({
    name: 'closed while all is trimmed and its key overwritten',
    past: { pairs: a1, over: slots(2) },
    since: (first) => set(first, 'a', '1'),
    holds: [['a', '1']],
    threads: [({ snapshots }) => snapshots.trimAll(true), setting('a'), closing],
  }),
  old({
    name: 'attached to while it is closed and its key overwritten',
    past: { pairs: a1, over: slots(2) },
    threads: [
      setting('a'),
      (engine, original) => {
        const { snapshots } = engine
        try {
          const mine = snapshots.attach(original, 0)
          const value = getAt(engine, mine, 'a')
          snapshots.close(mine)
          return value === 'a' ? [] : [`attached, it sees ${value}`]
        } catch (error) {
          if ((error as { code?: string }).code !== 'HEDDLE_SNAPSHOT_EXPIRED') throw error
          return []
        }
      },
      closing,
    ],
  }),
  old({
    name: 'ended while it is read and its key overwritten',
    past: { pairs: a1, over: slots(2) },
    since: (first) => set(first, 'a', '1'),
    holds: [['a', '1']],
    threads: [
      (engine) => {
        engine.tree.context.snapshots.expireOldest()
        set(engine, 'a', '2')
        runGarbage(engine)
      },
      (engine, original) => {
        const value: Text | undefined = getAt(engine, original, 'a')
        return value === 'a' || value === 'ended' ? [] : [`it sees ${value}`]
      },
    ],
  }),
  old({
    name: 'kept from by a sweep of the clock, which ages what it needs',
    past: { pairs: a1, over: { ...slots(2), clockBits: 5 } },
    threads: [
      (engine) => {
        winding(20)(engine)
      },
      setting('a', 'a'),
    ],
  }),
  old({
    name: 'a version that nobody needs is taken out of the middle while the others are moved',
    past: { pairs: a1, over: slots(2), then: sealing },
    since: needless,
    holds: [['a', '2']],
    threads: [cleaningRecords, ({ snapshots }) => snapshots.trimAll(), looking(a1)],
    rest: { does: { segmentsCleaned: 1 } },
  }),
  old({
    name: 'a version that nobody needs is taken out of the middle by two while the key is overwritten',
    past: { pairs: a1, over: slots(2) },
    since: needless,
    holds: [['a', '2']],
    threads: [({ snapshots }) => snapshots.trimAll(), setting('a'), looking(a1)],
  }),
  old({
    name: 'a large value is moved piece by piece while its key is overwritten',
    past: { pairs: [['a', LARGE]], over: { ...slots(2), inlineBytes: 8 }, then: sealing },
    since: (first) => set(first, 'a', '1'),
    holds: [['a', '1']],
    threads: [
      (e) => {
        const { segments } = e.log
        for (let segment = segments.first; segment < segments.used(); segment++)
          if (segments.isSealed(segment)) e.cleaner.clean(segment, false)
      },
      setting('a'),
      looking([['a', LARGE]]),
    ],
    rest: { does: { segmentsCleaned: 1 } },
  }),
  old({
    name: 'closed while a deleted key goes with a merge',
    past: { pairs: same('abc'), over: { leafSlots: 1, leafEntries: 4 } },
    since: (first) => {
      for (const key of 'defgh') set(first, key, '1')
      for (const key of 'defg') remove(first, key)
    },
    holds: [...same('abc'), ['h', '1']],
    threads: [removing('c', 'h', 'b'), closing, ({ snapshots }) => snapshots.trimAll(true)],
    rest: { does: { merges: 1 } },
  }),
]

/** Puts a version in the middle of the chain that nobody needs any more. */
function needless(first: Engine): void {
  set(first, 'a', '1')
  const second = first.snapshots.take(0)
  set(first, 'a', '2')
  first.snapshots.close(second)
}

export const scenarios: Rehearsable[] = bothOf([...taken, ...held])
