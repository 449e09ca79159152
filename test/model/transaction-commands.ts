import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { BatchOperation } from '../../src/index.ts'
import type { Pair } from './codec-pairs.ts'
import { assertSame, command, type StoreCommand } from './command.ts'
import { ranges } from './reading-commands.ts'
import { show } from './show.ts'
import type { SortedModel } from './sorted-model.ts'

/** Keys that are likely to meet, and some beside each other, so that pages split and merge. */
function keys<K, V>(pair: Pair<K, V>): fc.Arbitrary<K> {
  return fc.oneof(pair.keys.arbitrary, fc.integer({ min: 0, max: 60 }).map(pair.keys.numbered))
}

/** Any operations at once, of which several may have the same key. */
export function batch<K, V>(pair: Pair<K, V>): fc.Arbitrary<StoreCommand<K, V>> {
  const set = fc.record({ type: fc.constant('set' as const), key: keys(pair), value: pair.values.arbitrary })
  const remove = fc.record({ type: fc.constant('delete' as const), key: keys(pair) })
  const operations = fc.array(fc.oneof<fc.Arbitrary<BatchOperation<K, V>>[]>(set, remove), { maxLength: 20 })
  return operations.map((list) => {
    const text = list.map(
      (each) => `${each.type} ${show(each.key)}${each.type === 'set' ? ` ${show(each.value)}` : ''}`,
    )
    return command<K, V>(`batch(${text.join(', ')})`, (model, store) => {
      assert.equal(store.batch(list), undefined)
      for (const each of list) {
        if (each.type === 'set') model.set(each.key, each.value)
        else model.delete(each.key)
      }
    })
  })
}

/** What a transaction can do: a part of a store's interface, for which the model stands in. */
interface Tx<K, V> {
  get(key: K): V | undefined
  has(key: K): boolean
  set(key: K, value: V): void
  delete(key: K): boolean
  entries(range: object): Iterable<[K, V]>
}

interface Step<K, V> {
  readonly text: string
  readonly run: (tx: Tx<K, V>) => unknown
}

function steps<K, V>(pair: Pair<K, V>): fc.Arbitrary<Step<K, V>> {
  const key = keys(pair)
  const set = fc.tuple(key, pair.values.arbitrary).map(([k, v]): Step<K, V> => {
    return { text: `set ${show(k)} ${show(v)}`, run: (tx) => void tx.set(k, v) }
  })
  const onKey = fc.tuple(key, fc.constantFrom('get' as const, 'has' as const, 'delete' as const))
  const other = onKey.map(([k, name]): Step<K, V> => ({ text: `${name} ${show(k)}`, run: (tx) => tx[name](k) }))
  const scan = ranges(pair).map((range): Step<K, V> => {
    return { text: `entries ${show(range)}`, run: (tx) => [...tx.entries(range)] }
  })
  return fc.oneof(set, set, other, other, scan)
}

const isolation = fc.constantFrom('serializable' as const, 'snapshot' as const)
const changedMind = new Error('changed my mind')

/** A body of any steps, each of which gives what the model gives; some end by throwing, after which nothing has changed. */
export function transactionCommand<K, V>(pair: Pair<K, V>): fc.Arbitrary<StoreCommand<K, V>> {
  const list = fc.array(steps(pair), { maxLength: 12 })
  return fc.tuple(list, isolation, fc.integer({ min: 0, max: 7 })).map(([body, level, mind]) => {
    const throws = mind === 7
    const text = `${level} transaction(${body.map((step) => step.text).join(', ')}${throws ? ', throw' : ''})`
    return command<K, V>(text, (model: SortedModel<K, V>, store) => {
      let attempts = 0
      const then = throws ? model.copy() : model
      const run = (): unknown =>
        store.transaction(
          (tx) => {
            assert.equal(++attempts, 1)
            for (const step of body) assertSame(step.run(tx), step.run(then))
            if (throws) throw changedMind
            return 'result'
          },
          { isolation: level },
        )
      if (throws) assert.throws(run, changedMind)
      else assert.equal(run(), 'result')
    })
  })
}
