import { describe, expect, it } from 'vitest'
import { open, type OpenOptions } from '../../../src/index.ts'
import { refused } from '../../support/refusals.ts'
import { MIB, withStore } from '../../support/stores.ts'

const noop = (): Uint8Array => new Uint8Array(0)

const wrong: [string, unknown, RegExp][] = [
  ['null', null, /option/i],
  ['text', 'memory', /option/i],
  ['an option that does not exist', { memroy: 2 ** 24 }, /memroy/],
  ['too little memory', { memory: 1000 }, /memory/],
  ['memory below 1 MiB', { memory: 2 ** 20 - 1 }, /memory/],
  ['memory that is negative', { memory: -1 }, /memory/],
  ['memory that is not whole', { memory: 2 ** 24 + 0.5 }, /memory/],
  ['memory that is NaN', { memory: NaN }, /memory/],
  ['memory that is text', { memory: '64mb' }, /memory/],
  ['memory without end', { memory: Infinity }, /memory/],
  ['more memory than there can be', { memory: 2 ** 50 }, /memory/],
  ['keys of an unknown codec', { keys: 'utf16' }, /keys/],
  ['keys as json, which have no order', { keys: 'json' }, /keys/],
  ['keys as a number', { keys: 8 }, /keys/],
  ['keys as null', { keys: null }, /keys/],
  ['a key codec without decode', { keys: { encode: noop } }, /keys|decode/],
  ['values of an unknown codec', { values: 'xml' }, /values/],
  ['a value codec without encode', { values: { decode: noop } }, /values|encode/],
  ['no threads', { maxThreads: 0 }, /maxThreads/],
  ['threads that are not whole', { maxThreads: 1.5 }, /maxThreads/],
  ['threads as text', { maxThreads: '4' }, /maxThreads/],
  ['threads without end', { maxThreads: 2 ** 31 }, /maxThreads/],
  ['a cleaner that is neither on nor off', { cleaner: 'yes' }, /cleaner/],
  ['a tuning that does not exist', { tuning: { leafs: 4 } }, /leafs/],
  ['a scheme that does not exist', { tuning: { scheme: 'hazard' } }, /scheme/],
  ['segments that are too small', { tuning: { segmentWords: 2048 } }, /segmentWords/],
  ['segments that are no power of two', { tuning: { segmentWords: 5000 } }, /segmentWords/],
]

describe('open refuses, and names what is wrong:', () => {
  it.each(wrong)('%s', (_name, options, named) => {
    expect(refused(() => open(options as OpenOptions), 'HEDDLE_INVALID_OPTION').message).toMatch(named)
  })
})

it('open takes options of undefined as not given', () => {
  const options = { memory: undefined, keys: undefined, values: undefined, maxThreads: undefined, cleaner: undefined }
  const store = open({ ...options, tuning: undefined } as unknown as OpenOptions)
  store.close()
})

it('open takes the smallest memory', () => {
  withStore({ memory: MIB }, (store) => {
    store.set('key', 'value')
    expect([...store]).toEqual([['key', 'value']])
  })
})
