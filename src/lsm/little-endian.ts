/**
 * 32-bit words in bytes, the lowest byte first, whatever the machine does; and whole numbers of 53 bits as two of them.
 *
 * Thread safety: pure functions on memory that the caller owns. Nothing is allocated.
 */
const TWO_32 = 2 ** 32

/** A word as a number from 0 to 2^32 - 1. */
export function get32(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0
}

/** The low 32 bits of a number, of either sign. */
export function put32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}

/** Two words; a number that is not safe if the bytes are not what `put53` wrote: check it. */
export function get53(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + 4) * TWO_32 + get32(bytes, at)
}

/** @param value a whole number from 0 to 2^53 - 1 */
export function put53(bytes: Uint8Array, at: number, value: number): void {
  put32(bytes, at, value % TWO_32)
  put32(bytes, at + 4, Math.floor(value / TWO_32))
}
