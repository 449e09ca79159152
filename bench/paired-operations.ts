/**
 * The operations of the paired measurement. Imported once for each build, under an address of its own: so neither sees the
 * other's objects, and each is compiled for its own.
 */
import type * as heddle from '../src/index.ts'
import { value } from './load.ts'

export type Subject = heddle.Store<string, Uint8Array>
export type Operation = (store: Subject, keys: readonly string[]) => void

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  get: (store, keys) => {
    for (const key of keys) if (store.get(key) === undefined) throw new Error(`${key} is not there`)
  },
  set: (store, keys) => {
    for (const key of keys) store.set(key, value)
  },
  update: (store, keys) => {
    for (const key of keys) store.update(key, () => value)
  },
  compareAndSet: (store, keys) => {
    for (const key of keys) if (!store.compareAndSet(key, value, value)) throw new Error(`${key} has another value`)
  },
  setIfAbsent: (store, keys) => {
    for (const key of keys) store.setIfAbsent(key, value)
  },
  churn: (store, keys) => {
    for (const key of keys) {
      store.delete(key)
      store.set(key, value)
    }
  },
}
