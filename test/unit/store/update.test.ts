import { expect, it } from 'vitest'
import { withStore } from '../../support/stores.ts'

it('update shows the old value, sets the new one and gives it', () => {
  withStore({}, (store) => {
    const shown: (string | undefined)[] = []
    const append = (old: string | undefined): string => {
      shown.push(old)
      return `${old ?? ''}x`
    }
    expect(store.update('key', append)).toBe('x')
    expect(store.update('key', append)).toBe('xx')
    expect(store.get('key')).toBe('xx')
    expect(shown).toEqual([undefined, 'x'])
  })
})

it('update deletes for undefined, and leaves an absent key absent', () => {
  withStore({}, (store) => {
    expect(store.update('key', () => undefined)).toBeUndefined()
    expect(store.size).toBe(0)
    store.set('key', 'value')
    expect(store.update('key', () => undefined)).toBeUndefined()
    expect(store.has('key')).toBe(false)
    expect(store.size).toBe(0)
  })
})

it('update can give back what it was shown', () => {
  withStore({}, (store) => {
    store.set('key', 'value')
    expect(store.update('key', (old) => old)).toBe('value')
    expect(store.get('key')).toBe('value')
  })
})

it('update counts', () => {
  withStore<string, number>({ values: 'number' }, (store) => {
    for (let i = 0; i < 1000; i++) store.update(`key ${i % 7}`, (old = 0) => old + 1)
    expect([...store.values()].reduce((a, b) => a + b)).toBe(1000)
    expect(store.size).toBe(7)
  })
})
