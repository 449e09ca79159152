/**
 * Sequential models of common structures, to check recorded histories against. Each comment lists the operations a model
 * knows, with what each gives; an operation of another name is an error, so that a misspelt one is not passed over.
 *
 * A result of undefined is not compared where an operation needs none: `op('increment', [], () => void add())` will do.
 */
import type { HistoryOperation, SequentialModel } from './linearizability.ts'
import { sameValue, valueKey } from './models/value.ts'

export { orderedMap, type MapState, type OrderedMapOptions } from './models/ordered-map.ts'

function unknown(model: string, { name }: HistoryOperation): never {
  throw new Error(`the model "${model}" has no operation "${name}"`)
}

/** Whether an operation may have given this; whatever it is, if it never returned. */
function gave(operation: HistoryOperation, value: unknown): boolean {
  return operation.returned === Infinity || sameValue(operation.result, value)
}

/** The same, for an operation whose result may be left out. */
function gaveOrNothing(operation: HistoryOperation, value: unknown): boolean {
  return operation.result === undefined || gave(operation, value)
}

/** A value that may be undefined, as a state. */
export interface Held {
  readonly value: unknown
}

/**
 * One cell: `read()` or `get()` = the value, `write(v)` or `set(v)`, `exchange(v)` = the old value,
 * `compareAndSet(old, v)` = whether it did.
 */
export function register(initial: unknown = 0): SequentialModel<Held> {
  return {
    name: 'register',
    init: () => ({ value: initial }),
    key: ({ value }) => valueKey(value),
    onlyLooks: ({ name, result }) =>
      name === 'read' || name === 'get' || (name === 'compareAndSet' && result === false),
    step(state, operation) {
      const { name, args } = operation
      switch (name) {
        case 'read':
        case 'get':
          return gave(operation, state.value) ? state : undefined
        case 'write':
        case 'set':
          return { value: args[0] }
        case 'exchange':
          return gave(operation, state.value) ? { value: args[0] } : undefined
        case 'compareAndSet': {
          const done = sameValue(state.value, args[0])
          if (!gave(operation, done)) return undefined
          return done ? { value: args[1] } : state
        }
        default:
          return unknown('register', operation)
      }
    },
  }
}

/**
 * A number: `read()` or `get()` = it; `increment()` and `decrement()` = the new number; `add(n)` = the old number, as
 * `Atomics.add`. All but the first two may give undefined.
 */
export function counter(initial = 0): SequentialModel<number> {
  return {
    name: 'counter',
    init: () => initial,
    key: (state) => state,
    onlyLooks: ({ name }) => name === 'read' || name === 'get',
    step(state, operation) {
      switch (operation.name) {
        case 'read':
        case 'get':
          return gave(operation, state) ? state : undefined
        case 'increment':
          return gaveOrNothing(operation, state + 1) ? state + 1 : undefined
        case 'decrement':
          return gaveOrNothing(operation, state - 1) ? state - 1 : undefined
        case 'add':
          return gaveOrNothing(operation, state) ? state + Number(operation.args[0]) : undefined
        default:
          return unknown('counter', operation)
      }
    },
  }
}

/** Which ends the operations of a list put to and take from. */
type Ends = Readonly<Record<string, 'put first' | 'put last' | 'take first' | 'take last'>>

/** A list of at most `capacity` values, none of them undefined. A put gives true or nothing, and false if it is full; a take undefined if empty. */
function list(
  model: string,
  ends: Ends,
  capacity: number,
  initial: readonly unknown[],
): SequentialModel<readonly unknown[]> {
  return {
    name: model,
    init: () => initial,
    key: valueKey,
    onlyLooks: ({ name, result }) => (ends[name]?.startsWith('put') ? result === false : result === undefined),
    step(state, operation) {
      const end = ends[operation.name]
      if (end === undefined) return unknown(model, operation)
      if (end === 'put first' || end === 'put last') {
        const fits = state.length < capacity
        if (!(fits ? gaveOrNothing(operation, true) : gave(operation, false))) return undefined
        if (!fits) return state
        return end === 'put last' ? [...state, operation.args[0]] : [operation.args[0], ...state]
      }
      const first = end === 'take first'
      if (!gave(operation, first ? state[0] : state.at(-1))) return undefined
      if (state.length === 0) return state
      return first ? state.slice(1) : state.slice(0, -1)
    },
  }
}

/** `push(v)`, `pop()` = the value pushed last, or undefined if there is none. `initial` is from the bottom up. */
export function stack(initial: readonly unknown[] = [], capacity = Infinity): SequentialModel<readonly unknown[]> {
  return list('stack', { push: 'put last', pop: 'take last' }, capacity, initial)
}

/**
 * `enqueue(v)` = true or undefined, or false if `capacity` values are in it; `dequeue()` = the oldest value, or
 * undefined if there is none.
 */
export function queue(initial: readonly unknown[] = [], capacity = Infinity): SequentialModel<readonly unknown[]> {
  return list('queue', { enqueue: 'put last', dequeue: 'take first' }, capacity, initial)
}

/**
 * `pushBack(v)` or `push(v)`, `popBack()` or `pop()`, `pushFront(v)`, `popFront()` or `steal()`: as those of a queue
 * and a stack. `initial` is from the front.
 */
export function deque(initial: readonly unknown[] = [], capacity = Infinity): SequentialModel<readonly unknown[]> {
  const ends: Ends = {
    push: 'put last',
    pushBack: 'put last',
    pushFront: 'put first',
    pop: 'take last',
    popBack: 'take last',
    popFront: 'take first',
    steal: 'take first',
  }
  return list('deque', ends, capacity, initial)
}

/** `add(v)` = whether it was not there, `delete(v)` or `remove(v)` = whether it was, `has(v)` or `contains(v)`. */
export function set(initial: readonly unknown[] = []): SequentialModel<ReadonlySet<string>> {
  return {
    name: 'set',
    init: () => new Set(initial.map(valueKey)),
    key: (state) => [...state].sort().join(' '),
    onlyLooks: ({ name, result }) => name === 'has' || name === 'contains' || result === false,
    step(state, operation) {
      const value = valueKey(operation.args[0])
      const there = state.has(value)
      switch (operation.name) {
        case 'add':
          if (!gaveOrNothing(operation, !there)) return undefined
          return there ? state : new Set(state).add(value)
        case 'delete':
        case 'remove':
          if (!gaveOrNothing(operation, there)) return undefined
          return there ? new Set([...state].filter((other) => other !== value)) : state
        case 'has':
        case 'contains':
          return gave(operation, there) ? state : undefined
        default:
          return unknown('set', operation)
      }
    },
    partOf: ({ args }) => valueKey(args[0]),
  }
}

/**
 * `lock()`, `tryLock()` = whether it did, `unlock()`, only by the thread that locked. The state is that thread, or -1.
 * What a critical section must not see is better checked by an assertion inside it.
 */
export function mutex(): SequentialModel<number> {
  return {
    name: 'mutex',
    init: () => -1,
    key: (state) => state,
    onlyLooks: ({ name, result }) => name === 'tryLock' && result === false,
    step(state, operation) {
      const { name, thread } = operation
      switch (name) {
        case 'lock':
          return state < 0 && gaveOrNothing(operation, true) ? thread : undefined
        case 'tryLock':
          if (!gave(operation, state < 0)) return undefined
          return state < 0 ? thread : state
        case 'unlock':
          return state === thread ? -1 : undefined
        default:
          return unknown('mutex', operation)
      }
    },
  }
}

/**
 * Checks each key by itself, which is much faster: a history is linearizable if what happened on each key is. That is
 * so only for operations on one key each.
 * @param keyOf the key an operation concerns; by default its first argument
 * @throws {Error} when a history has an operation that spans keys: `keyOf` gives undefined for it, or the model says so
 */
export function partitionBy<S>(
  model: SequentialModel<S>,
  keyOf: (operation: HistoryOperation) => unknown = ({ args }) => args[0],
): SequentialModel<S> {
  return {
    ...model,
    partOf(operation) {
      const key = model.spansKeys?.(operation) === true ? undefined : keyOf(operation)
      if (key === undefined) {
        throw new Error(`"${operation.name}" spans keys: a history with it cannot be checked key by key`)
      }
      return typeof key === 'object' ? valueKey(key) : key
    },
  }
}
