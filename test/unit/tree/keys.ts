/** Keys for properties: short ones of few different bytes, so that they share prefixes, end in zeros and collide. */
import fc from 'fast-check'

const byte = fc.constantFrom(0x00, 0x00, 0x01, 0x61, 0x62, 0x7f, 0x80, 0xfe, 0xff, 0xff)

export const keys = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 4 }).map((bytes) => bytes) },
  { weight: 10, arbitrary: fc.array(byte, { maxLength: 9 }).map((bytes) => Uint8Array.from(bytes)) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.integer({ min: 0, max: 2 }), fc.array(byte, { maxLength: 6 }))
      .map(([which, end]) => Uint8Array.from([...new Array<number>(300).fill(0x61 + which), ...end])),
  },
)

/** Bytes as text of one character each, for messages and as keys of a Map; the order of texts is that of the bytes. */
export function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
