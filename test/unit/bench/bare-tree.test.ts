import { expect, test } from 'vitest'
import { BareTree } from '../../../bench/bare-tree.ts'
import { drawIndices } from '../../../bench/draws.ts'
import { VALUE_BYTES, keyOf } from '../../../bench/load.ts'

const UNIVERSE = 15_000
const OPERATIONS = 25_000

test('the bare tree agrees with a Map', () => {
  const tree = new BareTree(UNIVERSE)
  const model = new Map<string, number>()
  const value = Buffer.alloc(VALUE_BYTES)
  const target = new Uint8Array(VALUE_BYTES)
  const indices = drawIndices(OPERATIONS, 1, UNIVERSE)
  for (let step = 0; step < OPERATIONS; step++) {
    const key = keyOf(indices[step])
    const expected = model.get(key)
    if (step % 3 === 0) {
      const stored = tree.get(key)
      expect(stored === undefined ? undefined : Buffer.from(stored).readInt32LE(VALUE_BYTES - 4)).toBe(expected)
      expect(tree.getInto(key, target)).toBe(expected === undefined ? -1 : VALUE_BYTES)
      if (expected !== undefined) expect(Buffer.from(target).equals(stored!)).toBe(true)
    } else {
      value.writeInt32LE(step, VALUE_BYTES - 4)
      tree.set(key, value)
      model.set(key, step)
    }
  }
  expect(tree.size).toBe(model.size)
  for (const [key, expected] of model) {
    expect(Buffer.from(tree.get(key)!).readInt32LE(VALUE_BYTES - 4)).toBe(expected)
  }
})

test.each(['ascending', 'descending'])('the bare tree takes %s keys', (order) => {
  const tree = new BareTree(8_000)
  const keys = Array.from({ length: 8_000 }, (_, i) => String(i).padStart(16, '0'))
  if (order === 'descending') keys.reverse()
  for (const key of keys) tree.set(key, Buffer.alloc(VALUE_BYTES, key.slice(-4)))
  expect(tree.size).toBe(keys.length)
  for (const key of keys) expect(Buffer.from(tree.get(key)!).toString('latin1', 0, 4)).toBe(key.slice(-4))
  expect(tree.get('0000000000008000')).toBeUndefined()
})
