import { expect, it } from 'vitest'
import { refusedWithoutTrace } from '../../support/refusals.ts'
import { withStore } from '../../support/stores.ts'

it('json values come back as JSON has them', () => {
  withStore<string, unknown>({ values: 'json' }, (store) => {
    const values = [
      null,
      true,
      false,
      0,
      -1.5,
      '',
      'é𝄞',
      [],
      {},
      [1, [2, { three: [3] }]],
      { a: null, '': 1, é: '\ud800' },
    ]
    for (const value of values) {
      store.set('key', value)
      expect(store.get('key')).toEqual(value)
    }
    store.set('key', { dropped: undefined, date: new Date(0), nan: NaN })
    expect(store.get('key')).toEqual({ date: '1970-01-01T00:00:00.000Z', nan: null })
  })
})

it('null is a value, not an absence', () => {
  withStore<string, unknown>({ values: 'json' }, (store) => {
    store.set('key', null)
    expect(store.has('key')).toBe(true)
    expect(store.get('key')).toBeNull()
    expect(store.setIfAbsent('key', 1)).toBeNull()
    expect(store.compareAndSet('key', undefined, 1)).toBe(false)
    expect(store.compareAndSet('key', null, 1)).toBe(true)
    expect(store.update('key', () => null)).toBeNull()
    expect(store.size).toBe(1)
  })
})

it('what is got is a copy of its own', () => {
  withStore<string, { list: number[] }>({ values: 'json' }, (store) => {
    const value = { list: [1] }
    store.set('key', value)
    value.list.push(2)
    store.get('key')!.list.push(3)
    expect(store.get('key')).toEqual({ list: [1] })
  })
})

it('what JSON cannot write is refused', () => {
  withStore<string, unknown>({ values: 'json' }, (store) => {
    store.set('key', 1)
    const circle: { self?: unknown } = {}
    circle.self = circle
    for (const wrong of [undefined, () => 1, Symbol('s'), 1n, { deep: [1n] }, circle]) {
      refusedWithoutTrace(store, () => store.set('key', wrong), 'HEDDLE_INVALID_VALUE')
      refusedWithoutTrace(store, () => store.setIfAbsent('other', wrong), 'HEDDLE_INVALID_VALUE')
    }
  })
})
