import { describe, expect, it } from 'vitest'
import { type Store, open } from '../../../src/index.ts'
import { MIB, withStore } from '../../support/stores.ts'

function fill(store: Store<string, string>, count: number): void {
  for (let i = 0; i < count; i++) store.set(String(i).padStart(4, '0'), `${i}`)
}

const kinds = ['entries', 'keys', 'values'] as const

describe.each(kinds)('%s()', (kind) => {
  it('ends for good when it is left early, and what comes next begins anew', () => {
    withStore<string, string>({}, (store) => {
      fill(store, 300)
      for (let round = 0; round < 20; round++) {
        const iterator = store[kind]()
        for (let i = 0; i <= round; i++) expect(iterator.next().done).toBe(false)
        expect(iterator.return!()).toEqual({ done: true, value: undefined })
        expect(iterator.next()).toEqual({ done: true, value: undefined })
        expect([...iterator]).toEqual([])
        expect([...store[kind]()].length).toBe(300)
      }
    })
  })

  it('is its own iterator, of the kind that the language has', () => {
    withStore<string, string>({}, (store) => {
      const iterator = store[kind]()
      expect(iterator[Symbol.iterator]()).toBe(iterator)
      const prototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object
      expect(Object.prototype.isPrototypeOf.call(prototype, iterator)).toBe(true)
    })
  })

  it('goes on beside others of its kind, more than are kept to be used again', () => {
    withStore<string, string>({}, (store) => {
      fill(store, 40)
      const iterators = Array.from({ length: 12 }, () => store[kind]())
      const seen = iterators.map(() => 0)
      for (let i = 0; i < 40; i++) {
        for (const [number, iterator] of iterators.entries()) if (iterator.next().done !== true) seen[number]!++
      }
      expect(seen).toEqual(iterators.map(() => 40))
      expect(iterators.map((iterator) => iterator.next().done)).toEqual(iterators.map(() => true))
      expect([...store[kind]()].length).toBe(40)
    })
  })

  it('throws when its store was closed meanwhile, and then is at its end', () => {
    const store = open({ memory: 8 * MIB, cleaner: false })
    fill(store, 200)
    const iterator = store[kind]()
    iterator.next()
    store.close()
    expect(() => {
      for (const _ of iterator);
    }).toThrow(expect.objectContaining({ code: 'HEDDLE_CLOSED' }))
    expect(iterator.next().done).toBe(true)
  })
})

it('a decoder that throws ends the iteration', () => {
  const refused = Buffer.from('no')
  const decode = (bytes: Uint8Array): string => {
    const text = Buffer.from(bytes).toString()
    if (text === 'no') throw new Error('refused')
    return text
  }
  const values = { encode: (value: string) => Buffer.from(value), decode }
  const store = open({ memory: 8 * MIB, cleaner: false, values })
  for (const key of ['a', 'b', 'c']) store.set(key, key === 'b' ? refused.toString() : key)
  const iterator = store.entries()
  expect(iterator.next().value).toEqual(['a', 'a'])
  expect(() => iterator.next()).toThrow('refused')
  expect(iterator.next().done).toBe(true)
  store.close()
})

it('keys of all lengths and scripts come out as they went in', () => {
  withStore<string, string>({}, (store) => {
    const keys = [
      '',
      'a',
      'ab',
      'abc',
      'abcd',
      'é',
      'zé',
      '中文',
      '😀',
      'x'.repeat(1024),
      'y'.repeat(1023),
      'é'.repeat(512),
    ]
    for (let i = 0; i < 200; i++) keys.push('k'.repeat(i % 50) + String(i))
    for (const key of keys) store.set(key, key)
    const inOrder = [...new Set(keys)].toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    expect([...store.keys()]).toEqual(inOrder)
    expect([...store.keys({ reverse: true })]).toEqual(inOrder.toReversed())
    for (const [key, value] of store) expect(value).toBe(key)
  })
})

it('binary values are buffers of their own bytes', () => {
  withStore<string, Uint8Array>({ values: 'binary' }, (store) => {
    for (let i = 0; i < 600; i++) store.set(String(i), new Uint8Array(i % 130).fill(i))
    const values = [...store.entries()]
    store.clear()
    for (const [key, value] of values) {
      expect(Buffer.isBuffer(value)).toBe(true)
      expect(value.constructor).toBe(Buffer)
      expect([...value]).toEqual(new Array(Number(key) % 130).fill(Number(key) & 255))
    }
  })
})
