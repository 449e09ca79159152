import type { HistoryOperation, SequentialModel } from '../linearizability.ts'
import { sameValue, valueKey } from './value.ts'

/** Keys and values in turn, in the order of the keys. */
export type MapState = readonly unknown[]

export interface OrderedMapOptions {
  /** What is there at first. */
  readonly initial?: Iterable<readonly [key: unknown, value: unknown]>
  /** The order of keys: negative, 0, positive. By default numbers by size, strings by code points. */
  readonly compare?: (a: unknown, b: unknown) => number
}

interface Range {
  readonly from?: unknown
  readonly to?: unknown
  readonly gte?: unknown
  readonly gt?: unknown
  readonly lte?: unknown
  readonly lt?: unknown
  readonly reverse?: boolean
  readonly limit?: number
}

const ranges: readonly string[] = ['range', 'scan', 'entries', 'size', 'clear']
const looks: readonly string[] = ['get', 'has', 'range', 'scan', 'entries', 'size']

/**
 * A map in the order of its keys, where undefined means absent:
 *
 * - `get(k)` = the value, `has(k)`;
 * - `set(k, v)`, its result is not looked at; `delete(k)` = whether it was there;
 * - `setIfAbsent(k, v)` = what was there already, or undefined if it did;
 * - `compareAndSet(k, old, next)` = whether it did; undefined for absent, on either side;
 * - `update(k, f)` = the new value, f(old); f must give the same for the same;
 * - `range(from, to)`, `scan` or `entries` = a list of `[key, value]`, from `from` on and before `to`, either may be
 *   left out; or one argument `{ from, to, gte, gt, lte, lt, reverse, limit }`. This is a scan of one moment: leave a
 *   weakly consistent one out of what is checked;
 * - `size()`, `clear()`.
 */
export function orderedMap(options: OrderedMapOptions = {}): SequentialModel<MapState> {
  const compare = options.compare ?? compareKeys
  const pairs = [...(options.initial ?? [])].sort((a, b) => compare(a[0], b[0]))
  const initial: MapState = pairs.flat()
  return {
    name: 'ordered map',
    init: () => initial,
    key: keyOf,
    spansKeys: ({ name }) => ranges.includes(name),
    onlyLooks,
    step: (state, operation) => step(state, operation, compare),
  }
}

function keyOf(state: MapState): string {
  let key = ''
  for (let i = 0; i < state.length; i += 2)
    key += `${i === 0 ? '' : ', '}${valueKey(state[i])}: ${valueKey(state[i + 1])}`
  return `{${key}}`
}

function onlyLooks({ name, args, result }: HistoryOperation): boolean {
  if (looks.includes(name)) return true
  if (name === 'delete') return result === false
  if (name === 'setIfAbsent') return result !== undefined
  return name === 'compareAndSet' && (result === false || sameValue(args[1], args[2]))
}

function step(
  state: MapState,
  operation: HistoryOperation,
  compare: (a: unknown, b: unknown) => number,
): MapState | undefined {
  const { name, args, result } = operation
  const pending = operation.returned === Infinity
  const may = (value: unknown): boolean => pending || sameValue(result, value)
  if (ranges.includes(name)) return stepOfAll(state, operation, compare)
  const at = find(state, args[0], compare)
  const old = at < 0 ? undefined : state[at + 1]
  switch (name) {
    case 'get':
      return may(old) ? state : undefined
    case 'has':
      return may(at >= 0) ? state : undefined
    case 'set':
      return put(state, args[0], args[1], compare)
    case 'delete':
      return may(at >= 0) ? put(state, args[0], undefined, compare) : undefined
    case 'setIfAbsent':
      if (!may(old)) return undefined
      return at < 0 ? put(state, args[0], args[1], compare) : state
    case 'compareAndSet': {
      const done = sameValue(old, args[1])
      if (!may(done)) return undefined
      return done ? put(state, args[0], args[2], compare) : state
    }
    case 'update': {
      const next = (args[1] as (old: unknown) => unknown)(old)
      return may(next) ? put(state, args[0], next, compare) : undefined
    }
    default:
      throw new Error(`the model "ordered map" has no operation "${name}"`)
  }
}

function stepOfAll(
  state: MapState,
  operation: HistoryOperation,
  compare: (a: unknown, b: unknown) => number,
): MapState | undefined {
  const { name, result } = operation
  if (name === 'clear') return []
  if (operation.returned === Infinity) return state
  if (name === 'size') return result === state.length / 2 ? state : undefined
  return sameValue(result, entriesIn(state, rangeOf(operation), compare)) ? state : undefined
}

function rangeOf({ args }: HistoryOperation): Range {
  const first = args[0]
  const isRange = typeof first === 'object' && first !== null && Object.getPrototypeOf(first) === Object.prototype
  return isRange ? first : { from: first, to: args[1] }
}

function entriesIn(state: MapState, range: Range, compare: (a: unknown, b: unknown) => number): unknown[] {
  const { from = range.gte, to = range.lt, gt, lte } = range
  const found: unknown[] = []
  for (let i = 0; i < state.length; i += 2) {
    const key = state[i]
    if (from !== undefined && compare(key, from) < 0) continue
    if (gt !== undefined && compare(key, gt) <= 0) continue
    if (to !== undefined && compare(key, to) >= 0) continue
    if (lte !== undefined && compare(key, lte) > 0) continue
    found.push([key, state[i + 1]])
  }
  if (range.reverse === true) found.reverse()
  return range.limit === undefined ? found : found.slice(0, range.limit)
}

/** Where a key is, or -1 minus where it belongs. */
function find(state: MapState, key: unknown, compare: (a: unknown, b: unknown) => number): number {
  let i = 0
  for (; i < state.length; i += 2) {
    const order = compare(key, state[i])
    if (order === 0) return i
    if (order < 0) break
  }
  return -1 - i
}

/** With a value in place of what a key holds; without the key for undefined. */
function put(state: MapState, key: unknown, value: unknown, compare: (a: unknown, b: unknown) => number): MapState {
  const at = find(state, key, compare)
  if (at >= 0) return value === undefined ? state.toSpliced(at, 2) : state.with(at + 1, value)
  return value === undefined ? state : state.toSpliced(-1 - at, 0, key, value)
}

/** The default order. In UTF-16, which JavaScript compares by, surrogates come before the code points from U+E000 on. */
function compareKeys(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return compareCodePoints(a, b)
  if (a === b) return 0
  return (a as number) < (b as number) ? -1 : 1
}

function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

function rank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}
