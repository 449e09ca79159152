import { describe, expect, it } from 'vitest'
import { refusedWithoutTrace } from '../../support/refusals.ts'
import { withStore } from '../../support/stores.ts'

// Encoded as they are they would all be the same replacement character: different keys would collide.
const bad = [
  '\ud800',
  '\udbff',
  '\udc00',
  '\udfff',
  'a\ud800',
  '\ud800a',
  '\udc00\ud800',
  '\ud800\ud800\udc00',
  '𝄞\udd1e',
]

describe.each(bad.map((text) => [JSON.stringify(text), text] as const))('the lone surrogate in %s', (_shown, text) => {
  it('is refused in keys', () => {
    withStore({}, (store) => {
      store.set('\ufffd', 'there')
      const calls = [
        () => store.set(text, 'x'),
        () => store.get(text),
        () => store.has(text),
        () => store.delete(text),
        () => store.getInto(text, new Uint8Array(9)),
        () => store.setIfAbsent(text, 'x'),
        () => store.compareAndSet(text, undefined, 'x'),
        () => store.update(text, () => 'x'),
        () => [...store.keys({ gte: text })],
        () => [...store.keys({ prefix: text })],
      ]
      for (const call of calls) {
        expect(refusedWithoutTrace(store, call, 'HEDDLE_INVALID_KEY').message).toMatch(/surrogate/i)
      }
    })
  })

  it('is refused in values', () => {
    withStore({}, (store) => {
      store.set('key', '\ufffd')
      const calls = [
        () => store.set('key', text),
        () => store.setIfAbsent('other', text),
        () => store.compareAndSet('key', '\ufffd', text),
        () => store.update('key', () => text),
        () => store.update('other', () => text),
      ]
      for (const call of calls) {
        expect(refusedWithoutTrace(store, call, 'HEDDLE_INVALID_VALUE').message).toMatch(/surrogate/i)
      }
    })
  })
})

it('a lone surrogate deep in a long text is refused', () => {
  withStore({}, (store) => {
    const text = `${'x'.repeat(800)}\ud800${'x'.repeat(100)}`
    refusedWithoutTrace(store, () => store.set(text, ''), 'HEDDLE_INVALID_KEY')
    refusedWithoutTrace(store, () => store.set('', text.repeat(50)), 'HEDDLE_INVALID_VALUE')
  })
})
