import { expect, it } from 'vitest'
import { crc32, crc32InTables } from '../../../src/lsm/crc32.ts'
import { random } from '../../support/random.ts'

/** Bit by bit, from the definition. */
function slowly(bytes: Uint8Array, seed: number): number {
  let c = ~seed
  for (const byte of bytes) {
    c ^= byte
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1
  }
  return ~c >>> 0
}

it('gives what the standard says', () => {
  expect(crc32(new TextEncoder().encode('123456789'), 0, 9, 0)).toBe(0xcbf43926)
  expect(crc32(new Uint8Array(0), 0, 0, 5)).toBe(5)
})

it('is the same in tables, by zlib and bit by bit, for any range and seed, in shared memory too', () => {
  const rng = random(1)
  const bytes = new Uint8Array(new SharedArrayBuffer(2000))
  for (let i = 0; i < bytes.length; i++) bytes[i] = rng.int(256)
  for (let i = 0; i < 600; i++) {
    const from = rng.int(1000)
    const to = from + rng.int(i < 300 ? 40 : 1000)
    const seed = rng.int(2 ** 32)
    const right = slowly(bytes.slice(from, to), seed)
    expect(crc32(bytes, from, to, seed)).toBe(right)
    expect(crc32InTables(bytes, from, to, seed)).toBe(right)
    expect(crc32(bytes, from, to, seed | 0)).toBe(right)
  }
})

it('goes on from an earlier checksum', () => {
  const bytes = Uint8Array.from({ length: 700 }, (_, i) => i)
  expect(crc32(bytes, 300, 700, crc32(bytes, 0, 300, 7))).toBe(crc32(bytes, 0, 700, 7))
})

it('differs for every two seeds', () => {
  const bytes = new Uint8Array(40)
  const seen = new Set<number>()
  for (let seed = 0; seed < 5000; seed++) seen.add(crc32(bytes, 0, 40, Math.imul(seed, 0x9e3779b1)))
  expect(seen.size).toBe(5000)
})
