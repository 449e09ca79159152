/**
 * The operations of the paired measurement. Imported once for each build, under an address of its own: so neither sees the
 * other's objects, and each is compiled for its own.
 */
import type * as heddle from '../src/index.ts'
import { value } from './load.ts'

export type Subject = heddle.Store<string, Uint8Array>
type Run = (store: Subject, keys: readonly string[]) => void

export interface Operation {
  readonly run: Run
  /** What has to be done before it, and after it, and is not timed. */
  readonly before?: Run
  readonly after?: Run
}

const setAll: Run = (store, keys) => {
  for (const key of keys) store.set(key, value)
}

const deleteAll: Run = (store, keys) => {
  for (const key of keys) store.delete(key)
}

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  get: {
    run: (store, keys) => {
      for (const key of keys) if (store.get(key) === undefined) throw new Error(`${key} is not there`)
    },
  },
  set: { run: setAll },
  insert: { before: deleteAll, run: setAll },
  delete: { run: deleteAll, after: setAll },
  update: {
    run: (store, keys) => {
      for (const key of keys) store.update(key, () => value)
    },
  },
  compareAndSet: {
    run: (store, keys) => {
      for (const key of keys) if (!store.compareAndSet(key, value, value)) throw new Error(`${key} has another value`)
    },
  },
  setIfAbsent: {
    run: (store, keys) => {
      for (const key of keys) store.setIfAbsent(key, value)
    },
  },
  churn: {
    run: (store, keys) => {
      for (const key of keys) {
        store.delete(key)
        store.set(key, value)
      }
    },
  },
}
