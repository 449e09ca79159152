/** Scans over leaves that split, merge or are consolidated meanwhile: in order, none twice, and all that stayed. */
import type { CounterName } from '../../../src/reclaim/participant.ts'
import type { Engine } from '../../../src/store/engine.ts'
import { type Play, bothOf, type Rehearsable } from './play.ts'
import { type Part, type Text, remove, removing, scanKeys, set, setting } from './points.ts'
import { type TreePast, same, treePlay } from './trees.ts'

const forward: Part = (engine) => scanKeys(engine)
const backward: Part = (engine) => scanKeys(engine, true)

/**
 * What is wrong with the keys that a scan has seen.
 * @param stayed keys that were there throughout
 * @param came keys that were there at times
 */
function scanFaults(seen: readonly Text[], reverse: boolean, stayed: string, came: readonly Text[]): string[] {
  const found: string[] = []
  for (let i = 1; i < seen.length; i++) {
    const inOrder = reverse ? seen[i - 1]! > seen[i]! : seen[i - 1]! < seen[i]!
    if (!inOrder) found.push(`${seen[i]} comes after ${seen[i - 1]}`)
  }
  for (const key of stayed) if (!seen.includes(key)) found.push(`${key} was missed`)
  for (const key of seen) if (!stayed.includes(key) && !came.includes(key)) found.push(`${key} was never there`)
  return found
}

interface Change {
  readonly past: TreePast
  readonly part: Part
  readonly stayed: string
  readonly came: readonly Text[]
  readonly does: Partial<Record<CounterName, number>>
}

function play(name: string, reverse: boolean, { past, part, stayed, came, does }: Change): Play<Engine> {
  return treePlay({
    name: `cursor: ${reverse ? 'backward' : 'forward'} over ${name}`,
    past,
    threads: [reverse ? backward : forward, part],
    extra: ([seen]) => (seen === undefined ? [] : scanFaults(seen as Text[], reverse, stayed, came)),
    rest: { does },
  })
}

const changes: Record<string, Change> = {
  'a leaf that splits': {
    past: { pairs: same('abcde') },
    part: setting('f'),
    stayed: 'abcde',
    came: ['f'],
    does: { splits: 1 },
  },
  'the root that splits': {
    past: { pairs: same('abc') },
    part: setting('d'),
    stayed: 'abc',
    came: ['d'],
    does: { rootSplits: 1 },
  },
  'a leaf that is merged into its left neighbour': {
    past: { pairs: same('abcd'), then: (first) => void remove(first, 'd'), holds: same('abc') },
    part: removing('c'),
    stayed: 'ab',
    came: ['c'],
    does: { merges: 1 },
  },
  'a leaf that its right neighbour is merged into': {
    past: { pairs: same('abcdef'), then: (first) => void remove(first, 'b'), holds: same('acdef') },
    part: removing('a'),
    stayed: 'cdef',
    came: ['a'],
    does: { merges: 1 },
  },
  'a leaf where keys come and go': {
    past: { pairs: same('ab'), over: { leafEntries: 4, leafSlots: 2 } },
    part(engine) {
      set(engine, 'c', '1')
      remove(engine, 'a')
      set(engine, 'a', '2')
      set(engine, 'aa', '3')
    },
    stayed: 'b',
    came: ['a', 'c', 'aa'],
    does: { inserts: 3, consolidations: 1 },
  },
}

export const scenarios: Rehearsable[] = bothOf(
  Object.entries(changes).flatMap(([name, change]) => [play(name, false, change), play(name, true, change)]),
)
