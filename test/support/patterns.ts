/** Sizes around the limits of a page's inline values, of a record in a segment, and of an extent. */
export const patternSizes: readonly number[] = [8, 16, 31, 60, 64, 68, 130, 500, 1500, 6000, 20_000, 70_000]

/** A value in which every byte follows from its length and its seed, which it carries in front. */
export function patterned(seed: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  const head = new DataView(bytes.buffer)
  head.setUint32(0, seed)
  head.setUint32(4, size)
  for (let i = 8; i < size; i++) bytes[i] = byteAt(seed, i)
  return bytes
}

/** Throws if a value is not just what patterned() made. */
export function checkPattern(bytes: Uint8Array): void {
  if (bytes.length < 8) throw new Error(`a torn value: ${bytes.length} bytes`)
  const head = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const seed = head.getUint32(0)
  const size = head.getUint32(4)
  if (size !== bytes.length) throw new Error(`a torn value: ${bytes.length} bytes that say they are ${size}`)
  for (let i = 8; i < size; i++) {
    if (bytes[i] !== byteAt(seed, i)) throw new Error(`a torn value: byte ${i} of ${size} is not of seed ${seed}`)
  }
}

function byteAt(seed: number, i: number): number {
  return (Math.imul(seed + 1, 0x9e37) + i * 7) & 0xff
}
