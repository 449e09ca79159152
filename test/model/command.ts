import assert from 'node:assert/strict'
import type fc from 'fast-check'
import { HeddleError, type Store } from '../../src/index.ts'
import { kitOf } from '../support/partial-store.ts'
import { plain } from '../support/plain.ts'
import type { SortedModel } from './sorted-model.ts'

/** The store under test; with several, each command takes one of them. */
export type Stores<K, V> = readonly Store<K, V>[]

type Perform<K, V> = (model: SortedModel<K, V>, store: Store<K, V>) => void

export type StoreCommand<K, V> = fc.Command<SortedModel<K, V>, Stores<K, V>>

/** A command that is known by its text, and after which the whole store must be what the model is. */
export function command<K, V>(text: string, perform: Perform<K, V>): StoreCommand<K, V> {
  return {
    check: () => true,
    toString: () => text,
    run: (model, stores) => {
      perform(model, stores[text.length % stores.length]!)
      for (const store of stores) assertVerified(model, store)
    },
  }
}

/** Compares what a store gave with what the model holds. */
export function assertSame(actual: unknown, expected: unknown): void {
  assert.deepEqual(plain(actual), plain(expected))
}

export function assertVerified<K, V>(model: SortedModel<K, V>, store: Store<K, V>): void {
  const report = store.verify()
  assert.deepEqual(report.problems, [])
  assert.equal(report.ok, true)
  if (kitOf(store) === undefined) assert.equal(report.entries, model.size, 'entries that verify() counts')
  assert.equal(store.size, model.size, 'size')
}

/** What is thrown by a call that must be refused. */
export function refusal(call: () => unknown): HeddleError {
  try {
    call()
  } catch (error) {
    if (error instanceof HeddleError) return error
    throw error
  }
  throw new assert.AssertionError({ message: 'the call was not refused' })
}
