/** Splits of leaves, inner pages and the root, against writers and readers on both sides, and against each other. */
import type { Engine } from '../../../src/store/engine.ts'
import { type Play, bothOf, type Rehearsable } from './play.ts'
import { type Part, getting, removing, setting } from './points.ts'
import { type Pairs, same, treePlay } from './trees.ts'
import type { CounterName } from '../../../src/reclaim/participant.ts'

function play(
  name: string,
  pairs: Pairs,
  threads: readonly Part[],
  does: Partial<Record<CounterName, number>>,
  more: Partial<Play<Engine>> = {},
): Play<Engine> {
  return treePlay({ name: `split: ${name}`, past: { pairs }, threads, rest: { does, ...more } })
}

// A leaf takes two entries and one in its slot: the next one splits it.
/** The root is a full leaf. */
const rootOnly = same('abc')
/** The right one of two leaves is full: a b | c d e. */
const twoLeaves = same('abcde')
/** Both leaves are full: a aa b | c d e. */
const twoFull = same('a b c d e aa')
/** The root has three children, as many as it takes; the last leaf is full: a b | c d | e f g. */
const fullRoot = same('abcdefg')
/** Three levels; the parent of ca has three children, and its leaf is full. */
const threeLevels = same('a b c d e f g h ca cb')

const plays = [
  play('of the root, against an insert', rootOnly, [setting('d'), setting('aa')], { rootSplits: 1 }),
  play('of the root, by two', rootOnly, [setting('d'), setting('e')], { rootSplits: 1 }),
  play('of the root, against a delete', rootOnly, [setting('d'), removing('a')], { rootSplits: 1, deletes: 1 }),
  play('of the root, against readers', rootOnly, [setting('d'), getting('d', 'a', 'd')], { rootSplits: 1 }),
  play('of a leaf, against an insert on its left', twoLeaves, [setting('f'), setting('ca')], { splits: 1 }),
  play('of a leaf, by two', twoLeaves, [setting('f'), setting('g')], { splits: 1, inserts: 2 }),
  play('of a leaf, against an overwrite', twoLeaves, [setting('f'), setting('e', 'e')], { splits: 1 }),
  play('of a leaf, against a delete', twoLeaves, [setting('f'), removing('e')], { splits: 1, deletes: 1 }),
  play('of a leaf, against readers', twoLeaves, [setting('f'), getting('f', 'd', 'f')], { splits: 1 }),
  play('of two leaves', twoFull, [setting('f'), setting('ab')], { splits: 2 }),
  play('of the last leaf, of the root above it', fullRoot, [setting('h'), getting('h', 'c', 'h')], { splits: 2 }),
  play('of the last leaf, of the root above it, by two', fullRoot, [setting('h'), setting('i')], { splits: 2 }),
  play(
    'of the last leaf, of the root above it, and of another leaf',
    same('a b c d e f g aa'),
    [setting('h'), setting('ab')],
    {
      splits: 3,
    },
  ),
  play('of a leaf and its parent', threeLevels, [setting('cc'), getting('cc', 'd', 'cc')], { splits: 2 }),
  play(
    'of a leaf and its parent, against an insert into the parent’s other leaf',
    threeLevels,
    [setting('cc'), setting('aa', 'ab')],
    {
      splits: 3,
    },
  ),
]

export const scenarios: Rehearsable[] = bothOf(plays)
