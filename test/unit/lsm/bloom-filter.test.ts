import { expect, test } from 'vitest'
import { BloomBuilder, BloomFilter } from '../../../src/lsm/bloom-filter.ts'
import { bytesOf } from '../../support/entries.ts'

const KEYS = 20_000

function rate(bitsPerKey: number, key: (i: number) => string): number {
  const builder = new BloomBuilder(bitsPerKey)
  for (let i = 0; i < KEYS; i++) builder.add(bytesOf(key(i)), 0, key(i).length)
  const filter = BloomFilter.open(builder.finish()!)!
  expect(filter.keys).toBe(KEYS)
  for (let i = 0; i < KEYS; i++) {
    const bytes = bytesOf(`__${key(i)}`)
    if (!filter.mayContain(bytes, 2, bytes.length)) throw new Error(`${key(i)} was added`)
  }
  let passed = 0
  for (let i = KEYS; i < 6 * KEYS; i++) if (filter.mayContain(bytesOf(key(i)), 0, key(i).length)) passed++
  return passed / (5 * KEYS)
}

// 0.6185^bits, and what chance adds in 100,000 tries.
test.each([
  [6, 0.0561],
  [10, 0.0082],
  [14, 0.0012],
])('%i bits a key let %f of the absent keys pass', (bits, expected) => {
  for (const key of [
    (i: number) => `user${i}`,
    (i: number) => String.fromCharCode(i & 255, (i >>> 8) & 255, i >>> 16, 7),
  ]) {
    const measured = rate(bits, key)
    expect(measured).toBeLessThan(expected * 1.25)
    expect(measured).toBeGreaterThan(expected / 3)
  }
})

test('no bits, no filter', () => {
  const builder = new BloomBuilder(0)
  builder.add(bytesOf('a'), 0, 1)
  expect(builder.finish()).toBeUndefined()
})

test('a payload that is no filter is told', () => {
  expect(BloomFilter.open(new Uint8Array(8))).toBeUndefined()
  expect(BloomFilter.open(Uint8Array.of(31, 0, 0, 0, 0, 0, 0, 0, 1))).toBeUndefined()
  expect(BloomFilter.open(new Uint8Array(16))).toBeUndefined()
})
