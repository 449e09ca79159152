/**
 * A Bloom filter over the keys of a table (Bloom 1970; two hashes make all positions, Kirsch and Mitzenmacher 2006, with a
 * stride that grows, Dillinger and Manolios 2004).
 *
 * With b bits a key and k = b ln 2 positions about 0.6185^b of the absent keys pass: 0.8 % for 10 bits. A key that was
 * added always passes.
 *
 *   payload:  0  positions for each key, k (u32)     4  keys that were added (u32)     8  bits, 8 in a byte, low ones first
 *
 * Thread safety: a builder belongs to one thread; a filter is immutable. Only building allocates.
 */
import { readU32, writeU32 } from './byte-codec.ts'

const HEADER_BYTES = 8
const MOST_POSITIONS = 30

/** Both hashes of a key, computed into fields so that nothing is allocated. */
export class KeyHash {
  first = 0
  second = 0

  of(key: Uint8Array, start: number, end: number): void {
    let a = 0x9e3779b9 ^ (end - start)
    let b = 0x85ebca6b
    let i = start
    for (; i + 4 <= end; i += 4) {
      const word = key[i] | (key[i + 1] << 8) | (key[i + 2] << 16) | (key[i + 3] << 24)
      a = Math.imul(a ^ word, 0xcc9e2d51)
      a ^= a >>> 15
      b = Math.imul(b + word, 0x1b873593)
      b ^= b >>> 13
    }
    for (; i < end; i++) {
      a = Math.imul(a ^ key[i], 0xcc9e2d51)
      a ^= a >>> 15
      b = Math.imul(b + key[i], 0x1b873593)
      b ^= b >>> 13
    }
    a = Math.imul(a ^ (a >>> 16), 0x85ebca6b)
    b = Math.imul(b ^ (b >>> 16) ^ a, 0xc2b2ae35)
    this.first = (a ^ (a >>> 13)) >>> 0
    this.second = (b ^ (b >>> 16)) >>> 0
  }
}

/** Collects hashes of keys, in order, and makes a filter of them. */
export class BloomBuilder {
  private readonly bitsPerKey: number
  private readonly hash = new KeyHash()
  private hashes = new Uint32Array(2048)
  private count = 0

  /** @param bitsPerKey 0 for no filter */
  constructor(bitsPerKey: number) {
    this.bitsPerKey = bitsPerKey
  }

  add(key: Uint8Array, start: number, end: number): void {
    if (this.bitsPerKey <= 0) return
    if (2 * this.count === this.hashes.length) {
      const larger = new Uint32Array(this.hashes.length * 2)
      larger.set(this.hashes)
      this.hashes = larger
    }
    this.hash.of(key, start, end)
    this.hashes[2 * this.count] = this.hash.first
    this.hashes[2 * this.count + 1] = this.hash.second
    this.count++
  }

  /** The filter's payload, or undefined if there is to be none. */
  finish(): Uint8Array | undefined {
    const { bitsPerKey, count, hashes } = this
    if (bitsPerKey <= 0 || count === 0) return undefined
    const positions = Math.min(MOST_POSITIONS, Math.max(1, Math.round(bitsPerKey * Math.LN2)))
    const bytes = Math.max(8, Math.ceil((count * bitsPerKey) / 8))
    const payload = new Uint8Array(HEADER_BYTES + bytes)
    writeU32(payload, 0, positions)
    writeU32(payload, 4, count)
    for (let i = 0; i < count; i++) {
      let position = hashes[2 * i]
      let stride = hashes[2 * i + 1]
      for (let n = 0; n < positions; n++) {
        const bit = position % (bytes * 8)
        payload[HEADER_BYTES + (bit >>> 3)] |= 1 << (bit & 7)
        position = (position + stride) >>> 0
        stride = (stride + n) >>> 0
      }
    }
    return payload
  }
}

export class BloomFilter {
  private readonly payload: Uint8Array
  private readonly positions: number
  private readonly bits: number
  /** Keys that were added. */
  readonly keys: number
  private readonly hash = new KeyHash()

  private constructor(payload: Uint8Array, positions: number) {
    this.payload = payload
    this.positions = positions
    this.bits = (payload.length - HEADER_BYTES) * 8
    this.keys = readU32(payload, 4)
  }

  /** The filter in a payload, or undefined if it holds none. */
  static open(payload: Uint8Array): BloomFilter | undefined {
    if (payload.length <= HEADER_BYTES) return undefined
    const positions = readU32(payload, 0)
    return positions < 1 || positions > MOST_POSITIONS ? undefined : new BloomFilter(payload, positions)
  }

  /** False only if the key was not added. Complexity: O(key + positions). */
  mayContain(key: Uint8Array, start: number, end: number): boolean {
    this.hash.of(key, start, end)
    return this.mayContainHashed(this.hash)
  }

  /** The same for a key whose hashes are known: they are the same in every filter. */
  mayContainHashed(hash: KeyHash): boolean {
    const { payload, positions, bits } = this
    let position = hash.first
    let stride = hash.second
    for (let n = 0; n < positions; n++) {
      const bit = position % bits
      if ((payload[HEADER_BYTES + (bit >>> 3)] & (1 << (bit & 7))) === 0) return false
      position = (position + stride) >>> 0
      stride = (stride + n) >>> 0
    }
    return true
  }
}
