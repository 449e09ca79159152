import { describe, expect, it } from 'vitest'
import { HeddleError, type Store } from '../../../src/index.ts'
import { tiny, withStore } from '../../support/stores.ts'

type Text = Store<string, string>

/** Each call as it may come from inside another, and what must be true once it has worked. */
const inner: [string, (store: Text) => void, (store: Text) => void][] = [
  ['get', (store) => expect(store.get('there')).toBe('value'), () => undefined],
  ['set of another key', (store) => store.set('inner', 'set'), (store) => expect(store.get('inner')).toBe('set')],
  ['delete', (store) => void store.delete('there'), (store) => expect(store.has('there')).toBe(false)],
  ['update', (store) => void store.update('inner', () => 'up'), (store) => expect(store.get('inner')).toBe('up')],
  ['a scan', (store) => expect([...store.keys({ lt: 'key 2' })].length).toBeGreaterThan(0), () => undefined],
  ['clear', (store) => store.clear(), (store) => expect(store.has('key 1')).toBe(false)],
  ['drain', (store) => store.drain(), () => undefined],
  [
    'much writing',
    (store) => {
      for (let i = 0; i < 300; i++) store.set(`much ${i}`, `${i}`)
      for (let i = 0; i < 300; i++) store.delete(`much ${i}`)
    },
    (store) => expect(store.has('much 7')).toBe(false),
  ],
]

/** Runs a reentrant call, which works or is refused with a typed error; true if it worked. */
function attempt(call: () => void): boolean {
  try {
    call()
    return true
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error
    expect(error.message.split(' ').length).toBeGreaterThan(3)
    return false
  }
}

describe.each(inner)('%s', (_name, call, then) => {
  it('inside an update works or is refused', () => {
    withStore({ tuning: tiny }, (store) => {
      for (let i = 0; i < 20; i++) store.set(`key ${i}`, '')
      store.set('there', 'value')
      let worked = false
      const result = store.update('outer', (old) => {
        worked = attempt(() => call(store))
        return `${old ?? ''}outer`
      })
      expect(result).toBe('outer')
      expect(store.get('outer')).toBe('outer')
      if (worked) then(store)
      else expect(store.size).toBe(22)
    })
  })

  it('inside an encoder works or is refused', () => {
    let armed: Text | undefined
    let worked = false
    const values = {
      encode: (text: string): Uint8Array => {
        const store = armed
        armed = undefined
        if (store !== undefined) worked = attempt(() => call(store))
        return new TextEncoder().encode(text)
      },
      decode: (bytes: Uint8Array): string => new TextDecoder().decode(bytes),
    }
    withStore<string, string>({ values, tuning: tiny }, (store) => {
      for (let i = 0; i < 20; i++) store.set(`key ${i}`, '')
      store.set('there', 'value')
      armed = store
      store.set('outer', 'outer')
      expect(store.get('outer')).toBe('outer')
      if (worked) then(store)
      else expect(store.size).toBe(22)
    })
  })
})

it('a call on the same key inside an update counts: the update is done again on what is there then, or refuses the call', () => {
  withStore({}, (store) => {
    store.set('key', 'a')
    let calls = 0
    let worked = false
    const result = store.update('key', (old) => {
      if (calls++ === 0) worked = attempt(() => store.set('key', 'b'))
      return `${old}!`
    })
    expect(result).toBe(worked ? 'b!' : 'a!')
    expect(store.get('key')).toBe(result)
    expect(calls).toBe(worked ? 2 : 1)
  })
})

it('a toJSON may use the store', () => {
  withStore<string, unknown>({ values: 'json', tuning: tiny }, (store) => {
    let worked = false
    store.set('outer', {
      toJSON: () => {
        worked = attempt(() => store.set('inner', 1))
        return 'from toJSON'
      },
    })
    expect(store.get('outer')).toBe('from toJSON')
    expect(store.get('inner')).toBe(worked ? 1 : undefined)
  })
})

it('a decoder and a forEach may use the store', () => {
  let armed: Text | undefined
  const values = {
    encode: (text: string): Uint8Array => new TextEncoder().encode(text),
    decode: (bytes: Uint8Array): string => {
      const store = armed
      armed = undefined
      if (store !== undefined) attempt(() => store.set('inner', 'from a decoder'))
      return new TextDecoder().decode(bytes)
    },
  }
  withStore<string, string>({ values, tuning: tiny }, (store) => {
    for (let i = 0; i < 50; i++) store.set(`key ${i}`, `${i}`)
    armed = store
    expect(store.get('key 7')).toBe('7')
    armed = store
    expect([...store.values()].length).toBeGreaterThanOrEqual(50)
    store.forEach((_value, key) => attempt(() => void store.delete(key)))
  })
})

it('updates inside updates, to some depth, count', () => {
  withStore<string, number>({ values: 'number' }, (store) => {
    let refusals = 0
    const nest = (depth: number): number =>
      store.update(`depth ${depth}`, (old = 0) => {
        if (depth > 0) {
          const worked = attempt(() => void nest(depth - 1))
          if (!worked) refusals++
        }
        return old + 1
      })!
    for (let i = 0; i < 10; i++) nest(6)
    expect(store.get('depth 6')).toBe(10)
    if (refusals === 0) expect([...store.values()]).toEqual([10, 10, 10, 10, 10, 10, 10])
  })
})
