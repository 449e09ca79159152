import { describe, expect, it } from 'vitest'
import type { Store } from '../../../src/index.ts'
import { expectFrom, thrownBy } from '../../support/refusals.ts'
import { assertWhole, openStore, tiny, withStore } from '../../support/stores.ts'

const boom = new Error('thrown on purpose')

function explode(): never {
  throw boom
}

/** Checks that a call lets out what its callback threw, and that it has left the store as it was: its words too. */
function expectNoTrace<K, V>(store: Store<K, V>, call: () => unknown): void {
  // Once first, so that what a first call sets up for all later ones is there.
  expectFrom(thrownBy(call), boom)
  store.drain()
  const before = { entries: [...store], liveWords: store.stats().liveWords, size: store.size }
  for (let i = 0; i < 300; i++) expectFrom(thrownBy(call), boom)
  store.drain()
  expect({ entries: [...store], liveWords: store.stats().liveWords, size: store.size }).toEqual(before)
  assertWhole(store)
}

describe('a callback that throws leaves nothing behind:', () => {
  it('an update on a key that is there, and on one that is not', () => {
    withStore({ tuning: tiny }, (store) => {
      store.set('there', 'value')
      expectNoTrace(store, () => store.update('there', explode))
      expectNoTrace(store, () => store.update('absent', explode))
      expect(store.update('there', (old) => `${old} next`)).toBe('value next')
    })
  })

  it('an update that throws what is no error', () => {
    withStore({}, (store) => {
      let thrown: unknown = 'nothing'
      try {
        store.update('key', () => {
          // eslint-disable-next-line @typescript-eslint/only-throw-error
          throw undefined
        })
      } catch (error) {
        thrown = error
      }
      expect(thrown === undefined || thrown instanceof Error).toBe(true)
      expect(store.size).toBe(0)
    })
  })

  it('an encoder of values', () => {
    let armed = false
    const values = {
      encode: (text: string): Uint8Array => (armed ? explode() : new TextEncoder().encode(text)),
      decode: (bytes: Uint8Array): string => new TextDecoder().decode(bytes),
    }
    withStore<string, string>({ values, tuning: tiny }, (store) => {
      for (let i = 0; i < 20; i++) store.set(`key ${i}`, `value ${i}`)
      armed = true
      expectNoTrace(store, () => store.set('key 1', 'new'))
      expectNoTrace(store, () => store.set('absent', 'new'))
      expectNoTrace(store, () => store.setIfAbsent('absent', 'new'))
      expectNoTrace(store, () => store.compareAndSet('key 1', 'value 1', 'new'))
      expectNoTrace(store, () => store.update('key 1', () => 'new'))
      armed = false
      store.set('absent', 'there now')
    })
  })

  it('an encoder of keys', () => {
    let armed = false
    const keys = {
      encode: (text: string): Uint8Array => (armed ? explode() : new TextEncoder().encode(text)),
      decode: (bytes: Uint8Array): string => new TextDecoder().decode(bytes),
    }
    const store = openStore<string, string>({ keys, tuning: tiny })
    for (let i = 0; i < 20; i++) store.set(`key ${i}`, `value ${i}`)
    armed = true
    const calls = [
      () => store.set('a', ''),
      () => store.get('a'),
      () => store.delete('a'),
      () => store.keys({ gte: 'a' }),
    ]
    for (const call of calls) expectNoTrace(store, call)
    store.close()
  })

  it('a decoder', () => {
    let armed = false
    const values = {
      encode: (text: string): Uint8Array => new TextEncoder().encode(text),
      decode: (bytes: Uint8Array): string => (armed ? explode() : new TextDecoder().decode(bytes)),
    }
    const store = openStore<string, string>({ values, tuning: tiny })
    for (let i = 0; i < 20; i++) store.set(`key ${i}`, `value ${i}`)
    armed = true
    for (const call of [
      () => store.get('key 1'),
      () => [...store.values()],
      () => store.update('key 1', () => 'new'),
    ]) {
      expectFrom(thrownBy(call), boom)
    }
    armed = false
    assertWhole(store)
    expect(store.get('key 1')).toBe('value 1')
    store.close()
  })

  it('a toJSON', () => {
    withStore<string, unknown>({ values: 'json', tuning: tiny }, (store) => {
      store.set('there', 1)
      expectNoTrace(store, () => store.set('there', { toJSON: explode }))
      expectNoTrace(store, () => store.update('absent', () => ({ toJSON: explode })))
    })
  })

  it('a forEach, and the body of a loop', () => {
    withStore({ tuning: tiny }, (store) => {
      for (let i = 0; i < 100; i++) store.set(`key ${i}`, '')
      expectNoTrace(store, () => store.forEach(explode))
      expectNoTrace(store, () => {
        for (const key of store.keys({ reverse: true })) if (key === 'key 50') explode()
      })
    })
  })

  it('an update that overflows the stack', () => {
    withStore({ tuning: tiny }, (store) => {
      const deeper = (): string => `${deeper()}x`
      for (let i = 0; i < 50; i++) expect(thrownBy(() => store.update('key', deeper))).toBeInstanceOf(Error)
      expect(store.size).toBe(0)
      store.set('key', 'value')
    })
  })
})
