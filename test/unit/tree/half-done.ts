/** Threads that die in the middle of their work, and the state they leave. */
import { Engine } from '../../../src/store/engine.ts'
import { isRetired } from '../../../src/reclaim/ownership.ts'
import { NO_MERGE } from '../../../src/tree/page.ts'
import { dieAt } from '../memory/atomics-hook.ts'
import { snapshot } from './engines.ts'
import { type InnerParts, allPages, level, pageOf } from './images.ts'

/** Ids that the dead threads of these tests have. */
export const DEAD = 9

export interface HalfDone {
  /** The survivor, who was there before the death. */
  readonly engine: Engine
  readonly left: string
}

export interface Deaths {
  /** What was left half done, in the words of `what`, in the order of the steps. */
  readonly left: readonly string[]
  /** Lets the thread die again at each of these steps, and gives the survivor to `check`. */
  each(check: (state: HalfDone) => void): void
}

/**
 * Finds the steps of `life` at which a death leaves something half done which the step before did not. `what` says in
 * words what that is, '' for nothing.
 */
export function deathsLeaving(built: Engine, life: (engine: Engine) => void, what: (engine: Engine) => string): Deaths {
  built.detach()
  const { arena } = built
  const back = snapshot(arena)
  const die = (step: number): Engine | undefined => {
    back()
    const engine = new Engine(arena, 1)
    const dying = new Engine(arena, DEAD)
    return dieAt(step, () => life(dying)) ? engine : undefined
  }
  const found: { step: number; left: string }[] = []
  let before = ''
  for (let step = 1; ; step++) {
    const engine = die(step)
    if (engine === undefined) break
    const left = what(engine)
    if (left !== '' && left !== before) found.push({ step, left })
    before = left
  }
  return {
    left: found.map(({ left }) => left),
    each(check) {
      for (const { step, left } of found) check({ engine: die(step)!, left })
    },
  }
}

/** Pages that their left neighbour links to and no parent names. */
export function unposted(engine: Engine): InnerParts[] {
  const named = new Set(allPages(engine).flatMap((page) => (page.level > 0 ? page.children : [])))
  return allPages(engine).filter(({ id }) => id !== 1 && !named.has(id))
}

/** A merge under way, as the steps at the head of merge.ts name them. */
export type MergeStep = 'a' | 'b' | 'c' | 'd'

export interface Merge {
  readonly step: MergeStep
  readonly level: number
  /** The page that goes. */
  readonly page: number
  readonly collapse: boolean
}

/** The merge that is under way, if any. */
export function mergeUnderWay(engine: Engine): Merge | undefined {
  const { table } = engine.tree.context
  for (const { level: at, merge, children } of allPages(engine)) {
    if (at === 0 || merge === NO_MERGE) continue
    const page = children[merge === -1 ? 0 : merge]!
    const word = table.load(page)
    const collapse = merge === -1
    if (word <= 0) throw new Error(`page ${page} is gone while its parent names it`)
    if (!pageOf(engine, page).removed) return { step: 'a', level: at - 1, page, collapse }
    const linked = collapse || level(engine, at - 1).some(({ right }) => right === page)
    return { step: linked ? 'b' : 'c', level: at - 1, page, collapse }
  }
  return removedAndDropped(engine)
}

/** A page that is REMOVED though nothing leads to it: step d is done, e is not. */
function removedAndDropped(engine: Engine): Merge | undefined {
  const { table } = engine.tree.context
  for (let id = 1; id < table.list.used(); id++) {
    const word = table.load(id)
    if (word <= 0 || isRetired(word) || !pageOf(engine, id).removed) continue
    const { level: at } = pageOf(engine, id)
    return { step: 'd', level: at, page: id, collapse: at >= pageOf(engine, 1).level }
  }
  return undefined
}
