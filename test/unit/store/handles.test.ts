import { describe, expect, it } from 'vitest'
import { attach, type Store, type StoreHandle } from '../../../src/index.ts'
import { refused } from '../../support/refusals.ts'
import { assertWhole, openStore, tiny } from '../../support/stores.ts'

it('attach gives a store on the same data', () => {
  const store = openStore({ tuning: tiny })
  const other = attach(store.handle) as unknown as Store<string, string>
  for (let i = 0; i < 200; i++) (i % 2 === 0 ? store : other).set(`key ${i}`, String(i))
  expect([...other]).toEqual([...store])
  expect(store.size).toBe(200)
  expect(other.delete('key 4')).toBe(true)
  expect(store.has('key 4')).toBe(false)
  expect(store.compareAndSet('key 5', '5', 'five')).toBe(true)
  expect(other.get('key 5')).toBe('five')
  other.close()
  assertWhole(store)
  store.close()
})

it('a handle can be cloned, and brings its codecs along', () => {
  const store = openStore<number, unknown>({ keys: 'number', values: 'json' })
  const handle = structuredClone(store.handle)
  const other = attach(handle) as unknown as Store<number, unknown>
  other.set(-1, { deep: [1] })
  store.set(-10, null)
  expect([...other]).toEqual([
    [-10, null],
    [-1, { deep: [1] }],
  ])
  expect([...store]).toEqual([...other])
  other.close()
  store.close()
})

it('a store attached to gives the handle on', () => {
  const store = openStore()
  const second = attach(store.handle)
  const third = attach(second.handle) as unknown as Store<string, string>
  third.set('key', 'value')
  expect(store.get('key')).toBe('value')
  third.close()
  second.close()
  store.close()
})

it('close gives the place of a store back', () => {
  const store = openStore({ maxThreads: 3 })
  for (let round = 0; round < 200; round++) {
    const other = attach(store.handle) as unknown as Store<string, string>
    other.set(`key ${round % 20}`, String(round))
    other.delete(`key ${(round * 7) % 20}`)
    other.close()
  }
  assertWhole(store)
  store.close()
})

describe('attach refuses what is no handle', () => {
  const shared = new SharedArrayBuffer(1024)
  it.each([
    ['undefined', undefined],
    ['null', null],
    ['text', 'handle'],
    ['a number', 7],
    ['an empty object', {}],
    ['an array', []],
    ['some shared memory', shared],
    ['an object with shared memory', { memory: shared, buffer: shared, arena: shared }],
    ['a store', 'a store'],
  ])('%s', (name, wrong) => {
    const store = openStore()
    const handle = (name === 'a store' ? store : wrong) as StoreHandle
    refused(() => attach(handle), 'HEDDLE_BAD_HANDLE')
    store.close()
  })

  it('a handle whose fields were lost on the way', () => {
    const store = openStore()
    const fields = Object.entries(store.handle)
    expect(fields.length).toBeGreaterThan(0)
    const lost = Object.fromEntries(fields.map(([name]) => [name, undefined]))
    refused(() => attach(lost as unknown as StoreHandle), 'HEDDLE_BAD_HANDLE')
    refused(() => attach(JSON.parse(JSON.stringify(store.handle)) as StoreHandle), 'HEDDLE_BAD_HANDLE')
    store.close()
  })
})
