/** Deaths in the middle of structural changes, with the funeral beside the survivors; and one who leaves in good order. */
import type { Engine } from '../../../src/store/engine.ts'
import { type Play, type Rehearsable, scenarioOf } from './play.ts'
import { type Part, getting, remove, removing, setting } from './points.ts'
import { type TreePast, same, treePlay } from './trees.ts'

const roomy = { leafEntries: 4, leafSlots: 2 } as const

function mourned(name: string, past: TreePast, threads: readonly Part[]): Play<Engine> {
  return treePlay({ name: `funeral: ${name}`, past, threads, reaps: true })
}

const twoLeaves: TreePast = {
  pairs: same('abcd'),
  then: (first) => void remove(first, 'd'),
  holds: same('abc'),
}
/** One leaf is left under the root. */
const onlyChild: TreePast = {
  pairs: same('abcd'),
  then(first) {
    for (const key of 'dcb') remove(first, key)
  },
  holds: same('a'),
}

const deaths = [
  mourned('of one of two who overwrite a key', { pairs: same('a'), over: roomy }, [setting('a'), setting('a')]),
  mourned('of one who inserts or deletes', { pairs: same('ab'), over: roomy }, [setting('c'), removing('a')]),
  mourned('of one of two who consolidate', { pairs: same('a'), over: { ...roomy, leafSlots: 1 } }, [
    setting('b'),
    setting('c'),
  ]),
  mourned('of one who splits a leaf or inserts', { pairs: same('abcde') }, [setting('f'), setting('ca')]),
  mourned('of one who splits the root or reads', { pairs: same('abc') }, [setting('d'), getting('a', 'd')]),
  mourned('of one of two who split the root', { pairs: same('abc') }, [setting('d'), setting('e')]),
  mourned('of one who merges leaves or inserts', twoLeaves, [removing('c'), setting('aa')]),
  mourned('of one who merges leaves or reads', twoLeaves, [removing('c'), getting('c', 'b')]),
  mourned('of one who merges a leaf into the root, or inserts', onlyChild, [removing('a'), setting('b')]),
  mourned('of one who cleans or overwrites', { pairs: same('a'), over: roomy, then: ({ log }) => log.sealAll() }, [
    ({ cleaner, log }) => cleaner.clean(log.segments.first + 1, false),
    setting('a'),
  ]),
]

const leaving: Part = (engine) => engine.detach()

const departures = [
  treePlay({
    name: 'leaving: while another one inserts',
    past: { pairs: same('a'), over: roomy },
    threads: [setting('b'), leaving],
  }),
  treePlay({
    name: 'leaving: while another one overwrites and deletes',
    past: { pairs: same('a'), over: roomy },
    threads: [(engine) => [setting('a')(engine), removing('a')(engine)], leaving],
  }),
  treePlay({
    name: 'leaving: two at once',
    past: { pairs: same('a'), over: roomy },
    threads: [leaving, leaving],
    reaps: true,
  }),
]

export const scenarios: Rehearsable[] = [
  ...deaths.map((play) => scenarioOf(play, true)),
  ...departures.map((play) => scenarioOf(play, false)),
]
