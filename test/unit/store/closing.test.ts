import { describe, expect, it } from 'vitest'
import { attach, HeddleError, type Store } from '../../../src/index.ts'
import { refused, thrownBy } from '../../support/refusals.ts'
import { assertWhole, openStore } from '../../support/stores.ts'

type Text = Store<string, string>

const calls: [string, (store: Text) => unknown][] = [
  ['set', (store) => store.set('key', 'value')],
  ['get', (store) => store.get('key')],
  ['getInto', (store) => store.getInto('key', new Uint8Array(9))],
  ['has', (store) => store.has('key')],
  ['delete', (store) => store.delete('key')],
  ['setIfAbsent', (store) => store.setIfAbsent('key', 'value')],
  ['compareAndSet', (store) => store.compareAndSet('key', undefined, 'value')],
  ['update', (store) => store.update('key', () => 'value')],
  ['entries', (store) => [...store.entries()]],
  ['keys', (store) => [...store.keys({ gte: 'a' })]],
  ['values', (store) => [...store.values()]],
  ['[Symbol.iterator]', (store) => [...store]],
  ['forEach', (store) => store.forEach(() => undefined)],
  ['size', (store) => store.size],
  ['clear', (store) => store.clear()],
  ['stats', (store) => store.stats()],
  ['verify', (store) => store.verify()],
  ['drain', (store) => store.drain()],
  ['spawn', (store) => store.spawn(new URL('data:text/javascript,'))],
]

describe('after close()', () => {
  it.each(calls)('%s is refused', (_name, call) => {
    const store = openStore()
    store.set('key', 'value')
    store.close()
    expect(refused(() => call(store), 'HEDDLE_CLOSED').message).toMatch(/close|open/i)
  })

  it('bad arguments are not looked at any more', () => {
    const store = openStore()
    store.close()
    refused(() => store.set(7 as unknown as string, 'value'), 'HEDDLE_CLOSED')
  })

  it('an iteration that was under way is refused', () => {
    const store = openStore()
    for (let i = 0; i < 1000; i++) store.set(`key ${i}`, '')
    const iterator = store.keys()
    iterator.next()
    store.close()
    refused(() => [...iterator], 'HEDDLE_CLOSED')
  })

  it('close() again does nothing', () => {
    const store = openStore()
    expect(store.close()).toBeUndefined()
    expect(store.close()).toBeUndefined()
    store[Symbol.dispose]()
  })
})

it('close() in a callback of the store is refused, or the call is', () => {
  const store = openStore()
  store.set('key', 'value')
  const close = (): string => {
    store.close()
    return 'next'
  }
  expect(thrownBy(() => store.update('key', close))).toBeInstanceOf(HeddleError)
  store.close()
  refused(() => store.get('key'), 'HEDDLE_CLOSED')
})

it('Symbol.dispose closes', () => {
  let outside: Text
  {
    using store = openStore()
    store.set('key', 'value')
    outside = store
  }
  refused(() => outside.get('key'), 'HEDDLE_CLOSED')
})

it('closing one of two stores on one arena leaves the other open', () => {
  const store = openStore()
  const other = attach(store.handle) as unknown as Text
  other.set('key', 'value')
  other.close()
  refused(() => other.get('key'), 'HEDDLE_CLOSED')
  expect(store.get('key')).toBe('value')
  assertWhole(store)
  store.close()
})
