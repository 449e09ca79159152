import { expect, it } from 'vitest'
import { tiny, withStore } from '../../support/stores.ts'

it.each([
  { pages: 'tiny', tuning: tiny },
  { pages: 'ordinary', tuning: {} },
])('keys of 1024 bytes work, on $pages pages, when they differ only at their end', ({ tuning }) => {
  withStore({ tuning }, (store) => {
    const keys = Array.from({ length: 300 }, (_, i) => `${'k'.repeat(1020)}${String(i).padStart(4, '0')}`)
    for (const key of keys.toReversed()) store.set(key, key.slice(1016))
    expect([...store.keys()]).toEqual(keys)
    expect(store.get(keys[123]!)).toBe('kkkk0123')
    expect(store.get(`${keys[0]!.slice(0, 1023)}x`)).toBeUndefined()
    for (const key of keys) expect(store.delete(key)).toBe(true)
    expect(store.size).toBe(0)
  })
})

it('1024 bytes of characters of several bytes are a key as well', () => {
  withStore({}, (store) => {
    const keys = ['𝄞'.repeat(256), '€'.repeat(341), 'é'.repeat(512)]
    for (const key of keys) store.set(key, key)
    for (const key of keys) expect(store.get(key)).toBe(key)
    expect([...store.keys()]).toEqual(keys.toReversed())
  })
})

it('all lengths from the empty key to 1024 bytes lie beside each other', () => {
  withStore({ memory: 16 * 2 ** 20, tuning: tiny }, (store) => {
    for (let length = 1024; length >= 0; length--) store.set('x'.repeat(length), String(length))
    let expected = 0
    for (const [key, value] of store) {
      expect(key.length).toBe(expected)
      expect(value).toBe(String(expected++))
    }
    expect(expected).toBe(1025)
  })
})
