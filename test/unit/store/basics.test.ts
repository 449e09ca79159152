import { expect, it } from 'vitest'
import { open } from '../../../src/index.ts'
import { withStore } from '../../support/stores.ts'

it('opens with nothing but its defaults', () => {
  const store = open()
  expect(store.size).toBe(0)
  store.set('key', 'value')
  expect(store.get('key')).toBe('value')
  expect([...store]).toEqual([['key', 'value']])
  store.close()
})

it('sets, gets, has, deletes', () => {
  withStore({}, (store) => {
    expect(store.get('a')).toBeUndefined()
    expect(store.has('a')).toBe(false)
    expect(store.delete('a')).toBe(false)
    store.set('a', '1')
    store.set('a', '2')
    expect(store.get('a')).toBe('2')
    expect(store.has('a')).toBe(true)
    expect(store.size).toBe(1)
    expect(store.delete('a')).toBe(true)
    expect(store.delete('a')).toBe(false)
    expect(store.get('a')).toBeUndefined()
    expect(store.size).toBe(0)
  })
})

it('takes the empty key and the empty value for what they are', () => {
  withStore({}, (store) => {
    expect(store.get('')).toBeUndefined()
    store.set('', '')
    expect(store.get('')).toBe('')
    expect(store.has('')).toBe(true)
    store.set('a', '')
    expect([...store]).toEqual([
      ['', ''],
      ['a', ''],
    ])
    expect(store.delete('')).toBe(true)
    expect([...store.keys()]).toEqual(['a'])
  })
})

it('clears everything, and can be used after that', () => {
  withStore({}, (store) => {
    for (let i = 0; i < 1000; i++) store.set(`key ${i}`, String(i))
    expect(store.size).toBe(1000)
    store.clear()
    expect(store.size).toBe(0)
    expect([...store]).toEqual([])
    expect(store.get('key 7')).toBeUndefined()
    store.clear()
    store.set('key 7', 'again')
    expect([...store]).toEqual([['key 7', 'again']])
  })
})
