/**
 * A number that says what a store holds: the sum of a hash of each entry, so that it follows changes at once. Of an entry
 * it has 32 bits, of the sum 53.
 */
import { crc32 } from '../../src/lsm/crc32.ts'

export class EntrySum {
  private low = 0
  private high = 0

  /** @param hash of `entryHash` */
  add(hash: number): void {
    this.low = (this.low + mixed(hash)) | 0
    this.high = (this.high + mixed(hash ^ 0x5bd1e995)) | 0
  }

  subtract(hash: number): void {
    this.low = (this.low - mixed(hash)) | 0
    this.high = (this.high - mixed(hash ^ 0x5bd1e995)) | 0
  }

  get value(): number {
    return (this.high >>> 11) * 2 ** 32 + (this.low >>> 0)
  }
}

function mixed(hash: number): number {
  let h = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b)
  return h ^ (h >>> 16)
}

/** Of a key and the value that follows it. */
export function entryHash(bytes: Uint8Array, at: number, keyBytes: number, valueBytes: number): number {
  return crc32(bytes, at, at + keyBytes + valueBytes, keyBytes)
}

let scratch = new Uint8Array(4096)

/** The same for text of one byte a character. */
export function textHash(key: string, value: string): number {
  const length = key.length + value.length
  if (scratch.length < length) scratch = new Uint8Array(2 * length)
  for (let i = 0; i < key.length; i++) scratch[i] = key.charCodeAt(i)
  for (let i = 0; i < value.length; i++) scratch[key.length + i] = value.charCodeAt(i)
  return entryHash(scratch, 0, key.length, value.length)
}
