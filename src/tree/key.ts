/** Keys as the tree sees them: bytes in lexicographic order, of a caller or in a record, and how the two compare. */
import { keyBytesOf } from '../log/block.ts'

/** Words of a record before its key: block header, version, and what it replaced. */
export const RECORD_KEY = 3
/** Bytes of the longest key that has room in a buffer. */
export const MOST_KEY_BYTES = 2048

/** A key in private memory, with room for zero padding, so that heads and whole words can be taken anywhere. */
export class KeyBuffer {
  readonly bytes: Uint8Array = new Uint8Array(MOST_KEY_BYTES + 16)
  readonly words: Int32Array = new Int32Array(this.bytes.buffer)
  length = 0
  /** Its tag; 0 if nobody has asked for it yet. */
  private knownTag = 0

  /** Finishes the key after its bytes were written from 0: zero padding. */
  finish(length: number): void {
    const { words } = this
    const last = length >>> 2
    this.length = length
    this.knownTag = 0
    words[last] &= (1 << ((length & 3) << 3)) - 1
    words[last + 1] = 0
  }

  /** A byte of the key's hash, never 0. Only the slots of a leaf are searched by it: a key found before has none made. */
  get tag(): number {
    return this.knownTag !== 0 ? this.knownTag : this.makeTag()
  }

  private makeTag(): number {
    const { words, length } = this
    let hash = length
    for (let i = 0; i < length; i += 4) {
      hash = Math.imul(hash ^ words[i >>> 2], 0x9e3779b1 | 0)
      hash ^= hash >>> 15
    }
    this.knownTag = ((hash >>> 24) % 255) + 1
    return this.knownTag
  }

  /**
   * Takes a string of ASCII characters, by whole words: bytes that were stored one by one are slow to load as words, which
   * comes next.
   * @returns false if there are other characters: nothing of use is in the buffer then
   */
  copyAscii(text: string): boolean {
    const { words } = this
    const { length } = text
    let all = 0
    let i = 0
    for (; i + 4 <= length; i += 4) {
      const a = text.charCodeAt(i)
      const b = text.charCodeAt(i + 1)
      const c = text.charCodeAt(i + 2)
      const d = text.charCodeAt(i + 3)
      all |= a | b | c | d
      words[i >>> 2] = a | (b << 8) | (c << 16) | (d << 24)
    }
    let word = 0
    for (let at = i; at < length; at++) {
      const code = text.charCodeAt(at)
      all |= code
      word |= code << ((at - i) << 3)
    }
    words[i >>> 2] = word
    if (all > 127) return false
    this.finish(length)
    return true
  }

  /** Takes a copy of bytes that may lie in shared memory. */
  copyFrom(source: Uint8Array, at: number, length: number): void {
    const { bytes } = this
    for (let i = 0; i < length; i++) bytes[i] = source[at + i]
    this.finish(length)
  }

  /** Takes a copy of a key that begins at a whole word. */
  copyWords(source: Int32Array, at: number, length: number): void {
    const { words } = this
    for (let i = (length + 3) >>> 2; --i >= 0;) words[i] = source[at + i]
    this.finish(length)
  }

  /** Takes a copy of the key of a record. */
  copyRecord(source: Int32Array, record: number, length: number): void {
    this.copyWords(source, record + RECORD_KEY, length)
  }

  /** The four bytes from `offset` on, zeros past the end, biased so that signed order is byte order. */
  head(offset: number): number {
    if (offset >= this.length) return 1 << 31
    const { bytes } = this
    const word = (bytes[offset] << 24) | (bytes[offset + 1] << 16) | (bytes[offset + 2] << 8) | bytes[offset + 3]
    return word ^ (1 << 31)
  }

  /** Byte order against a key elsewhere: negative, 0 or positive. */
  compare(other: Uint8Array, at: number, length: number): number {
    const { bytes } = this
    const common = this.length < length ? this.length : length
    for (let i = 0; i < common; i++) {
      const difference = bytes[i] - other[at + i]
      if (difference !== 0) return difference
    }
    return this.length - length
  }

  /** Byte order of the first `length` bytes against a prefix: a shorter key counts as padded below. */
  comparePrefix(prefix: Uint8Array, at: number, length: number): number {
    const { bytes } = this
    const common = this.length < length ? this.length : length
    for (let i = 0; i < common; i++) {
      const difference = bytes[i] - prefix[at + i]
      if (difference !== 0) return difference
    }
    return this.length < length ? -1 : 0
  }

  /** Whether a record (its header already loaded) has this key. */
  equalsRecord(words: Int32Array, record: number, header: number): boolean {
    const { length } = this
    return keyBytesOf(header) === length && equalKeys(this.words, 0, words, record + RECORD_KEY, length)
  }
}

/** Whether two keys of the same length, each from a whole word on, are equal. Word by word, the last one masked. */
export function equalKeys(a: Int32Array, aAt: number, b: Int32Array, bAt: number, length: number): boolean {
  const whole = length >>> 2
  for (let i = 0; i < whole; i++) if (a[aAt + i] !== b[bAt + i]) return false
  const rest = length & 3
  return rest === 0 || ((a[aAt + whole] ^ b[bAt + whole]) & ((1 << (rest << 3)) - 1)) === 0
}

/** The biased head of a key in the arena. */
export function headAt(bytes: Uint8Array, keyAt: number, length: number, offset: number): number {
  let head = 0
  for (let i = 0; i < 4; i++) {
    const at = offset + i
    head = (head << 8) | (at < length ? bytes[keyAt + at] : 0)
  }
  return head ^ (1 << 31)
}

/** Byte order of two keys in the arena. */
export function compareBytes(bytes: Uint8Array, a: number, aLength: number, b: number, bLength: number): number {
  const common = aLength < bLength ? aLength : bLength
  for (let i = 0; i < common; i++) {
    const difference = bytes[a + i] - bytes[b + i]
    if (difference !== 0) return difference
  }
  return aLength - bLength
}

/** Number of bytes that two keys in the arena have in common from the start. */
export function commonPrefix(bytes: Uint8Array, a: number, aLength: number, b: number, bLength: number): number {
  const common = aLength < bLength ? aLength : bLength
  let i = 0
  while (i < common && bytes[a + i] === bytes[b + i]) i++
  return i
}
