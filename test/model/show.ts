/** A key, a value or a range as short text, so that a counterexample can be read. */
export function show(value: unknown): string {
  if (value instanceof Uint8Array) return `bytes(${shorten(Buffer.from(value).toString('hex'), 2)})`
  if (typeof value === 'string') return value.length > 60 ? shorten(value, 1) : JSON.stringify(value)
  if (typeof value === 'bigint') return `${shorten(String(value), 1)}n`
  if (Object.is(value, -0)) return '-0'
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).map(([name, field]) => `${name}: ${show(field)}`)
    return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`
  }
  return String(value)
}

function shorten(text: string, perUnit: number): string {
  return text.length <= 60 ? text : `${JSON.stringify(text.slice(0, 24))}..${text.length / perUnit} in all`
}
