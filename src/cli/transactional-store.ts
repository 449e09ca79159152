/**
 * What the programs need of snapshots, batches and transactions. It is less than a store offers, so that the programs
 * can be tried on a store that is known to be right, and on some that are known to be wrong.
 */
import type { Range } from '../store/index.ts'
import type { TextStore } from './text-store.ts'

export type Isolation = 'serializable' | 'snapshot'

export interface TextReads {
  get(key: string): string | undefined
  has(key: string): boolean
  entries(range?: Range<string>): Iterable<[string, string]>
  keys(range?: Range<string>): Iterable<string>
  values(range?: Range<string>): Iterable<string>
}

export interface TextTransaction extends TextReads {
  set(key: string, value: string): void
  delete(key: string): unknown
}

export interface TextSnapshot extends TextReads {
  close(): void
}

export type BatchOperation =
  | { readonly type: 'set'; readonly key: string; readonly value: string }
  | { readonly type: 'delete'; readonly key: string }

export interface TransactionOptions {
  readonly isolation?: Isolation
  readonly attempts?: number
}

export interface TransactionalStore extends TextReads {
  set(key: string, value: string): void
  delete(key: string): unknown
  snapshot(): TextSnapshot
  batch(operations: readonly BatchOperation[]): void
  transaction<T>(body: (tx: TextTransaction) => T, options?: TransactionOptions): T
}

/** A store, as the programs see it. */
export function transactional(store: TextStore): TransactionalStore {
  return store
}

/** A transaction that others were always faster than. */
export function isConflict(error: unknown): boolean {
  return hasCode(error, 'HEDDLE_CONFLICT')
}

/** A snapshot, or a transaction's, that the store has ended by its own limits. */
export function isExpired(error: unknown): boolean {
  return hasCode(error, 'HEDDLE_SNAPSHOT_EXPIRED')
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
