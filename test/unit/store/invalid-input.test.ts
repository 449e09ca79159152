import { describe, expect, it } from 'vitest'
import { refused, refusedWithoutTrace } from '../../support/refusals.ts'
import { openStore, withStore } from '../../support/stores.ts'

const notText = [undefined, null, 7, true, 1n, Symbol('s'), {}, ['a'], new Uint8Array(1), () => 'a']

describe('bad input is refused with a typed error, and changes nothing', () => {
  it('a key that is no string', () => {
    withStore({}, (store) => {
      store.set('there', 'value')
      for (const wrong of notText) {
        const key = wrong as string
        const calls = [
          () => store.set(key, 'x'),
          () => store.get(key),
          () => store.has(key),
          () => store.getInto(key, new Uint8Array(9)),
          () => store.delete(key),
          () => store.setIfAbsent(key, 'x'),
          () => store.compareAndSet(key, undefined, 'x'),
          () => store.update(key, () => 'x'),
        ]
        for (const call of calls) {
          expect(refusedWithoutTrace(store, call, 'HEDDLE_INVALID_KEY').message).toMatch(/string/i)
        }
      }
    })
  })

  it('a value that is no string', () => {
    withStore({}, (store) => {
      store.set('there', 'value')
      for (const wrong of notText) {
        const value = wrong as string
        const calls = [
          () => store.set('there', value),
          () => store.set('new', value),
          () => store.setIfAbsent('new', value),
        ]
        // undefined has a meaning in these: absent.
        if (value !== undefined) {
          calls.push(() => store.compareAndSet('there', 'value', value))
          calls.push(() => store.compareAndSet('there', value, 'x'))
          calls.push(() => store.update('there', () => value))
          calls.push(() => store.update('new', () => value))
        }
        for (const call of calls) refusedWithoutTrace(store, call, 'HEDDLE_INVALID_VALUE')
      }
    })
  })

  it('a bad value that would not be stored is refused too, or has no effect', () => {
    withStore({}, (store) => {
      store.set('there', 'value')
      for (const call of [
        () => store.setIfAbsent('there', '\ud800'),
        () => store.compareAndSet('there', 'other', '\ud800'),
      ]) {
        try {
          expect(call()).not.toBe(true)
        } catch (error) {
          expect(error).toMatchObject({ code: 'HEDDLE_INVALID_VALUE' })
        }
        expect([...store]).toEqual([['there', 'value']])
      }
    })
  })

  it('an update without a function', () => {
    withStore({}, (store) => {
      for (const wrong of [undefined, null, 'value', {}]) {
        const call = (): unknown => store.update('key', wrong as unknown as () => string)
        refused(call, ['HEDDLE_INVALID_OPTION', 'HEDDLE_INVALID_VALUE'])
        expect(store.size).toBe(0)
      }
    })
  })
})

describe('what is too large is refused', () => {
  it('as a key', () => {
    withStore({}, (store) => {
      store.set('there', 'value')
      const key = 'k'.repeat(2 ** 20)
      for (const call of [() => store.set(key, 'x'), () => store.get(key), () => store.delete(key)]) {
        expect(refusedWithoutTrace(store, call, 'HEDDLE_TOO_LARGE').message).toMatch(/\d/)
      }
    })
  })

  it('as a value that no amount of deleting would make room for', () => {
    const store = openStore<string, Uint8Array>({ values: 'binary' })
    store.set('there', new Uint8Array(3))
    const value = new Uint8Array(400 * 2 ** 20)
    for (const call of [
      () => store.set('there', value),
      () => store.setIfAbsent('new', value),
      () => store.update('new', () => value),
    ]) {
      expect(refusedWithoutTrace(store, call, 'HEDDLE_TOO_LARGE').message).toMatch(/\d/)
    }
    store.close()
  })
})
