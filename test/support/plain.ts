/** Bytes are compared as bytes, whether they come as a Uint8Array or as a Buffer, which is one; all else stays as it is. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (Array.isArray(value)) return value.map(plain)
  return value
}

/** Whether two byte strings are equal; for long ones, which take an assertion library seconds to compare. */
export function sameBytes(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && Buffer.compare(a, b) === 0
}
