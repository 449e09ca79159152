/** The ordered map with batches and transactions: what the histories of trees are to be explained by. */
import type { HistoryOperation, SequentialModel } from '../../../src/explore/linearizability.ts'
import { type MapState, orderedMap } from '../../../src/explore/models.ts'

/** A key, and the value that it gets, undefined to delete it. */
export type Change = readonly [key: string, value: string | undefined]

/**
 * What a serializable transaction reads, keys or all there is, and what it makes of that. It gives what it read if it was
 * committed, undefined if not: then it has changed nothing.
 */
export interface Deal {
  readonly reads: readonly string[] | 'all'
  readonly writes: (read: readonly unknown[]) => readonly Change[]
}

/**
 * Besides what `orderedMap` knows: `batch(changes)` = whether it was done, `transaction(deal)`; neither need have taken
 * effect if it never returned.
 */
export function mapOfBatches(initial: Iterable<readonly [unknown, unknown]>): SequentialModel<MapState> {
  const map = orderedMap({ initial })
  const change = (state: MapState, operation: HistoryOperation, changes: readonly Change[]): MapState => {
    let next = state
    for (const args of changes) next = map.step(next, { ...operation, name: 'set', args })!
    return next
  }
  return {
    ...map,
    name: 'ordered map with batches',
    spansKeys: (operation) => isLong(operation) || map.spansKeys!(operation),
    onlyLooks: (operation) => !isLong(operation) && map.onlyLooks!(operation),
    step(state, operation) {
      const { name, args, result, returned } = operation
      if (name === 'batch') return result === false ? state : change(state, operation, args[0] as readonly Change[])
      if (name !== 'transaction') return map.step(state, operation)
      if (returned !== Infinity && result === undefined) return state
      const { reads, writes } = args[0] as Deal
      const read = reads === 'all' ? pairsIn(state) : reads.map((key) => valueIn(state, key))
      if (returned !== Infinity && JSON.stringify(read) !== JSON.stringify(result)) return undefined
      return change(state, operation, writes(read))
    },
  }
}

function isLong({ name }: HistoryOperation): boolean {
  return name === 'batch' || name === 'transaction'
}

function pairsIn(state: MapState): [unknown, unknown][] {
  return state.flatMap((key, i) => (i % 2 === 0 ? [[key, state[i + 1]] as [unknown, unknown]] : []))
}

function valueIn(state: MapState, key: string): unknown {
  const found = pairsIn(state).find(([other]) => other === key)
  return found === undefined ? null : found[1]
}

/** Keys that an operation names, as far as it says. */
export function keysOf({ name, args }: HistoryOperation): string[] {
  if (name === 'batch') return (args[0] as readonly Change[]).map(([key]) => key)
  // What is written does not depend on what is read as to its keys.
  if (name === 'transaction') return (args[0] as Deal).writes([]).map(([key]) => key)
  return typeof args[0] === 'string' ? [args[0]] : []
}
