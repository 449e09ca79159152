/**
 * Whether a small history can have come about under an isolation level, by trying all orders of what its transactions
 * may have done: the definition itself, to hold the checker against. Exponential.
 */
import { isRead, type History, type Transaction } from './transaction.ts'

export interface Rules {
  readonly isolation: 'serializable' | 'snapshot'
  /** What completed before another was invoked took effect before it. */
  readonly realtime: boolean
}

type State = ReadonlyMap<string, readonly number[]>

/** A transaction that has begun, with what it has read checked, and what it will write. */
interface Begun {
  readonly id: number
  readonly writes: State
  /** Keys that others have committed writes to since it began. */
  readonly taken: Set<string>
}

export function isPossible(history: History, rules: Rules): boolean {
  return new ExplanationSearch(history, rules).from(new Map(), [], new Set())
}

class ExplanationSearch {
  readonly #history: History
  readonly #rules: Rules

  constructor(history: History, rules: Rules) {
    this.#history = history
    this.#rules = rules
  }

  from(state: State, begun: readonly Begun[], done: ReadonlySet<number>): boolean {
    const left = this.#history.filter(({ status }, id) => status === 'ok' && !done.has(id))
    if (left.length === 0) return true
    for (const one of begun) if (this.#commit(state, begun, done, one)) return true
    if (this.#rules.isolation === 'serializable' && begun.length > 0) return false
    return this.#history.some((transaction, id) => {
      if (transaction.status === 'aborted' || done.has(id) || begun.some((one) => one.id === id)) return false
      if (this.#rules.realtime && left.some(({ completed }) => completed < transaction.invoked)) return false
      const writes = run(transaction, state)
      return writes !== undefined && this.from(state, [...begun, { id, writes, taken: new Set() }], done)
    })
  }

  #commit(state: State, begun: readonly Begun[], done: ReadonlySet<number>, one: Begun): boolean {
    const keys = [...one.writes.keys()]
    if (keys.some((key) => one.taken.has(key))) return false
    const others = begun
      .filter((other) => other !== one)
      .map((other) => ({ ...other, taken: new Set([...other.taken, ...keys]) }))
    return this.from(new Map([...state, ...one.writes]), others, new Set([...done, one.id]))
  }
}

/** What a transaction writes if it begins in a state, or undefined if it would have read something else. */
function run({ operations }: Transaction, state: State): State | undefined {
  const writes = new Map<string, readonly number[]>()
  for (const operation of operations) {
    const { key } = operation
    const there = writes.get(key) ?? state.get(key) ?? []
    if (operation.name === 'append') writes.set(key, [...there, operation.value])
    else if (operation.name === 'write') writes.set(key, [operation.value])
    else if (isRead(operation)) {
      const { value } = operation
      const read = typeof value === 'object' ? value : value === undefined ? [] : [value]
      if (read.length !== there.length || read.some((one, i) => one !== there[i])) return undefined
    }
  }
  return writes
}
