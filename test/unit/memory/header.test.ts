import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createArena, viewArena } from '../../../src/memory/arena.ts'
import { SCHEMES, readHeader, writeHeader } from '../../../src/memory/layout.ts'
import { geometry } from './geometry.ts'

const badHandle: unknown = expect.objectContaining({ name: 'HeddleError', code: 'HEDDLE_BAD_HANDLE' })

describe('the header of an arena', () => {
  it('gives back every size that was written', () => {
    const sizes = fc.record({
      arenaWords: fc.constant(256),
      segmentWords: fc.integer({ min: 1, max: 2 ** 30 }),
      maxParticipants: fc.integer({ min: 2, max: 256 }),
      pageIds: fc.integer({ min: 16, max: 2 ** 26 }),
      leafEntries: fc.integer({ min: 2, max: 512 }),
      leafSlots: fc.integer({ min: 1, max: 128 }),
      innerEntries: fc.integer({ min: 3, max: 512 }),
      inlineBytes: fc.integer({ min: 16, max: 2 ** 20 }),
      maxSnapshots: fc.integer({ min: 1, max: 4096 }),
      clockBits: fc.integer({ min: 5, max: 28 }),
      snapshotMs: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      snapshotWords: fc.integer({ min: 0, max: 2 ** 30 }),
      tierWords: fc.integer({ min: 0, max: 2 ** 20 }),
      scheme: fc.constantFrom(...SCHEMES),
      paranoid: fc.boolean(),
    })
    fc.assert(
      fc.property(sizes, (given) => {
        const words = new Int32Array(256)
        writeHeader(words, given)
        expect(readHeader(words)).toEqual(given)
      }),
      { numRuns: 100, seed: 1 },
    )
  })

  it('is all that another thread needs to see the same arena', () => {
    const arena = createArena(geometry({ scheme: 'none', paranoid: true }))
    const other = viewArena(arena.buffer)
    expect(other.layout).toEqual(arena.layout)
    arena.words[5000] = 0x01020304
    expect(other.words[5000]).toBe(0x01020304)
    expect([...other.bytes.subarray(20_000, 20_004)]).toEqual([4, 3, 2, 1])
    expect(other.words.length * 4).toBe(other.bytes.length)
  })

  it('a fresh arena is all zeros but for the header', () => {
    const { words } = createArena(geometry())
    expect(words.findIndex((word, i) => i >= 18 && word !== 0)).toBe(-1)
    expect(words.subarray(1, 17)).not.toContain(undefined)
    expect(words[0]).toBe(0)
  })
})

describe('a buffer that holds no arena is refused', () => {
  const fields = { format: 1, length: 2, scheme: 10, magic: 16 }

  it.each([0, 4, 252, 257, 1001])('of %i bytes', (bytes) => {
    expect(() => viewArena(new SharedArrayBuffer(bytes))).toThrow(badHandle)
  })

  it('of zeros', () => {
    expect(() => viewArena(new SharedArrayBuffer(4096))).toThrow(badHandle)
  })

  it.each(Object.entries(fields))('with another %s in its header', (_, at) => {
    for (const change of [1, -1, 100]) {
      const { buffer, words } = createArena(geometry({ scheme: 'unsafe' }))
      words[at]! += change
      if (at === fields.scheme && change === -1) expect(viewArena(buffer).layout.scheme).toBe('none')
      else expect(() => viewArena(buffer)).toThrow(badHandle)
    }
  })

  it('cut short or made longer', () => {
    const arena = createArena(geometry())
    for (const bytes of [arena.buffer.byteLength - 4, arena.buffer.byteLength + 4]) {
      const copy = new SharedArrayBuffer(bytes)
      new Uint8Array(copy).set(arena.bytes.subarray(0, Math.min(bytes, 1024)))
      expect(() => viewArena(copy)).toThrow(badHandle)
    }
  })
})

describe('a reservation that the system refuses', () => {
  afterEach(() => void vi.unstubAllGlobals())

  it('is an invalid option, and says how much was asked for', () => {
    const refusing = function (): void {
      throw new RangeError('Array buffer allocation failed')
    }
    vi.stubGlobal('SharedArrayBuffer', refusing)
    const refused = { name: 'HeddleError', code: 'HEDDLE_INVALID_OPTION' }
    expect(() => createArena(geometry())).toThrow(expect.objectContaining(refused))
    expect(() => createArena(geometry())).toThrow('refused to reserve 262144 bytes')
  })

  it('is not even tried for regions that do not fit', () => {
    const asked = vi.fn()
    vi.stubGlobal('SharedArrayBuffer', asked)
    expect(() => createArena(geometry({ arenaWords: 4096 }))).toThrow('leave only')
    expect(asked).not.toHaveBeenCalled()
  })
})
