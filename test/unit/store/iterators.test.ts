import { expect, it } from 'vitest'
import { tiny, withStore } from '../../support/stores.ts'

const keys = Array.from({ length: 50 }, (_, i) => `key ${String(i).padStart(2, '0')}`)

it('iterators are iterable, can be left early, and stay at their end', () => {
  withStore({ tuning: tiny }, (store) => {
    for (const key of keys) store.set(key, key)
    const iterator = store.keys()
    expect(iterator[Symbol.iterator]()).toBe(iterator)
    expect(iterator.next()).toEqual({ value: keys[0], done: false })
    const rest: string[] = []
    for (const key of iterator) rest.push(key)
    expect(rest).toEqual(keys.slice(1))
    expect(iterator.next()).toEqual({ value: undefined, done: true })
    store.set('zzz', 'after the end')
    expect(iterator.next()).toEqual({ value: undefined, done: true })
    for (const key of store.keys()) if (key === keys[20]) break
    const left = store.entries()
    left.next()
    expect(left.return?.()).toMatchObject({ done: true })
    expect(left.next()).toEqual({ value: undefined, done: true })
  })
})

it('many iterators go on beside each other', () => {
  withStore({ tuning: tiny }, (store) => {
    for (const key of keys) store.set(key, key)
    const iterators = Array.from({ length: 20 }, (_, i) => store.keys({ reverse: i % 2 === 1 }))
    for (let step = 0; step < keys.length; step++) {
      for (const [i, iterator] of iterators.entries()) {
        expect(iterator.next().value).toBe(i % 2 === 1 ? keys.at(-1 - step) : keys[step])
      }
    }
  })
})

it('forEach visits as that of Map does: value, key, store', () => {
  withStore({}, (store) => {
    store.set('b', '2')
    store.set('a', '1')
    const visits: unknown[][] = []
    store.forEach((...visit: unknown[]) => visits.push(visit))
    expect(visits.map((visit) => visit.slice(0, 2))).toEqual([
      ['1', 'a'],
      ['2', 'b'],
    ])
    expect(visits[0]![2]).toBe(store)
  })
})

it('an iteration that nobody ends keeps nothing', () => {
  withStore({ tuning: tiny }, (store) => {
    for (const key of keys) store.set(key, key)
    const left = [store.entries(), store.entries({ reverse: true })]
    for (const iterator of left) iterator.next()
    const before = store.stats().pageIdsReused!
    for (let round = 0; round < 30; round++) {
      for (const key of keys) store.delete(key)
      for (const key of keys) store.set(key, key)
    }
    expect(store.stats().pageIdsReused).toBeGreaterThan(before)
  })
})
