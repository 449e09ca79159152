/** By what a whole disk is told from others: a number of 53 bits over its names and their contents. */
import type { Files } from './simulated-disk.ts'

export class DiskHash {
  /** Of contents, which states of the same disk share. */
  private readonly contents = new WeakMap<Uint8Array, number>()

  /** The same for disks with the same names and contents, in whatever order. */
  of(files: Files): number {
    let low = 0
    let high = 0
    for (const [name, bytes] of files) {
      let content = this.contents.get(bytes)
      if (content === undefined) this.contents.set(bytes, (content = hashOf(bytes)))
      let a = (content % 2 ** 32) | 0
      let b = Math.floor(content / 2 ** 32) | 0
      for (let i = 0; i < name.length; i++) {
        a = Math.imul(a ^ name.charCodeAt(i), 0x01000193)
        b = Math.imul(b ^ name.charCodeAt(i), 0x5bd1e995) + 0x165667b1
      }
      low = (low + (a ^ (a >>> 15))) | 0
      high = (high + (b ^ (b >>> 13))) | 0
    }
    return (high >>> 11) * 2 ** 32 + (low >>> 0)
  }
}

/** By words: the arrays are their own buffers' beginning. */
function hashOf(bytes: Uint8Array): number {
  let a = 0x811c9dc5 ^ bytes.length
  let b = 0x9747b28c
  const whole = bytes.byteOffset === 0 ? bytes.length >>> 2 : 0
  const words = new Int32Array(bytes.buffer, 0, whole)
  for (let i = 0; i < whole; i++) {
    a = Math.imul(a ^ words[i]!, 0x01000193)
    a ^= a >>> 15
    b = Math.imul((b << 5) ^ (b >>> 27) ^ words[i]!, 0x2c1b3c6d)
  }
  for (let i = 4 * whole; i < bytes.length; i++) {
    a = Math.imul(a ^ bytes[i]!, 0x01000193)
    b = Math.imul((b << 5) ^ (b >>> 27) ^ bytes[i]!, 0x2c1b3c6d)
  }
  return (b >>> 11) * 2 ** 32 + (a >>> 0)
}
