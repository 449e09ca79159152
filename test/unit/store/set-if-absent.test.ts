import { expect, it } from 'vitest'
import { withStore } from '../../support/stores.ts'

it('setIfAbsent sets once, and then gives what is there', () => {
  withStore({}, (store) => {
    expect(store.setIfAbsent('key', 'first')).toBeUndefined()
    expect(store.setIfAbsent('key', 'second')).toBe('first')
    expect(store.get('key')).toBe('first')
    store.delete('key')
    expect(store.setIfAbsent('key', '')).toBeUndefined()
    expect(store.setIfAbsent('key', 'third')).toBe('')
    expect(store.size).toBe(1)
  })
})
