/**
 * Arguments and results of recorded operations, compared and written down by what they hold: two reads of one list are
 * the same though they made two arrays.
 */

const identities = new WeakMap<object, number>()
let identityCount = 0

/** A text that is the same for two values exactly if they hold the same; functions and class instances go by identity. */
export function valueKey(value: unknown): string {
  switch (typeof value) {
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'string':
      return JSON.stringify(value)
    case 'bigint':
      return `${value}n`
    case 'undefined':
    case 'boolean':
      return String(value)
    case 'symbol':
      return value.toString()
    case 'function':
      return `${value.name || 'function'}#${identityOf(value)}`
    case 'object':
      return value === null ? 'null' : objectKey(value)
  }
}

/** Whether two values hold the same. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  return valueKey(a) === valueKey(b)
}

function objectKey(value: object): string {
  if (Array.isArray(value)) return `[${value.map(valueKey).join(', ')}]`
  if (ArrayBuffer.isView(value)) {
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    return `${value.constructor.name}(${bytes.join(' ')})`
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return `${value.constructor.name}#${identityOf(value)}`
  const entries = Object.entries(value).map(([name, held]) => `${name}: ${valueKey(held)}`)
  return `{${entries.sort().join(', ')}}`
}

function identityOf(value: object): number {
  let identity = identities.get(value)
  if (identity === undefined) {
    identity = ++identityCount
    identities.set(value, identity)
  }
  return identity
}
