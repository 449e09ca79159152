import { expect, it } from 'vitest'
import { sameBytes } from '../../support/plain.ts'
import { withStore } from '../../support/stores.ts'

it('compareAndSet sets only where the old value is there', () => {
  withStore({}, (store) => {
    store.set('key', 'old')
    expect(store.compareAndSet('key', 'other', 'new')).toBe(false)
    expect(store.get('key')).toBe('old')
    expect(store.compareAndSet('key', 'old', 'new')).toBe(true)
    expect(store.get('key')).toBe('new')
    expect(store.compareAndSet('key', 'ne', 'x')).toBe(false)
    expect(store.compareAndSet('key', 'new ', 'x')).toBe(false)
    expect(store.compareAndSet('elsewhere', 'new', 'x')).toBe(false)
    expect([...store]).toEqual([['key', 'new']])
  })
})

it('undefined means absent, as the old value and as the new one', () => {
  withStore({}, (store) => {
    expect(store.compareAndSet('key', undefined, undefined)).toBe(true)
    expect(store.size).toBe(0)
    expect(store.compareAndSet('key', undefined, 'first')).toBe(true)
    expect(store.compareAndSet('key', undefined, 'second')).toBe(false)
    expect(store.compareAndSet('key', undefined, undefined)).toBe(false)
    expect(store.get('key')).toBe('first')
    expect(store.compareAndSet('key', 'other', undefined)).toBe(false)
    expect(store.compareAndSet('key', 'first', undefined)).toBe(true)
    expect(store.has('key')).toBe(false)
    expect(store.size).toBe(0)
  })
})

it('an empty value is not an absent one', () => {
  withStore({}, (store) => {
    expect(store.compareAndSet('key', '', 'x')).toBe(false)
    store.set('key', '')
    expect(store.compareAndSet('key', undefined, 'x')).toBe(false)
    expect(store.compareAndSet('key', '', 'x')).toBe(true)
    expect(store.get('key')).toBe('x')
  })
})

it('compares encoded bytes: two objects are equal if they are written equally', () => {
  withStore<string, unknown>({ values: 'json' }, (store) => {
    store.set('key', { a: 1, b: [2] })
    expect(store.compareAndSet('key', { b: [2], a: 1 }, 'no')).toBe(false)
    expect(store.compareAndSet('key', { a: 1, b: [2] }, 'yes')).toBe(true)
    expect(store.get('key')).toBe('yes')
  })
})

it('compares large values to their last byte', () => {
  withStore<string, Uint8Array>({ values: 'binary' }, (store) => {
    const value = new Uint8Array(100_000).fill(7)
    const other = value.slice()
    other[99_999] = 8
    store.set('key', value)
    expect(store.compareAndSet('key', other, new Uint8Array(1))).toBe(false)
    expect(store.compareAndSet('key', value, other)).toBe(true)
    expect(sameBytes(store.get('key'), other)).toBe(true)
  })
})
