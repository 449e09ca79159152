import { describe, expect, it } from 'vitest'
import {
  MARK_BYTES,
  RECORD_HEADER_BYTES,
  TYPE_ABORTED,
  TYPE_BEGIN,
  TYPE_MARK,
  TYPE_PADDING,
  TYPE_PUT,
  fileSeed,
  isIntact,
  plausibleBytes,
  recordBytes,
  recordSeed,
  sealRecord,
  writeMark,
} from '../../../src/lsm/log-format.ts'

const bytes = new Uint8Array(256)

describe('a checksum', () => {
  const seal = (id: number, generation: number, offset: number): void => {
    sealRecord(bytes, 32, TYPE_PUT, 2, 40, 7, recordSeed(fileSeed(id, generation), offset))
  }
  const holds = (id: number, generation: number, offset: number): boolean =>
    isIntact(bytes, 32, recordSeed(fileSeed(id, generation), offset))

  it('holds in its own place only: file, generation and offset', () => {
    seal(3, 5, 112)
    expect(holds(3, 5, 112)).toBe(true)
    for (let offset = 0; offset < 2 ** 20; offset += 16) if (offset !== 112) expect(holds(3, 5, offset)).toBe(false)
    for (let id = 4; id < 1000; id++) expect(holds(id, 5, 112)).toBe(false)
    for (let generation = 6; generation < 1000; generation++) expect(holds(3, generation, 112)).toBe(false)
    // Id and generation do not stand for each other.
    expect(holds(5, 3, 112)).toBe(false)
  })

  it('does not hold for any other bit', () => {
    seal(3, 5, 112)
    for (let bit = 32 * 8; bit < (32 + RECORD_HEADER_BYTES + 40) * 8; bit++) {
      bytes[bit >>> 3]! ^= 1 << (bit & 7)
      if (plausibleBytes(bytes, 32, 64) !== 0) expect(holds(3, 5, 112), `bit ${bit}`).toBe(false)
      bytes[bit >>> 3]! ^= 1 << (bit & 7)
    }
    expect(holds(3, 5, 112)).toBe(true)
  })

  it('does not hold for a MARK that was copied to another place', () => {
    const seed = fileSeed(3, 5)
    writeMark(bytes, 0, 100, 120, recordSeed(seed, 512))
    expect(isIntact(bytes, 0, recordSeed(seed, 512))).toBe(true)
    expect(isIntact(bytes, 0, recordSeed(seed, 1024))).toBe(false)
  })
})

describe('the length of a record', () => {
  it('follows from its type', () => {
    expect(recordBytes(TYPE_PUT, 5)).toBe(160)
    expect(recordBytes(TYPE_ABORTED, 5)).toBe(16)
    expect(recordBytes(TYPE_PADDING, 1)).toBe(16)
    expect(recordBytes(TYPE_MARK, 0)).toBe(MARK_BYTES)
    for (const [type, granules] of [
      [0, 1],
      [5, 1],
      [15, 1],
      [TYPE_PUT, 0],
      [TYPE_ABORTED, 0],
      [TYPE_MARK, 1],
      [TYPE_BEGIN, 1],
    ]) {
      expect(recordBytes(type!, granules!)).toBe(0)
    }
  })

  it('is not believed if it does not fit', () => {
    sealRecord(bytes, 0, TYPE_PUT, 2, 48, 0, 0)
    expect(plausibleBytes(bytes, 0, 64)).toBe(64)
    expect(plausibleBytes(bytes, 0, 63)).toBe(0)
    sealRecord(bytes, 0, TYPE_PUT, 2, 49, 0, 0)
    expect(plausibleBytes(bytes, 0, 256)).toBe(0)
    sealRecord(bytes, 0, TYPE_ABORTED, 2, 1, 0, 0)
    expect(plausibleBytes(bytes, 0, 256)).toBe(0)
    bytes.fill(0)
    expect(plausibleBytes(bytes, 0, 256)).toBe(0)
  })

  it('leaves no header across a boundary of 512 bytes', () => {
    // All offsets are multiples of 16, as all sizes are.
    for (const type of [TYPE_BEGIN, TYPE_MARK]) expect(recordBytes(type, 0) % 16).toBe(0)
    for (let granules = 1; granules < 100; granules++) expect(recordBytes(TYPE_PUT, granules) % 16).toBe(0)
  })
})
