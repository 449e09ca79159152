import { expect, it } from 'vitest'
import { withStore } from '../../support/stores.ts'

const inOrder = [
  '',
  '\0',
  '\0\0',
  '\0a',
  '\u0001',
  'A',
  'a',
  'a\0',
  'aa',
  'ab',
  'b',
  '\x7f',
  '\x80',
  'é',
  '\u07ff',
  '\u0800',
]
const later = ['€', '\ud7ff', '\ue000', '\ufeff', '\uffff', '𐀀', '𝄞', '\u{10ffff}', '\u{10ffff}\0']

it('utf8 keys come in the order of their code points, not in that of UTF-16', () => {
  const keys = [...inOrder, ...later]
  expect(keys).not.toEqual(keys.toSorted())
  withStore({}, (store) => {
    for (const key of keys.toReversed()) store.set(key, key)
    expect([...store.keys()]).toEqual(keys)
    expect([...store.keys({ reverse: true })]).toEqual(keys.toReversed())
    expect([...store.keys({ gt: '\uffff' })]).toEqual(['𐀀', '𝄞', '\u{10ffff}', '\u{10ffff}\0'])
    for (const key of keys) expect(store.get(key)).toBe(key)
  })
})

it('utf8 keys and values come back as they were, without normalization', () => {
  withStore({}, (store) => {
    const texts = ['é', 'e\u0301', '\ufeffmark', '\0', '👩‍👩‍👧', 'ﬀ', 'ß', 'ẞ']
    for (const text of texts) store.set(text, text)
    expect(store.size).toBe(texts.length)
    for (const text of texts) expect(store.get(text)).toBe(text)
  })
})

it('a prefix is one of characters, up to the last', () => {
  withStore({}, (store) => {
    for (const key of [...inOrder, ...later]) store.set(key, '')
    expect([...store.keys({ prefix: 'a' })]).toEqual(['a', 'a\0', 'aa', 'ab'])
    expect([...store.keys({ prefix: '\u{10ffff}' })]).toEqual(['\u{10ffff}', '\u{10ffff}\0'])
    expect([...store.keys({ prefix: '' })]).toEqual([...inOrder, ...later])
    expect([...store.keys({ prefix: 'zz' })]).toEqual([])
  })
})
