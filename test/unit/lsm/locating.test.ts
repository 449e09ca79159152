/** Looking for one entry in a block, and for one block in an index: what `seek` finds, without walking there. */
import { expect, test } from 'vitest'
import { BlockBuilder } from '../../../src/lsm/block-builder.ts'
import { BEHIND, BlockCursor, NOWHERE, SAME } from '../../../src/lsm/block-cursor.ts'
import { headOf } from '../../../src/lsm/byte-codec.ts'
import { RestartHeads } from '../../../src/lsm/restart-heads.ts'
import { bytesOf } from '../../support/entries.ts'
import { type Random, random } from '../../support/random.ts'

/** Few letters, so that keys share prefixes and are prefixes of each other. */
function drawKey(r: Random, prefix: string): string {
  let key = prefix
  for (let length = r.int(9); length > 0; length--) key += 'ab\u0000\u00ff'[r.int(4)]
  return key
}

interface Made {
  readonly payload: Uint8Array
  readonly keys: readonly string[]
}

function makeBlock(r: Random, interval: number, prefix: string): Made {
  const keys = [...new Set(Array.from({ length: 1 + r.int(60) }, () => drawKey(r, prefix)))].sort()
  const builder = new BlockBuilder(interval)
  for (const key of keys) {
    const bytes = Buffer.from(key, 'latin1')
    for (let sequence = 10 * (1 + r.int(3)); sequence > 0; sequence -= 10) {
      builder.add(bytes, 0, bytes.length, r.int(2), sequence, bytes, 0, r.int(bytes.length + 1))
    }
  }
  return { payload: builder.finish().slice(), keys }
}

test.each([1, 2, 16])('finds what a seek finds, with a restart point every %i entries', (interval) => {
  const r = random(interval)
  const [walk, cursor] = [new BlockCursor(), new BlockCursor()]
  for (let round = 0; round < 150; round++) {
    const prefix = ['', 'a', 'common prefix'][r.int(3)]
    const { payload, keys } = makeBlock(r, interval, prefix)
    for (const each of [walk, cursor]) each.open(payload, 0, payload.length, 'file', 0)
    const heads = new RestartHeads(cursor)
    for (let i = 0; i < 60; i++) {
      const key = Buffer.from(r.int(3) === 0 ? r.pick(keys) : drawKey(r, r.pick(['', prefix, 'common'])), 'latin1')
      const bound = r.int(40)
      walk.seek(key, 0, key.length, bound)
      heads.narrow(key, 0, key.length)
      const [low, high] = r.int(2) === 0 ? [heads.low, heads.high] : [undefined, undefined]
      const found = cursor.locate(key, 0, key.length, bound, low, high)
      expect(found).toBe(!walk.valid ? NOWHERE : walk.isAt(key, 0, key.length) ? SAME : BEHIND)
      if (found === NOWHERE) continue
      const { kind, sequence, valueStart, valueEnd } = walk
      expect(cursor).toMatchObject({ kind, sequence, valueStart, valueEnd })
    }
  }
})

test('the heads of an index leave few restart points to look at', () => {
  const builder = new BlockBuilder(1)
  const keyOf = (i: number): Uint8Array => bytesOf(`user${String(i).padStart(8, '0')}`)
  for (let i = 0; i < 1000; i++) builder.add(keyOf(i), 0, 12, 0, 0, keyOf(i), 0, 0)
  const payload = builder.finish()
  const cursor = new BlockCursor()
  cursor.open(payload, 0, payload.length, 'file', 0)
  const heads = new RestartHeads(cursor)
  for (const i of [0, 1, 500, 999]) {
    heads.narrow(keyOf(i), 0, 12)
    expect(heads.high).toBe(i)
    expect(heads.low).toBe(Math.max(0, i - 1))
  }
})

test('as many as have the same head are found by halving, not one by one', () => {
  const builder = new BlockBuilder(1)
  // Behind the common prefix, which is empty, the first six bytes are the same but at both ends.
  const keys = ['a', ...Array.from({ length: 4000 }, (_, i) => `common ${String(i).padStart(8, '0')}`), 'x'].map(
    bytesOf,
  )
  for (const key of keys) builder.add(key, 0, key.length, 0, 0, key, 0, 0)
  const payload = builder.finish()
  const cursor = new BlockCursor()
  cursor.open(payload, 0, payload.length, 'file', 0)
  const heads = new RestartHeads(cursor)
  const inside = heads as unknown as { heads: Float64Array }
  let looks = 0
  inside.heads = new Proxy(inside.heads, {
    get: (target, name) => {
      if (name !== 'length') looks++
      return Reflect.get(target, name) as unknown
    },
  })
  for (const [i, low, high] of [
    [0, 0, 0],
    [1, 0, 4000],
    [2000, 0, 4000],
    [4000, 0, 4000],
    [4001, 4000, 4001],
  ]) {
    heads.narrow(keys[i], 0, keys[i].length)
    expect([heads.low, heads.high]).toEqual([low, high])
  }
  expect(looks).toBeLessThan(5 * 30)
})

test('heads are in the order of the ranges they are of', () => {
  const keys = ['', 'a', 'a\u0000', 'ab', 'abcdef', 'abcdefg', 'b', '\u007f', '\u0080\u0000', '\u00ff'.repeat(8)]
  const heads = keys.map((key) => headOf(Buffer.from(`..${key}`, 'latin1'), 2, 2 + key.length))
  expect(heads).toEqual([...heads].sort((a, b) => a - b))
  expect(heads[9]).toBe(2 ** 48 - 1)
  expect(new Set(heads).size).toBe(8)
})

test('an index without entries leads nowhere', () => {
  const cursor = new BlockCursor()
  cursor.open(new Uint8Array(4), 0, 4, 'file', 0)
  const heads = new RestartHeads(cursor)
  heads.narrow(bytesOf('a'), 0, 1)
  expect(cursor.locate(bytesOf('a'), 0, 1, 0, heads.low, heads.high)).toBe(NOWHERE)
})
