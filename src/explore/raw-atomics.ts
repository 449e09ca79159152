/** The real operations, kept aside before `Atomics` is watched during an exploration. */
import { ADD, AND, COMPARE_EXCHANGE, EXCHANGE, LOAD, NOTIFY, OR, STORE, SUB, WAIT, WAIT_ASYNC, XOR } from './events.ts'
import type { View } from './pending.ts'

type Raw = (view: View, index: number, a?: unknown, b?: unknown) => unknown

const own = Atomics as unknown as Record<string, Raw>

export const rawLoad = own['load']!
const store = own['store']!
const compareExchange = own['compareExchange']!
const add = own['add']!
const sub = own['sub']!
const and = own['and']!
const or = own['or']!
const xor = own['xor']!
const exchange = own['exchange']!
const wait = own['wait']!
const notify = own['notify']!
const waitAsync = own['waitAsync']!

export function perform(op: number, view: View, index: number, a: unknown, b: unknown): unknown {
  switch (op) {
    case LOAD:
      return rawLoad(view, index)
    case STORE:
      return store(view, index, a)
    case COMPARE_EXCHANGE:
      return compareExchange(view, index, a, b)
    case ADD:
      return add(view, index, a)
    case SUB:
      return sub(view, index, a)
    case AND:
      return and(view, index, a)
    case OR:
      return or(view, index, a)
    case XOR:
      return xor(view, index, a)
    case EXCHANGE:
      return exchange(view, index, a)
    case WAIT:
      return wait(view, index, a, b)
    case NOTIFY:
      return notify(view, index, a)
    case WAIT_ASYNC:
      return waitAsync(view, index, a, b)
    default:
      throw new RangeError(`no such operation: ${op}`)
  }
}

/**
 * Loads, stores and compareExchanges of a word of 32 bits as plain accesses: nobody else is there, and these are much
 * faster. Everything else, and whatever would have to be converted, is left to the real operations.
 */
export function performWord(op: number, view: Int32Array, index: number, a: unknown, b: unknown): unknown {
  if (index !== (index | 0)) return perform(op, view, index, a, b)
  if (op === LOAD) return view[index]
  if (typeof a !== 'number' || (a | 0) !== a) return perform(op, view, index, a, b)
  if (op === STORE) {
    view[index] = a
    // Not -0, as little as the real one.
    return a + 0
  }
  if (op !== COMPARE_EXCHANGE || typeof b !== 'number') return perform(op, view, index, a, b)
  const old = view[index]!
  if (old === a) view[index] = b
  return old
}

const scratch = new Map<unknown, View>()

/** The expected value as the view's elements would hold it: -1 for 0xffffffff in an Int32Array. */
export function expectedOf(view: View, expected: unknown): unknown {
  if (view instanceof Int32Array) return (expected as number) | 0
  let one = scratch.get((view as object).constructor)
  if (one === undefined) {
    one = new (view as unknown as { constructor: new (length: number) => View }).constructor(1)
    scratch.set((view as object).constructor, one)
  }
  one[0] = expected as number
  return one[0]
}
