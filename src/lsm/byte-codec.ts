/**
 * Numbers and keys as bytes: little-endian words, varints up to 2^53, byte order of ranges.
 *
 * Thread safety: pure functions; `VarintReader` belongs to one thread. Nothing here allocates.
 */

/** Most bytes of a varint of a safe integer. */
export const MAX_VARINT_BYTES = 8

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}

export function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0
}

/** Writes a safe integer from 0 on, 7 bits a byte, the low ones first. @returns one past its last byte */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  // Above 31 bits the operators on 32-bit integers would cut it.
  while (value > 0x7fffffff) {
    bytes[at++] = (value % 128) | 128
    value = Math.floor(value / 128)
  }
  while (value > 127) {
    bytes[at++] = (value & 127) | 128
    value >>>= 7
  }
  bytes[at] = value
  return at + 1
}

/** Makes signed differences small unsigned numbers: 0, -1, 1, -2, 2 as 0, 1, 2, 3, 4. */
export function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value
}

export function unzigzag(value: number): number {
  return value % 2 === 1 ? -(value + 1) / 2 : value / 2
}

/** Reads varints from a range, and never past its end. */
export class VarintReader {
  /** Where the next one begins; -1 once something was no varint of a safe integer within the range. */
  at = 0
  private bytes: Uint8Array = new Uint8Array(0)
  private end = 0

  start(bytes: Uint8Array, at: number, end: number): void {
    this.bytes = bytes
    this.at = at
    this.end = end
  }

  /** The next number; 0 when there is none, and `at` is -1 from then on. */
  next(): number {
    const { bytes, at } = this
    // Most have a few bytes only: without floating point.
    if (at >= 0 && at + 3 <= this.end) {
      const first = bytes[at]
      if (first < 128) {
        this.at = at + 1
        return first
      }
      const second = bytes[at + 1]
      if (second < 128) {
        this.at = at + 2
        return (first & 127) | (second << 7)
      }
      const third = bytes[at + 2]
      if (third < 128) {
        this.at = at + 3
        return (first & 127) | ((second & 127) << 7) | (third << 14)
      }
    }
    return this.nextOfAny()
  }

  private nextOfAny(): number {
    const { bytes, end } = this
    let at = this.at
    if (at < 0 || at >= end) return this.fail()
    let byte = bytes[at++]
    if (byte < 128) {
      this.at = at
      return byte
    }
    let value = byte & 127
    let scale = 128
    do {
      if (at >= end || scale > 2 ** 49) return this.fail()
      byte = bytes[at++]
      value += (byte & 127) * scale
      scale *= 128
    } while (byte >= 128)
    if (value > Number.MAX_SAFE_INTEGER) return this.fail()
    this.at = at
    return value
  }

  private fail(): number {
    this.at = -1
    return 0
  }
}

/** Byte order of two ranges: negative, 0 or positive; a prefix comes first. */
export function compareRanges(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const aLength = aEnd - aStart
  const bLength = bEnd - bStart
  const common = aLength < bLength ? aLength : bLength
  for (let i = 0; i < common; i++) {
    const difference = a[aStart + i] - b[bStart + i]
    if (difference !== 0) return difference
  }
  return aLength - bLength
}

/** Bytes that two ranges have in common at their beginning. */
export function commonLength(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const most = Math.min(aEnd - aStart, bEnd - bStart)
  let i = 0
  while (i < most && a[aStart + i] === b[bStart + i]) i++
  return i
}

/** A buffer of at least `length` bytes that begins with the first `used` of `bytes`: the same one if it is large enough. */
export function grown(bytes: Uint8Array, used: number, length: number): Uint8Array {
  if (bytes.length >= length) return bytes
  const larger = new Uint8Array(Math.max(length, bytes.length * 2))
  larger.set(bytes.subarray(0, used))
  return larger
}

const HEAD_BYTES = 6

/** The first six bytes of a range as a number, zeros for what it lacks: of two ranges in order the heads are, too, or equal. */
export function headOf(bytes: Uint8Array, start: number, end: number): number {
  let high = 0
  let low = 0
  const most = end - start < HEAD_BYTES ? end - start : HEAD_BYTES
  for (let i = 0; i < HEAD_BYTES; i++) {
    const byte = i < most ? bytes[start + i] : 0
    if (i < 3) high = (high << 8) | byte
    else low = (low << 8) | byte
  }
  return high * 2 ** 24 + low
}
