/**
 * The built-in methods that call a function for each element, for functions that are coroutines. They do what the
 * originals do, but for changes to the list while they run: an element that was removed is read as undefined.
 */
import { fail } from '../failure.ts'
import { inThread } from '../state.ts'
import { $c, $is, type Coroutine } from './coroutines.ts'

type Callback = (...args: unknown[]) => unknown

/** An array or a typed array. */
interface List {
  readonly length: number
  at(index: number): unknown
  [index: number]: unknown
}

type Method = (list: List, callback: Callback, ...rest: unknown[]) => Coroutine

/** `at` tells the race detector about elements of shared memory. */
function get(list: List, index: number): unknown {
  return Array.isArray(list) ? list[index] : list.at(index)
}

function has(list: List, index: number): boolean {
  return !Array.isArray(list) || index in list
}

/** Calls the callback for each element until `found` accepts its result. @returns the index of that element, or -1 */
function* scan(
  list: List,
  callback: Callback,
  self: unknown,
  found: (result: unknown, value: unknown, index: number) => boolean,
  { holes = false, backwards = false } = {},
): Generator<undefined, number, undefined> {
  const { length } = list
  for (let count = 0; count < length; count++) {
    const index = backwards ? length - 1 - count : count
    if (!holes && !has(list, index)) continue
    const value = get(list, index)
    const given = callback.call(self, value, index, list)
    if (found($is(given) ? yield* given as Coroutine : given, value, index)) return index
  }
  return -1
}

/** The first or last element for which the callback gives something true. */
function* search(list: List, callback: Callback, self: unknown, backwards: boolean): Coroutine {
  let found: unknown
  const accept = (result: unknown, value: unknown) => {
    if (!result) return false
    found = value
    return true
  }
  yield* scan(list, callback, self, accept, { holes: true, backwards })
  return found
}

const never = (): boolean => false

/** An empty list for results, of the kind of the original. */
function likeOf(list: List, length: number): unknown[] {
  if (Array.isArray(list)) return new Array<unknown>(length)
  if (list instanceof Uint8Array) return new Uint8Array(length) as unknown as unknown[]
  return new (list.constructor as new (length: number) => unknown[])(length)
}

function* fold(list: List, callback: Callback, backwards: boolean, initial: readonly unknown[]): Coroutine {
  let result: unknown = initial[0]
  let isFirst = initial.length === 0
  const { length } = list
  for (let count = 0; count < length; count++) {
    const index = backwards ? length - 1 - count : count
    if (!has(list, index)) continue
    const value = get(list, index)
    if (isFirst) {
      result = value
      isFirst = false
    } else {
      const given = callback(result, value, index, list)
      result = $is(given) ? yield* given as Coroutine : given
    }
  }
  if (isFirst) throw new TypeError('Reduce of empty array with no initial value')
  return result
}

/** Sorts by merging, which keeps equal elements in order and asks for few comparisons. */
function* sorted(values: unknown[], compare: Callback): Generator<undefined, unknown[], undefined> {
  if (values.length < 2) return values
  const middle = values.length >>> 1
  const left = yield* sorted(values.slice(0, middle), compare)
  const right = yield* sorted(values.slice(middle), compare)
  const merged: unknown[] = []
  let l = 0
  let r = 0
  while (l < left.length && r < right.length) {
    const given = compare(left[l], right[r])
    const order = $is(given) ? yield* given as Coroutine : given
    merged.push(Number(order) > 0 ? right[r++] : left[l++])
  }
  while (l < left.length) merged.push(left[l++])
  while (r < right.length) merged.push(right[r++])
  return merged
}

/** The elements of a list that are to be compared; undefined and holes come last by themselves. */
function comparable(list: List): { values: unknown[]; undefineds: number } {
  const values: unknown[] = []
  let undefineds = 0
  for (let index = 0; index < list.length; index++) {
    if (!has(list, index)) continue
    const value = get(list, index)
    if (value === undefined) undefineds++
    else values.push(value)
  }
  return { values, undefineds }
}

function* sort(list: List, compare: Callback): Coroutine {
  const { length } = list
  const { values, undefineds } = comparable(list)
  const inOrder = yield* sorted(values, compare)
  for (let index = 0; index < undefineds; index++) inOrder.push(undefined)
  if (!Array.isArray(list)) {
    ;(list as unknown as Int32Array).set(inOrder as number[])
    return list
  }
  for (let index = 0; index < length; index++) {
    if (index < inOrder.length) list[index] = inOrder[index]
    else Reflect.deleteProperty(list, index)
  }
  return list as unknown
}

function* toSorted(list: List, compare: Callback): Coroutine {
  const { values } = comparable(list)
  const inOrder = yield* sorted(values, compare)
  const result = likeOf(list, list.length)
  for (let index = 0; index < list.length; index++) result[index] = inOrder[index]
  return result
}

const METHODS: Readonly<Record<string, Method>> = {
  *forEach(list, callback, self) {
    yield* scan(list, callback, self, never)
  },
  *map(list, callback, self) {
    const result = likeOf(list, list.length)
    yield* scan(list, callback, self, (mapped, _value, index) => {
      result[index] = mapped
      return false
    })
    return result
  },
  *filter(list, callback, self) {
    const kept: unknown[] = []
    yield* scan(list, callback, self, (keep, value) => {
      if (keep) kept.push(value)
      return false
    })
    if (Array.isArray(list)) return kept
    const result = likeOf(list, kept.length)
    for (let index = 0; index < kept.length; index++) result[index] = kept[index]
    return result
  },
  *some(list, callback, self) {
    return (yield* scan(list, callback, self, Boolean)) >= 0
  },
  *every(list, callback, self) {
    return (yield* scan(list, callback, self, (result) => !result)) < 0
  },
  *find(list, callback, self) {
    return yield* search(list, callback, self, false)
  },
  *findIndex(list, callback, self) {
    return yield* scan(list, callback, self, Boolean, { holes: true })
  },
  *findLast(list, callback, self) {
    return yield* search(list, callback, self, true)
  },
  *findLastIndex(list, callback, self) {
    return yield* scan(list, callback, self, Boolean, { holes: true, backwards: true })
  },
  *flatMap(list, callback, self) {
    const result: unknown[] = []
    yield* scan(list, callback, self, (mapped) => {
      if (Array.isArray(mapped)) result.push(...(mapped as unknown[]).flat(0))
      else result.push(mapped)
      return false
    })
    return result
  },
  *reduce(list, callback, ...initial) {
    return yield* fold(list, callback, false, initial)
  },
  *reduceRight(list, callback, ...initial) {
    return yield* fold(list, callback, true, initial)
  },
  sort,
  toSorted,
}

function* from(items: unknown, callback: Callback, self: unknown): Coroutine {
  const list = Array.from(items as ArrayLike<unknown>)
  for (let index = 0; index < list.length; index++) {
    const given = callback.call(self, list[index], index)
    list[index] = $is(given) ? yield* given as Coroutine : given
  }
  return list
}

function* forEachEntry(map: Map<unknown, unknown> | Set<unknown>, callback: Callback, self: unknown): Coroutine {
  for (const entry of map.entries()) {
    const given = callback.call(self, entry[1], entry[0], map)
    if ($is(given)) yield* given as Coroutine
  }
  return undefined
}

function ownMethod(receiver: unknown, name: string): Method | undefined {
  if (!Array.isArray(receiver) && (!ArrayBuffer.isView(receiver) || receiver instanceof DataView)) return undefined
  const known: object = Array.isArray(receiver)
    ? Array.prototype
    : (Object.getPrototypeOf(Int8Array.prototype) as object)
  const isOriginal = Reflect.get(receiver, name) === Reflect.get(known, name)
  return isOriginal && Object.hasOwn(METHODS, name) ? METHODS[name] : undefined
}

/** A callback for a built-in function that cannot be written out: it may be a coroutine, but cannot be paused. */
function unpausable(callback: Callback, name: string): Callback {
  return (...args) => {
    const given = callback(...args)
    if (!$is(given)) return given
    const step = (given as Coroutine).next()
    if (step.done !== true) {
      fail('unsupported', `the callback of ${name} reaches shared memory, where it cannot be paused`)
    }
    return step.value
  }
}

/**
 * `receiver.name(…args)`, where one of the arguments may be a function that is a coroutine. May give a coroutine.
 * Receivers that are no arrays are called as they are.
 */
export function $hof(receiver: unknown, name: string, ...args: unknown[]): unknown {
  const target = receiver as Record<string, Callback>
  if (!inThread) return target[name]!(...args)
  const [first, second, third] = args
  if (typeof first === 'function') {
    const method = ownMethod(receiver, name)
    if (method !== undefined) return $c(method(receiver as List, first as Callback, ...args.slice(1)))
    if (name === 'forEach' && (receiver instanceof Map || receiver instanceof Set)) {
      return $c(forEachEntry(receiver, first as Callback, second))
    }
  }
  if (typeof second === 'function') {
    if (receiver === Array && name === 'from') return $c(from(first, second as Callback, third))
    if (typeof receiver === 'string') return target[name]!(first, unpausable(second as Callback, name))
  }
  return target[name]!(...args)
}
