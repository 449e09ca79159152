import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KIND_RECORD, blockHeader } from '../../../src/log/block.ts'
import { KeyBuffer, RECORD_KEY, commonPrefix, compareBytes, headAt } from '../../../src/tree/key.ts'
import { keys } from './keys.ts'

function bufferOf(bytes: Uint8Array): KeyBuffer {
  const key = new KeyBuffer()
  // What an earlier, longer key left behind must not matter.
  key.bytes.fill(0xee)
  key.copyFrom(bytes, 0, bytes.length)
  return key
}

/** Two keys side by side in one memory, as in the arena, with other bytes around them. */
function sideBySide(a: Uint8Array, b: Uint8Array): { bytes: Uint8Array; aAt: number; bAt: number } {
  const bytes = new Uint8Array(a.length + b.length + 24).fill(0xcc)
  const [aAt, bAt] = [8, 16 + a.length]
  bytes.set(a, aAt)
  bytes.set(b, bAt)
  return { bytes, aAt, bAt }
}

const order = (a: Uint8Array, b: Uint8Array): number => Math.sign(Buffer.compare(a, b))

describe('two keys', () => {
  it('compare as their bytes do, in private memory and in the arena', () => {
    fc.assert(
      fc.property(keys, keys, (a, b) => {
        const { bytes, aAt, bAt } = sideBySide(a, b)
        expect(Math.sign(compareBytes(bytes, aAt, a.length, bAt, b.length))).toBe(order(a, b))
        expect(Math.sign(bufferOf(a).compare(bytes, bAt, b.length))).toBe(order(a, b))
        expect(bufferOf(a).compare(bytes, aAt, a.length)).toBe(0)
      }),
      { seed: 1, numRuns: 500 },
    )
  })

  it('have as many bytes in common from the start as a look at each byte tells', () => {
    fc.assert(
      fc.property(keys, keys, (a, b) => {
        const { bytes, aAt, bAt } = sideBySide(a, b)
        const common = commonPrefix(bytes, aAt, a.length, bAt, b.length)
        expect(order(a.subarray(0, common), b.subarray(0, common))).toBe(0)
        if (common < Math.min(a.length, b.length)) expect(a[common]).not.toBe(b[common])
      }),
      { seed: 1, numRuns: 300 },
    )
  })

  it('with a prefix in common are ordered by their heads behind it, if these differ', () => {
    let differing = 0
    fc.assert(
      fc.property(keys, keys, fc.nat(12), (a, b, limit) => {
        const { bytes, aAt, bAt } = sideBySide(a, b)
        const offset = Math.min(limit, commonPrefix(bytes, aAt, a.length, bAt, b.length))
        const [left, right] = [bufferOf(a).head(offset), bufferOf(b).head(offset)]
        expect(left).toBe(headAt(bytes, aAt, a.length, offset))
        expect(left | 0).toBe(left)
        if (left === right) return
        differing++
        expect(Math.sign(left - right)).toBe(order(a, b))
      }),
      { seed: 1, numRuns: 500 },
    )
    expect(differing).toBeGreaterThan(100)
  })
})

describe('a head', () => {
  it('has zeros past the end of the key, and is the smallest of all at the end', () => {
    const key = bufferOf(Uint8Array.of(1, 2, 3, 4, 5))
    const biased = (word: number): number => word ^ (1 << 31)
    expect([0, 1, 2, 3, 4].map((offset) => key.head(offset))).toEqual(
      [0x01020304, 0x02030405, 0x03040500, 0x04050000, 0x05000000].map(biased),
    )
    for (const offset of [5, 6, 100, 5000]) expect(key.head(offset)).toBe(-(2 ** 31))
    expect(headAt(new Uint8Array(8), 0, 0, 0)).toBe(-(2 ** 31))
  })
})

describe('a key against a prefix', () => {
  it('is told by its first bytes alone; one that is shorter comes before', () => {
    fc.assert(
      fc.property(keys, keys, (key, prefix) => {
        const first = key.subarray(0, prefix.length)
        const expected = first.length < prefix.length && order(first, prefix.subarray(0, first.length)) === 0
        const found = Math.sign(bufferOf(key).comparePrefix(prefix, 0, prefix.length))
        expect(found).toBe(expected ? -1 : order(first, prefix))
      }),
      { seed: 1, numRuns: 500 },
    )
  })
})

describe('a key and a record', () => {
  /** A record with this key and a value right behind it, all bits of which are set. */
  function recordOf(key: Uint8Array): { words: Int32Array; record: number; header: number } {
    const size = RECORD_KEY + ((key.length + 3) >>> 2) + 2
    const words = new Int32Array(size + 5).fill(-1)
    new Uint8Array(words.buffer).set(key, (5 + RECORD_KEY) * 4)
    return { words, record: 5, header: blockHeader(KIND_RECORD, size, key.length, 0, false) }
  }

  it('are equal if all bytes are, whatever follows in the record', () => {
    let equal = 0
    fc.assert(
      fc.property(keys, keys, fc.boolean(), (a, b, same) => {
        const { words, record, header } = recordOf(same ? a : b)
        const expected = same || order(a, b) === 0
        if (expected) equal++
        expect(bufferOf(a).equalsRecord(words, record, header)).toBe(expected)
      }),
      { seed: 1, numRuns: 500 },
    )
    expect(equal).toBeGreaterThan(100)
  })

  it('that differ in one bit anywhere are not', () => {
    fc.assert(
      fc.property(keys, fc.nat(), (key, bit) => {
        if (key.length === 0) return
        const { words, record, header } = recordOf(key)
        new Uint8Array(words.buffer)[(record + RECORD_KEY) * 4 + (bit % key.length)]! ^= 1 << (bit % 8)
        expect(bufferOf(key).equalsRecord(words, record, header)).toBe(false)
      }),
      { seed: 1, numRuns: 200 },
    )
  })
})

describe('the tag of a key', () => {
  it('is never 0 and follows from its bytes alone', () => {
    fc.assert(
      fc.property(keys, (key) => {
        const { tag } = bufferOf(key)
        expect(tag).toBeGreaterThan(0)
        expect(tag & 0xff).toBe(tag)
        expect(bufferOf(key).tag).toBe(tag)
      }),
      { seed: 1, numRuns: 500 },
    )
  })

  it('is that of the key now in the buffer, not of one before whose tag was asked for', () => {
    const key = new KeyBuffer()
    const takes: Record<string, (text: string) => void> = {
      bytes: (text) => key.copyFrom(Buffer.from(text), 0, text.length),
      text: (text) => expect(key.copyAscii(text)).toBe(true),
      words: (text) => {
        const other = bufferOf(Buffer.from(text))
        key.copyWords(other.words, 0, other.length)
      },
    }
    for (const text of ['a', 'another key', 'b', '']) {
      for (const take of Object.values(takes)) {
        take('before')
        const { tag } = key
        take(text)
        expect(key.tag).toBe(bufferOf(Buffer.from(text)).tag)
        expect(key.tag).not.toBe(tag)
      }
    }
  })

  it.each(['', 'user:', 'a longer prefix than those '])('is each byte about as often for keys after "%s"', (prefix) => {
    const counts = new Array<number>(256).fill(0)
    for (let i = 0; i < 25_500; i++) counts[bufferOf(Buffer.from(`${prefix}${i}`)).tag]!++
    expect(Math.min(...counts.slice(1))).toBeGreaterThan(50)
    expect(Math.max(...counts)).toBeLessThan(250)
  })
})
