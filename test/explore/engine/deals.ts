/** Batches and transactions, as the store has them but without codecs and without another try. */
import type { Engine } from '../../../src/store/engine.ts'
import type { Reads } from '../../../src/tree/batch-writer.ts'
import { ISOLATION_SERIALIZABLE, ISOLATION_SNAPSHOT } from '../../../src/tree/descriptor.ts'
import { COMMITTED } from '../../../src/tree/commits.ts'
import { noted } from './journal.ts'
import type { Change, Deal } from './map-of-batches.ts'
import { type Part, type Text, entriesAt, getAt, setKey, write } from './points.ts'

/** @returns an outcome of `commit` */
export function commit(engine: Engine, changes: readonly Change[], reads: Reads | null): number {
  const { tree } = engine
  const { batchWriter } = tree
  batchWriter.begin()
  for (const [key, value] of changes.toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    setKey(engine, key)
    if (value === undefined) batchWriter.addDeletion(tree.key)
    else {
      write(engine, value)
      batchWriter.add()
    }
  }
  return tree.commits.commit(batchWriter.describe(reads))
}

/** @returns whether it was done; if not, it has changed nothing */
export function batch(engine: Engine, ...changes: Change[]): boolean {
  return noted('batch', [changes], () => commit(engine, changes, null) === COMMITTED)
}

export const batching =
  (...changes: Change[]): Part =>
  (engine) =>
    batch(engine, ...changes)

export function bytesOf(key: Text): Uint8Array {
  return Uint8Array.from(key, (letter) => letter.charCodeAt(0))
}

const everything = [{ low: null, high: null }]

/** One try of a transaction. @returns what it read if it was committed, undefined if not */
function attempt(engine: Engine, { reads, writes }: Deal, isolation: number): unknown[] | undefined {
  const mark = engine.snapshots.take(0)
  try {
    // null for absent, so that it shows in JSON.
    const read: unknown[] | undefined =
      reads === 'all' ? entriesAt(engine, mark) : reads.map((key) => getAt(engine, mark, key) ?? null)
    if (read === undefined || read.includes('ended')) return undefined
    const keys = reads === 'all' ? [] : reads.map(bytesOf)
    const ranges = reads === 'all' ? everything : []
    return commit(engine, writes(read), { isolation, mark, keys, ranges }) === COMMITTED ? read : undefined
  } finally {
    engine.snapshots.close(mark)
  }
}

/** A serializable transaction, a line of the history. */
export function transact(engine: Engine, deal: Deal): unknown[] | undefined {
  return noted('transaction', [deal], () => attempt(engine, deal, ISOLATION_SERIALIZABLE))
}

/** One of snapshot isolation that changes only what it reads, which is serializable then. */
export function transactAtSnapshot(engine: Engine, deal: Deal): unknown[] | undefined {
  return noted('transaction', [deal], () => attempt(engine, deal, ISOLATION_SNAPSHOT))
}

/** One of snapshot isolation whose reads may be older than its writes: in the history, a batch. */
export function transactApart(engine: Engine, reads: readonly Text[], ...changes: Change[]): boolean {
  const deal: Deal = { reads, writes: () => changes }
  return noted('batch', [changes], () => attempt(engine, deal, ISOLATION_SNAPSHOT) !== undefined)
}

/** Reads and then writes what does not depend on it. */
export const dealing =
  (reads: Deal['reads'], ...changes: Change[]): Part =>
  (engine) =>
    transact(engine, { reads, writes: () => changes })
