/** Merges, collapses of the root and late postings, against writers, readers and each other; and the reuse of page ids. */
import { ROOM_PROMISED, STREAM_PAGES } from '../../../src/log/log.ts'
import type { CounterName } from '../../../src/reclaim/participant.ts'
import type { Engine } from '../../../src/store/engine.ts'
import { InnerImage } from '../../../src/tree/inner-image.ts'
import { LeafChanges } from '../../../src/tree/leaf-changes.ts'
import { LeafImage } from '../../../src/tree/leaf-image.ts'
import { runGarbage } from './people.ts'
import { type Play, bothOf, type Rehearsable } from './play.ts'
import { type Part, getting, remove, removing, set, setting } from './points.ts'
import { type TreePast, same, treePlay } from './trees.ts'

/** A tree from which some keys have been removed again. */
function thinned(keys: string, gone: string, over: TreePast['over'] = {}): TreePast {
  const removed = same(gone).map(([key]) => key)
  return {
    pairs: same(keys),
    then(first) {
      for (const key of removed) remove(first, key)
    },
    over,
    holds: same(keys).filter(([key]) => !removed.includes(key)),
  }
}

/** a b | c d | e, where nothing but its neighbour leads to the page of e: whoever split it has not told the parent. */
const unposted: TreePast = {
  pairs: same('abcde'),
  then({ tree, log, scheme }) {
    const { context, search } = tree
    const changes = new LeafChanges(context, new LeafImage(context, search), new InnerImage(context))
    log.prepare(STREAM_PAGES, 256, ROOM_PROMISED)
    scheme.enter()
    search.descendLast()
    changes.consolidate(search.id, search.base)
    scheme.leave()
  },
}

function play(
  name: string,
  past: TreePast,
  threads: readonly Part[],
  does: Partial<Record<CounterName, number>>,
  more: Partial<Play<Engine>> = {},
): Play<Engine> {
  return treePlay({ name: `merge: ${name}`, past, threads, rest: { does, ...more } })
}

/** a b | c */
const twoLeaves = thinned('abcd', 'd')
/** a b | c | e */
const threeLeaves = thinned('abcdef', 'df')
/** a | c | e f */
const threeThin = thinned('abcdef', 'bd')
/** Only one leaf is left under the root: a. */
const onlyChild = thinned('abcd', 'dcb')
/** Three levels: a b | c d in one inner page, e f | g in the other. */
const twoInners = thinned('abcdefghij', 'jih', { innerEntries: 4 })

const plays = [
  play('into the left leaf, against an insert into it', twoLeaves, [removing('c'), setting('aa')], { merges: 1 }),
  play('into the left leaf, against an insert on its right', twoLeaves, [removing('c'), setting('cc')], { merges: 1 }),
  play('into the left leaf, against the same key', twoLeaves, [removing('c'), setting('c')], { merges: 1 }),
  play('into the left leaf, against an overwrite', twoLeaves, [removing('c'), setting('b', 'b')], { merges: 1 }),
  play('into the left leaf, against readers', twoLeaves, [removing('c'), getting('c', 'b', 'c')], { merges: 1 }),
  play('into the left leaf, while that splits', twoLeaves, [removing('c'), setting('aa', 'ab')], {
    merges: 1,
    splits: 1,
  }),
  play('of a leaf that has split', thinned('abcde', ''), [setting('f'), removing('e', 'd', 'c')], {
    splits: 1,
    merges: 1,
  }),
  play('of both neighbours of a leaf', threeLeaves, [removing('c'), removing('e')], { merges: 2 }),
  play('of a leaf and of its left neighbour', threeThin, [removing('c'), removing('a')], { merges: 2 }),
  play('of a leaf, against the split of its parent', threeLeaves, [removing('c'), setting('ee', 'ef', 'eg')], {
    merges: 1,
    splits: 1,
  }),
  play('of two inner pages, against an insert', twoInners, [removing('g'), setting('cc')], { merges: 2 }),
  play('of two inner pages, against readers', twoInners, [removing('g'), getting('e', 'g')], { merges: 2 }),
  play('of two inner pages, while a leaf of the left one splits', twoInners, [removing('g'), setting('cc', 'cd')], {
    merges: 2,
    splits: 1,
  }),
  play('into the root', onlyChild, [removing('a'), setting('b')], { rootCollapses: 1 }),
  play('into the root, against readers', onlyChild, [removing('a'), getting('a', 'b')], { rootCollapses: 1 }),
  play('into the root, while its child splits', onlyChild, [removing('a'), setting('b', 'c', 'd')], {
    rootCollapses: 1,
  }),
  play('into the root, by two', onlyChild, [removing('a'), removing('a')], { rootCollapses: 1 }),
  play('of a page, against its late posting', unposted, [removing('ee'), removing('e')], { merges: 1 }),
  play('of a page, against its late posting and an insert', unposted, [removing('ee'), removing('e'), setting('f')], {
    merges: 1,
  }),
  play('of a page that two post', unposted, [setting('e'), setting('f')], { inserts: 1 }),
]

/** Merges a page away, has its id freed if it may be, and splits a leaf under that id. */
function reuse(engine: Engine): void {
  remove(engine, 'c')
  runGarbage(engine)
  set(engine, 'aa', '1')
  set(engine, 'ab', '1')
}

const reuses = [
  play('and reuse of its page id, against readers', { ...twoLeaves, ids: 0 }, [getting('c', 'c'), reuse], {
    merges: 1,
    splits: 1,
    pageIdsReused: 1,
  }),
  play('and reuse of its page id, against an insert', { ...twoLeaves, ids: 0 }, [setting('cc'), reuse], {
    merges: 1,
    splits: 1,
    pageIdsReused: 1,
  }),
]

export const scenarios: Rehearsable[] = bothOf([...plays, ...reuses])
