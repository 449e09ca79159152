/** A verification beside writers: what it reports may be only passing by, but it comes to an end, and changes nothing. */
import type { CounterName } from '../../../src/reclaim/participant.ts'
import { type Play, type Rehearsable, bothOf } from './play.ts'
import { type Part, set, setting } from './points.ts'
import type { Engine } from '../../../src/store/engine.ts'
import { type TreePast, same, treePlay } from './trees.ts'

const verifying: Part = (engine) => engine.verify().pages

/** Writes a record that is not linked in the end: another one was first, or it looks so. */
const abandoning: Part = (engine) => {
  const { writer, key } = engine.tree
  key.bytes[0] = 97
  key.finish(1)
  writer.begin(key, 1)
  writer.finish(1, 1, true)
  writer.abandon()
}

function play(name: string, past: TreePast, part: Part, does: Partial<Record<CounterName, number>> = {}): Play<Engine> {
  return treePlay({
    name: `verification: against ${name}`,
    past,
    threads: [verifying, part],
    // Walking through the blocks of those who write, it may read what is being written.
    rest: { does, options: { races: 'ignore' } },
  })
}

const oneLeaf: TreePast = { pairs: same('a'), over: { leafEntries: 4, leafSlots: 2 } }

const plays = [
  play('an abandoned record', oneLeaf, abandoning),
  play('an insert', oneLeaf, setting('b'), { inserts: 1 }),
  play('an overwrite', oneLeaf, (engine) => set(engine, 'a', 'b')),
  play('the split of the root', { pairs: same('abc') }, setting('d'), { rootSplits: 1 }),
]

export const scenarios: Rehearsable[] = bothOf(plays)
