/** The sweep for what dead threads have left, beside threads that live: it must take nothing away that is in use. */
import type { Relocation } from '../../../src/tree/relocation.ts'
import type { Engine } from '../../../src/store/engine.ts'
import { runGarbage } from './people.ts'
import { type Rehearsable, bothOf } from './play.ts'
import { type Part, getting, removing, set } from './points.ts'
import { type TreePast, treePlay } from './trees.ts'

const first = 'x'.repeat(90)
const second = 'y'.repeat(120)

/** A value in extents and a small one, everything in sealed segments. */
const sealed: TreePast = {
  pairs: [
    ['a', first],
    ['b', '1'],
  ],
  over: { leafEntries: 4, leafSlots: 2 },
  then: ({ log }) => log.sealAll(),
}

const sweeping: Part = (engine: Engine) => {
  const { relocation } = engine as unknown as { readonly relocation: Relocation }
  engine.cleaner.sweep(relocation.isReachable)
  runGarbage(engine)
}

const cleaning: Part = (engine) => {
  const { log, cleaner } = engine
  for (let segment = log.segments.first; segment < log.segments.used(); segment++) {
    if (log.segments.isSealed(segment)) cleaner.clean(segment, false)
  }
}

const overwriting: Part = (engine) => {
  set(engine, 'a', second)
  getting('a')(engine)
}

const sealing: Part = (engine) => {
  set(engine, 'a', second)
  engine.log.sealAll()
  getting('a')(engine)
}

const plays = (
  [
    ['a large value that is read', [sweeping, getting('a')]],
    ['a large value that is overwritten', [sweeping, overwriting]],
    ['a large value that is overwritten and sealed', [sweeping, sealing]],
    ['a large value that is deleted', [sweeping, removing('a')]],
    ['a small value that is overwritten', [sweeping, (engine: Engine) => set(engine, 'b', '2')]],
    ['blocks that are moved', [sweeping, cleaning]],
    ['another sweep', [sweeping, sweeping]],
  ] as const
).map(([name, threads]) => treePlay({ name: `sweep: against ${name}`, past: sealed, threads }))

export const scenarios: Rehearsable[] = bothOf(plays)
