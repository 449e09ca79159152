import { describe, expect, it } from 'vitest'
import { KeyList } from '../../../src/store/key-list.ts'
import { KeyBuffer } from '../../../src/tree/key.ts'
import { random } from '../../support/random.ts'

const buffer = new KeyBuffer()

function listOf(keys: readonly Uint8Array[], list = new KeyList()): KeyList {
  list.clear()
  for (const key of keys) {
    buffer.copyFrom(key, 0, key.length)
    list.add(buffer)
  }
  return list
}

/** By comparing, the last of equal ones. */
function expected(keys: readonly Uint8Array[]): number[] {
  const order = keys.map((_, i) => i).sort((a, b) => Buffer.compare(keys[a]!, keys[b]!) || a - b)
  return order.filter((each, i) => i + 1 === order.length || Buffer.compare(keys[each]!, keys[order[i + 1]!]!) !== 0)
}

const text = (each: string): Uint8Array => Buffer.from(each)
const draws = random(7)
const below = (most: number): number => draws.int(most)
const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => below(256))
const many = (count: number, make: (i: number) => Uint8Array): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => make(i))

const shapes: Record<string, (count: number) => Uint8Array[]> = {
  'random keys of 16 bytes': (count) => many(count, () => bytes(16)),
  'random keys of 0 to 5 bytes': (count) => many(count, () => bytes(below(6))),
  'ascending numbers': (count) => many(count, (i) => text(`key ${String(i).padStart(9, '0')}`)),
  'descending numbers': (count) => many(count, (i) => text(`key ${String(10_000 - i).padStart(9, '0')}`)),
  'long common beginnings, then the same four bytes': (count) =>
    many(count, (i) => text(i === 0 ? 'a' : `a/b/c/d/${below(count)}`)),
  'all but one close together': (count) => many(count, (i) => (i === 0 ? bytes(8) : text(`zzzz${below(count)}`))),
  'both ends of the range': (count) =>
    many(count, (i) => Uint8Array.of(i & 1 ? 255 : 0, 255, 255, below(256), below(3))),
  'one key over and over': (count) => many(count, () => text('same')),
  'few different keys': (count) => many(count, () => text(`k${below(5)}`)),
  'a key that another one begins with': (count) => many(count, () => new Uint8Array(below(9))),
}

describe.each(Object.entries(shapes))('%s', (_, make) => {
  it.each([0, 1, 2, 3, 30, 100, 1000])('%i of them are put in order, of equal ones the last one', (count) => {
    const keys = make(count)
    expect(listOf(keys).inOrder()).toEqual(expected(keys))
  })
})

it('a list is used again, for more keys and for fewer', () => {
  const list = new KeyList()
  for (const count of [10, 2000, 3, 100, 0, 500]) {
    for (const make of Object.values(shapes)) {
      const keys = make(count)
      expect(listOf(keys, list).inOrder()).toEqual(expected(keys))
    }
  }
})

it('gives back each key as it was', () => {
  const keys = many(300, () => bytes(below(40)))
  const list = listOf(keys)
  for (const [i, key] of keys.entries()) {
    list.get(i, buffer)
    expect(buffer.bytes.subarray(0, buffer.length)).toEqual(key)
  }
})
