import fc from 'fast-check'
import { expect, it } from 'vitest'
import * as block from '../../../src/log/block.ts'

const { MAX_BLOCK_KEY_BYTES, MAX_BLOCK_WORDS, blockHeader, dead, isAscii, isBlock, isDead } = block

const parts = {
  kind: fc.integer({ min: 0, max: 3 }),
  words: fc.integer({ min: 1, max: MAX_BLOCK_WORDS }),
  keyBytes: fc.integer({ min: 0, max: MAX_BLOCK_KEY_BYTES }),
  pad: fc.integer({ min: 0, max: 3 }),
  ascii: fc.boolean(),
}

function read(header: number): unknown {
  return {
    kind: block.kindOf(header),
    words: block.wordsOf(header),
    keyBytes: block.keyBytesOf(header),
    pad: block.padOf(header),
    ascii: isAscii(header),
  }
}

it('a header gives back what it was made of, alive and dead', () => {
  fc.assert(
    fc.property(fc.record(parts), (given) => {
      const header = blockHeader(given.kind, given.words, given.keyBytes, given.pad, given.ascii)
      expect(header | 0).toBe(header)
      expect(read(header)).toEqual(given)
      expect([isBlock(header), isDead(header)]).toEqual([true, false])
      const corpse = dead(header)
      expect(corpse | 0).toBe(corpse)
      expect(read(corpse)).toEqual(given)
      expect([isBlock(corpse), isDead(corpse)]).toEqual([true, true])
      expect(dead(corpse)).toBe(corpse)
    }),
    {
      seed: 1,
      examples: [[{ kind: 3, words: MAX_BLOCK_WORDS, keyBytes: MAX_BLOCK_KEY_BYTES, pad: 3, ascii: true }]],
    },
  )
})

it('nothing, and what a released segment is filled with, is no block', () => {
  expect(isBlock(0)).toBe(false)
  expect(isBlock(0x0badf00d)).toBe(false)
  expect(isDead(0)).toBe(false)
})

it('kinds are told apart', () => {
  const kinds = [block.KIND_PAGE, block.KIND_RECORD, block.KIND_EXTENT_RECORD, block.KIND_EXTENT]
  expect(kinds.map((kind) => block.kindOf(blockHeader(kind, 1, 0, 0, false)))).toEqual(kinds)
  expect(new Set(kinds).size).toBe(4)
})
