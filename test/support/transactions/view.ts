import { transactional, type TransactionalStore } from '../../../src/cli/transactional-store.ts'
import type { Store } from '../../../src/index.ts'
import { OneKeyStore, type Fault } from '../reference/one-key-store.ts'

/** Whose transactions are to be tried: the store's own, or those of a reference on top of it, sound or with a fault. */
export type View = 'store' | Fault

export function viewOf(store: Store<string, string>, view: View): TransactionalStore {
  return view === 'store' ? transactional(store) : new OneKeyStore(store, view)
}

/** Those that have to pass every test of transactions. */
export const soundViews: readonly View[] = ['none', 'store']
