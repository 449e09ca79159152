import { expect, it } from 'vitest'
import { refusedWithoutTrace } from '../../support/refusals.ts'
import { withStore } from '../../support/stores.ts'

const negative = [-Infinity, -Number.MAX_VALUE, -(2 ** 53), -1e9, -256, -255, -2, -1.5, -1, -0.5, -1e-300, -5e-324]
const inOrder = [...negative, 0, ...negative.map((number) => -number).toReversed()]

it('number keys sort as numbers, from minus infinity to infinity', () => {
  withStore<number, string>({ keys: 'number' }, (store) => {
    const shuffled = inOrder.toSorted((a, b) => String(a).localeCompare(String(b)))
    for (const key of shuffled) store.set(key, String(key))
    expect([...store.keys()]).toEqual(inOrder)
    expect([...store.keys({ reverse: true })]).toEqual(inOrder.toReversed())
    expect([...store.keys({ gt: -1, lte: 1 })]).toEqual([-0.5, -1e-300, -5e-324, 0, 5e-324, 1e-300, 0.5, 1])
    for (const key of inOrder) expect(store.get(key)).toBe(String(key))
  })
})

it('minus zero is zero', () => {
  withStore<number, string>({ keys: 'number' }, (store) => {
    store.set(-0, 'zero')
    expect(store.get(0)).toBe('zero')
    store.set(0, 'overwritten')
    expect(store.size).toBe(1)
    expect([...store.keys()]).toEqual([0])
    expect([...store.keys({ lt: -0 })]).toEqual([])
    expect([...store.keys({ gte: -0, lte: -0 })]).toEqual([0])
    expect(store.delete(-0)).toBe(true)
  })
})

it('NaN is refused as a key, which would have no place in the order', () => {
  withStore<number, number>({ keys: 'number', values: 'number' }, (store) => {
    store.set(1, 1)
    const calls = [
      () => store.set(NaN, 1),
      () => store.get(NaN),
      () => store.delete(NaN),
      () => [...store.keys({ lt: NaN })],
    ]
    for (const call of calls) expect(refusedWithoutTrace(store, call, 'HEDDLE_INVALID_KEY').message).toContain('NaN')
  })
})

it('NaN is refused as a value', () => {
  withStore<number, number>({ keys: 'number', values: 'number' }, (store) => {
    store.set(1, 1)
    for (const call of [() => store.set(1, NaN), () => store.update(1, () => NaN), () => store.setIfAbsent(2, NaN)]) {
      expect(refusedWithoutTrace(store, call, 'HEDDLE_INVALID_VALUE').message).toContain('NaN')
    }
  })
})

it('number values come back as they were', () => {
  withStore<string, number>({ values: 'number' }, (store) => {
    for (const value of inOrder) {
      store.set('key', value)
      expect(store.get('key')).toBe(value)
    }
  })
})

it('what is not a number is refused', () => {
  withStore<number, number>({ keys: 'number', values: 'number' }, (store) => {
    for (const wrong of ['1', 1n, null, undefined, {}, new Date(0), [1]]) {
      refusedWithoutTrace(store, () => store.set(wrong as unknown as number, 1), 'HEDDLE_INVALID_KEY')
      refusedWithoutTrace(store, () => store.set(1, wrong as unknown as number), 'HEDDLE_INVALID_VALUE')
    }
  })
})
