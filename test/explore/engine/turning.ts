/** How a complete tree with a shelf below it is made partial in plays, and what must be true of it afterwards. */
import type { CounterName } from '../../../src/reclaim/participant.ts'
import type { Engine } from '../../../src/store/engine.ts'
import { mapOfBatches } from './map-of-batches.ts'
import type { Play } from './play.ts'
import { type Part, type Text, set } from './points.ts'
import { heldBy, peek, shelfFaults } from './shelf-points.ts'
import { SHELF_WORDS, furnish, shelfOf } from './shelf.ts'
import { type TreePast, enginesAt, keysIn, mourn, notExplained, same } from './trees.ts'

const MOST_STEPS = 3000
const ARENA_BYTES = 96 * 1024
/** Granules of the journal, more than a play writes. */
const RING = 128
/** Calls that a thread makes to turn a tree: two if nobody is in its way. */
const CALLS = 3
/** Calls after which the tree is partial if those that are left are alone with it. */
const CALLS_AT_REST = 6

export interface Past {
  /** In the tree, and not below. */
  readonly tree?: Text
  /** Below, with the value 0. What of it is not in the tree has been deleted since. */
  readonly below?: Text
  /** What else is written by the threads: a flush has to know. */
  readonly written?: Text
  readonly journaled?: boolean
  readonly over?: TreePast['over']
  readonly then?: (cast: readonly Engine[]) => void
}

export interface Piece {
  readonly name: string
  readonly past: Past
  readonly threads: readonly Part[]
  readonly does?: Partial<Record<CounterName, number>>
  readonly extra?: (results: readonly unknown[]) => string[]
}

function isPartial({ tree }: Engine): boolean {
  return tree.context.residence.isPartial()
}

/** Takes steps until the tree is partial, or so often. */
function goOn(engine: Engine, calls: number): void {
  for (let call = 0; call < calls && !isPartial(engine); call++) engine.pressure.goOn()
}

/** Has leave what may, the hand of the evictor coming by twice, for readers leave marks. */
function leave({ evictor }: Engine): void {
  evictor.step(false)
  evictor.step(false)
}

export const turning: Part = (engine) => {
  goOn(engine, CALLS)
  leave(engine)
}

/** The same without what follows: what leaves is in the way of those who would overwrite it, and have them look again. */
export const onlyTurning: Part = (engine) => goOn(engine, CALLS)

/** As `turning`, by a writer that finds no room: in between it waits for a flush. */
export const relieving: Part = (engine) => {
  for (let call = 0; call < CALLS && !isPartial(engine); call++) engine.pressure.relieve()
  leave(engine)
}

/** What is wrong with a tree at rest that any of those who are left is to make partial. */
function turningFaults(engine: Engine, keys: readonly Text[]): string[] {
  const before = heldBy(engine, keys)
  goOn(engine, CALLS_AT_REST)
  if (!isPartial(engine)) return ['the tree does not become partial']
  const after = heldBy(engine, keys)
  const found = after === before ? [] : [`the transition made ${after} of ${before}`]
  return [...found, ...shelfFaults(engine, keys)]
}

/** The tree comes to be partial in the end, by whoever is left, and that changes nothing of what it holds. */
export function turningPlay({ name, past, threads, does, extra }: Piece): Play<Engine> {
  const { tree = '', below = '', written = '', then, over } = past
  const pairs = same(tree)
  const model = mapOfBatches(pairs)
  const keys = [...new Set(tree + below + written)]
  const treePast: TreePast = {
    pairs: [],
    over: { leafSlots: 4, leafEntries: 4, tierWords: SHELF_WORDS, ...over },
    batches: true,
    ring: RING,
    then(first, cast) {
      const old = [...below].map((key) => [key, '0'] as const)
      furnish(cast, old, past.journaled === true)
      for (const engine of cast) engine.pressure.askFlush = () => shelfOf(engine).flush(engine, keys)
      for (const key of tree) set(first, key, key)
      then?.(cast)
    },
  }
  return {
    name: `turning partial: ${name}`,
    cast: (memory) => enginesAt(memory, threads.length, treePast),
    threads,
    model,
    check(survivors, outcome) {
      const engine = survivors[0]!
      const found = extra?.(outcome.results) ?? []
      found.push(...notExplained(engine, outcome, model, pairs, peek))
      if (outcome.killed < 0) found.push(...engine.verify().problems)
      if (outcome.killed >= 0) mourn(survivors, outcome.killed + 1, false)
      return [...found, ...turningFaults(engine, keysIn(outcome.history, pairs))]
    },
    does: does ?? {},
    options: { maxSteps: MOST_STEPS, memory: { bytes: ARENA_BYTES } },
  }
}
