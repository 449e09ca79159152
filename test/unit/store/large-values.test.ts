import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { assertWhole, MIB, openStore, withStore } from '../../support/stores.ts'
import { checkPattern, patterned } from '../../support/patterns.ts'

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

it('values of 16 MiB come back, are overwritten and deleted, and leave nothing behind', () => {
  const store = openStore<string, Uint8Array>({ memory: 96 * MIB, values: 'binary' })
  const before = store.stats().liveWords!
  const [one, two] = [patterned(1, 16 * MIB), patterned(2, 16 * MIB)]
  store.set('large', one)
  expect(hash(store.get('large')!)).toBe(hash(one))
  // More than the arena holds at once: each overwrite must free the one before.
  for (let round = 0; round < 10; round++) store.set('large', round % 2 === 0 ? two : one)
  expect(hash(store.get('large')!)).toBe(hash(one))
  store.set('beside', two)
  const buffer = new Uint8Array(16 * MIB + 3)
  expect(store.getInto('beside', buffer, 3)).toBe(16 * MIB)
  expect(hash(buffer.subarray(3))).toBe(hash(two))
  expect([...store.values()].map(hash)).toEqual([hash(two), hash(one)])
  assertWhole(store)
  expect(store.delete('large')).toBe(true)
  expect(store.delete('beside')).toBe(true)
  assertWhole(store)
  expect(store.stats().liveWords! - before).toBeLessThan(MIB / 4)
  store.close()
})

it('texts of 16 MiB come back', () => {
  const store = openStore({ memory: 64 * MIB })
  const text = 'wörter 𝄞 '.repeat(2 ** 20)
  store.set('large', text)
  expect(store.get('large') === text).toBe(true)
  expect(store.compareAndSet('large', text, 'small')).toBe(true)
  assertWhole(store)
  store.close()
})

it('values of every size around the limits come back, grow and shrink', () => {
  withStore<string, Uint8Array>({ memory: 16 * MIB, values: 'binary', tuning: { segmentWords: 4096 } }, (store) => {
    const limits = [8, 32, 64, 128, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536, 131_072]
    const sizes = limits
      .flatMap((limit) => [limit - 4, limit - 1, limit, limit + 1, limit + 4])
      .filter((size) => size >= 8)
    for (const size of sizes) {
      store.set('one', patterned(size, size))
      const value = store.get('one')!
      expect(value.length).toBe(size)
      checkPattern(value)
    }
    for (const size of sizes) store.set(`size ${size}`, patterned(size, size))
    for (const value of store.values()) checkPattern(value)
    for (const size of sizes.toReversed()) {
      store.set('one', patterned(size, size))
      checkPattern(store.get('one')!)
      expect(store.delete(`size ${size}`)).toBe(true)
    }
    expect(store.size).toBe(1)
  })
})
