/** Bytes are compared as bytes, whether they come as a Uint8Array or as a Buffer, which is one; all else stays as it is. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (Array.isArray(value)) return value.map(plain)
  return value
}
