/** Ranges: which keys an iteration visits, in which order. */
import { HeddleError } from '../memory/error.ts'
import { KeyBuffer } from '../tree/key.ts'
import type { KeyCodec } from './codec.ts'

/** Bounds may be combined; all of them hold. */
export interface Range<K> {
  gt?: K
  gte?: K
  lt?: K
  lte?: K
  /** Keys that begin with this; for string and binary keys. */
  prefix?: K
  /** From the largest key down. */
  reverse?: boolean
  /** At most so many entries; 0 gives none. */
  limit?: number
}

export interface Bound {
  bytes: Uint8Array
  inclusive: boolean
}

export interface CheckedRange {
  low: Bound | null
  high: Bound | null
  reverse: boolean
  limit: number
}

const KNOWN = new Set(['gt', 'gte', 'lt', 'lte', 'prefix', 'reverse', 'limit'])

function invalid(message: string): HeddleError {
  return new HeddleError('HEDDLE_INVALID_RANGE', message)
}

function compare(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b)
}

/** The narrower of two lower bounds. */
function higher(a: Bound | null, b: Bound): Bound {
  if (a === null) return b
  const order = compare(a.bytes, b.bytes)
  if (order === 0) return a.inclusive ? b : a
  return order > 0 ? a : b
}

/** The narrower of two upper bounds. */
function lower(a: Bound | null, b: Bound): Bound {
  if (a === null) return b
  const order = compare(a.bytes, b.bytes)
  if (order === 0) return a.inclusive ? b : a
  return order < 0 ? a : b
}

/** The smallest byte string above every one that begins with the prefix, or null if there is none. */
function afterPrefix(prefix: Uint8Array): Uint8Array | null {
  let length = prefix.length
  while (length > 0 && prefix[length - 1] === 0xff) length--
  if (length === 0) return null
  const after = prefix.slice(0, length)
  after[length - 1]++
  return after
}

function limitOf(limit: number | undefined): number {
  if (limit === undefined || limit === Infinity) return Infinity
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 0) {
    throw invalid(`limit is ${String(limit)}; give a whole number of entries, 0 or more`)
  }
  return limit
}

/**
 * Checks a range and encodes its bounds.
 * @throws HeddleError HEDDLE_INVALID_RANGE, or HEDDLE_INVALID_KEY for a bound that is no key
 */
export function checkRange(range: Range<unknown> | undefined, codec: KeyCodec, hasPrefixes: boolean): CheckedRange {
  const checked: CheckedRange = { low: null, high: null, reverse: false, limit: Infinity }
  if (range === undefined) return checked
  if (typeof range !== 'object' || range === null) throw invalid('a range is an object such as { gte, lt, limit }')
  for (const name of Object.keys(range)) {
    if (!KNOWN.has(name)) throw invalid(`${name} is no part of a range; known are ${[...KNOWN].join(', ')}`)
  }
  const encode = (key: unknown): Uint8Array => {
    const buffer = new KeyBuffer()
    codec.encode(key, buffer)
    return buffer.bytes.slice(0, buffer.length)
  }
  if (range.gt !== undefined) checked.low = higher(checked.low, { bytes: encode(range.gt), inclusive: false })
  if (range.gte !== undefined) checked.low = higher(checked.low, { bytes: encode(range.gte), inclusive: true })
  if (range.lt !== undefined) checked.high = lower(checked.high, { bytes: encode(range.lt), inclusive: false })
  if (range.lte !== undefined) checked.high = lower(checked.high, { bytes: encode(range.lte), inclusive: true })
  if (range.prefix !== undefined) {
    if (!hasPrefixes) throw invalid('prefix works with string and binary keys only; use gte and lt')
    const prefix = encode(range.prefix)
    checked.low = higher(checked.low, { bytes: prefix, inclusive: true })
    const after = afterPrefix(prefix)
    if (after !== null) checked.high = lower(checked.high, { bytes: after, inclusive: false })
  }
  checked.reverse = range.reverse === true
  checked.limit = limitOf(range.limit)
  return checked
}

/** Whether no key can lie between the bounds. */
export function isEmptyRange(range: CheckedRange): boolean {
  if (range.limit === 0) return true
  if (range.low === null || range.high === null) return false
  const order = compare(range.low.bytes, range.high.bytes)
  return order > 0 || (order === 0 && !(range.low.inclusive && range.high.inclusive))
}
