/**
 * Histories of transactions, as the checker takes them. Two kinds of keys, after Kingsbury and Alvaro, "Elle: Inferring
 * Isolation Anomalies from Experimental Observations" (VLDB 2020): lists that values are appended to, and registers that
 * values are written to. No value is written twice under one key, so every version that is read says who wrote it.
 */
export type Operation = Append | ReadList | Write | Read

export interface Append {
  readonly name: 'append'
  readonly key: string
  readonly value: number
}

export interface ReadList {
  readonly name: 'list'
  readonly key: string
  /** An absent key is the empty list. */
  readonly value: readonly number[]
}

export interface Write {
  readonly name: 'write'
  readonly key: string
  readonly value: number
}

export interface Read {
  readonly name: 'read'
  readonly key: string
  /** Undefined for an absent key. */
  readonly value: number | undefined
}

/** Unknown: nobody was told how it ended, since its process died. It counts as committed once somebody reads its writes. */
export type Status = 'ok' | 'aborted' | 'unknown'

export interface Transaction {
  readonly process: number
  readonly status: Status
  /** Moments on one clock of all processes. Only their order matters. */
  readonly invoked: number
  /** Infinity if unknown. */
  readonly completed: number
  /** In the order of the program. A read whose result is not known is left out. */
  readonly operations: readonly Operation[]
}

/** Transactions are named by their place in it. */
export type History = readonly Transaction[]

export function isRead(operation: Operation): operation is ReadList | Read {
  return operation.name === 'list' || operation.name === 'read'
}

export function isList(operation: Operation): operation is Append | ReadList {
  return operation.name === 'list' || operation.name === 'append'
}
