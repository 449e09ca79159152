import { describe, expect, it } from 'vitest'
import type { Store } from '../../../src/index.ts'
import { refused } from '../../support/refusals.ts'
import { tiny, withStore } from '../../support/stores.ts'

const letters = ['a', 'aa', 'ab', 'b', 'ba', 'c', 'd', 'e']

function withLetters(body: (store: Store<string, string>) => void): void {
  withStore({ tuning: tiny }, (store) => {
    for (const letter of letters) store.set(letter, letter.toUpperCase())
    body(store)
  })
}

const cases: [Parameters<Store<string, string>['keys']>[0], string][] = [
  [undefined, 'a aa ab b ba c d e'],
  [{}, 'a aa ab b ba c d e'],
  [{ reverse: true }, 'e d c ba b ab aa a'],
  [{ gt: 'ab' }, 'b ba c d e'],
  [{ gte: 'ab' }, 'ab b ba c d e'],
  [{ gte: 'abc' }, 'b ba c d e'],
  [{ lt: 'b' }, 'a aa ab'],
  [{ lte: 'b' }, 'a aa ab b'],
  [{ gt: 'a', lt: 'b' }, 'aa ab'],
  [{ gte: 'a', lte: 'b' }, 'a aa ab b'],
  [{ gte: 'a', lte: 'b', reverse: true }, 'b ab aa a'],
  [{ gt: 'a', lt: 'b', reverse: true, limit: 1 }, 'ab'],
  [{ gt: 'c', lt: 'b' }, ''],
  [{ gt: 'b', lt: 'b' }, ''],
  [{ gte: 'b', lte: 'b' }, 'b'],
  [{ gte: 'b', lt: 'b' }, ''],
  [{ gt: 'e' }, ''],
  [{ lt: 'a' }, ''],
  [{ lt: '' }, ''],
  [{ gte: '' }, 'a aa ab b ba c d e'],
  [{ prefix: 'a' }, 'a aa ab'],
  [{ prefix: 'a', reverse: true }, 'ab aa a'],
  [{ prefix: '' }, 'a aa ab b ba c d e'],
  [{ prefix: 'x' }, ''],
  [{ prefix: 'a', gt: 'a' }, 'aa ab'],
  [{ prefix: 'a', lt: 'ab' }, 'a aa'],
  [{ prefix: 'b', lt: 'az' }, ''],
  [{ prefix: 'b', gte: 'a', lte: 'c' }, 'b ba'],
  [{ prefix: 'b', gte: 'a', lte: 'c', reverse: true, limit: 1 }, 'ba'],
  [{ limit: 3 }, 'a aa ab'],
  [{ limit: 3, reverse: true }, 'e d c'],
  [{ limit: 0 }, ''],
  [{ limit: 100 }, 'a aa ab b ba c d e'],
  [{ limit: Infinity }, 'a aa ab b ba c d e'],
  [{ gt: 'a', gte: 'b' }, 'b ba c d e'],
  [{ gt: 'b', gte: 'a' }, 'ba c d e'],
  [{ lt: 'b', lte: 'c' }, 'a aa ab'],
  [{ lt: 'c', lte: 'b' }, 'a aa ab b'],
  [{ gt: 'a', gte: 'b', reverse: true }, 'e d c ba b'],
  [{ gt: 'b', gte: 'b', reverse: true }, 'e d c ba'],
  [{ lt: 'b', lte: 'c', reverse: true }, 'ab aa a'],
  [{ lt: 'b', lte: 'b', reverse: true }, 'ab aa a'],
]

describe('a range holds the keys for which all of its conditions hold', () => {
  it.each(cases)('%o', (range, expected) => {
    withLetters((store) => {
      const keys = expected.split(' ').filter((key) => key !== '')
      const values = keys.map((key) => key.toUpperCase())
      expect([...store.keys(range)]).toEqual(keys)
      expect([...store.values(range)]).toEqual(values)
      expect([...store.entries(range)]).toEqual(keys.map((key, i) => [key, values[i]]))
    })
  })

  it('a bound of undefined is no bound', () => {
    withLetters((store) => {
      const range = { gt: undefined, lte: undefined, prefix: undefined, reverse: undefined, limit: undefined } as object
      expect([...store.keys(range)]).toEqual(letters)
    })
  })
})

const invalid = ['HEDDLE_INVALID_RANGE', 'HEDDLE_INVALID_OPTION']

describe('a bad range is refused by the call itself', () => {
  it.each([
    ['a limit below zero', { limit: -1 }, invalid],
    ['a limit that is not whole', { limit: 1.5 }, invalid],
    ['a limit that is not a number', { limit: NaN }, invalid],
    ['a limit that is text', { limit: '3' }, invalid],
    ['an option that does not exist', { start: 'a' }, invalid],
    ['no object', 'a', invalid],
    ['null', null, invalid],
    ['a bound that is no key', { gt: 7 }, ['HEDDLE_INVALID_KEY']],
    ['a prefix that is no key', { prefix: 7 }, ['HEDDLE_INVALID_KEY']],
  ])('%s', (_name, range, code) => {
    withLetters((store) => {
      const wrong = range as object
      for (const call of [() => store.keys(wrong), () => store.values(wrong), () => store.entries(wrong)])
        refused(call, code)
    })
  })
})
