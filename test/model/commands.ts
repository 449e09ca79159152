import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Pair } from './codec-pairs.ts'
import { assertSame, command, type StoreCommand } from './command.ts'
import { readingCommands } from './reading-commands.ts'
import { show } from './show.ts'
import { batch, transactionCommand } from './transaction-commands.ts'
import { snapshotCommands } from './snapshot-commands.ts'

/** Every operation of a store, with every option, on keys that are likely to meet. */
export function allCommands<K, V>(pair: Pair<K, V>): fc.Arbitrary<StoreCommand<K, V>>[] {
  const key = pair.keys.arbitrary
  const value = pair.values.arbitrary
  const set = fc.tuple(key, value).map(([k, v]) =>
    command<K, V>(`set(${show(k)}, ${show(v)})`, (model, store) => {
      assert.equal(store.set(k, v), undefined)
      model.set(k, v)
    }),
  )
  const remove = key.map((k) =>
    command<K, V>(`delete(${show(k)})`, (model, store) => assert.equal(store.delete(k), model.delete(k))),
  )
  const setIfAbsent = fc.tuple(key, value).map(([k, v]) =>
    command<K, V>(`setIfAbsent(${show(k)}, ${show(v)})`, (model, store) => {
      const there = model.get(k)
      assertSame(store.setIfAbsent(k, v), there)
      if (there === undefined) model.set(k, v)
    }),
  )
  const clear = fc.constant(
    command<K, V>('clear()', (model, store) => {
      assert.equal(store.clear(), undefined)
      model.clear()
    }),
  )
  const drain = fc.constant(command<K, V>('drain()', (_model, store) => store.drain()))
  return [
    set,
    set,
    remove,
    setIfAbsent,
    compareAndSet(pair),
    update(pair),
    clear,
    drain,
    fill(pair),
    fill(pair),
    empty(pair),
    empty(pair),
    snapshotCommands(pair),
    batch(pair),
    transactionCommand(pair),
  ].concat(readingCommands(pair))
}

function compareAndSet<K, V>(pair: Pair<K, V>): fc.Arbitrary<StoreCommand<K, V>> {
  const { arbitrary } = pair.values
  const next = fc.option(arbitrary, { nil: undefined })
  const old = fc.oneof(
    fc.constant('there' as const),
    next.map((value) => ({ value })),
  )
  return fc.tuple(pair.keys.arbitrary, old, next).map(([k, given, to]) =>
    command(
      `compareAndSet(${show(k)}, ${given === 'there' ? 'what is there' : show(given.value)}, ${show(to)})`,
      (model, store) => {
        const there = model.get(k)
        const from = given === 'there' ? there : given.value
        const done = model.equal(there, from)
        assert.equal(store.compareAndSet(k, from, to), done)
        if (done) model.put(k, to)
      },
    ),
  )
}

function update<K, V>(pair: Pair<K, V>): fc.Arbitrary<StoreCommand<K, V>> {
  const how = fc.constantFrom('to', 'to undefined', 'to what it was', 'only if absent', 'only if there')
  return fc.tuple(pair.keys.arbitrary, pair.values.arbitrary, how).map(([k, v, kind]) =>
    command(
      `update(${show(k)}, ${kind}${kind === 'to undefined' || kind === 'to what it was' ? '' : ` ${show(v)}`})`,
      (model, store) => {
        const change = (old: V | undefined): V | undefined => {
          if (kind === 'to') return v
          if (kind === 'to undefined') return undefined
          if (kind === 'only if absent') return old ?? v
          return kind === 'only if there' && old !== undefined ? v : old
        }
        const there = model.get(k)
        const expected = change(there)
        const result = store.update(k, (old) => {
          assertSame(old, there)
          return change(old)
        })
        assertSame(result, expected)
        model.put(k, expected)
      },
    ),
  )
}

const run = fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 40 }), fc.boolean())

/** Sets or overwrites a run of keys beside each other, so that pages split. */
function fill<K, V>(pair: Pair<K, V>): fc.Arbitrary<StoreCommand<K, V>> {
  return fc.tuple(run, pair.values.small).map(([[from, count, down], v]) =>
    command(`fill ${count} from ${from} ${down ? 'down' : 'up'} with ${show(v)}`, (model, store) => {
      for (const number of order(from, count, down)) {
        store.set(pair.keys.numbered(number), v)
        model.set(pair.keys.numbered(number), v)
      }
    }),
  )
}

/** Deletes a run of keys beside each other, so that pages merge. */
function empty<K, V>(pair: Pair<K, V>): fc.Arbitrary<StoreCommand<K, V>> {
  return run.map(([from, count, down]) =>
    command(`empty ${count} from ${from} ${down ? 'down' : 'up'}`, (model, store) => {
      for (const number of order(from, count, down)) {
        const k = pair.keys.numbered(number)
        assert.equal(store.delete(k), model.delete(k))
      }
    }),
  )
}

function order(from: number, count: number, down: boolean): number[] {
  const numbers = Array.from({ length: count }, (_, i) => from + i)
  return down ? numbers.reverse() : numbers
}
