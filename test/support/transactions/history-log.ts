/**
 * Histories of transactions in shared memory, one log for each thread that ever runs, so that what a thread did can be
 * read after it was killed. A clock that all of them add to puts their invocations and completions in one order.
 *
 *     record      status (0: not there), invoked, completed, number of operations, operations...
 *     operation   kind, key, number of values, values...
 *
 * Everything is in place before the word that makes it count: the number of operations, the status at the end.
 */
import type { History, Operation, Status, Transaction } from '../elle/transaction.ts'

const statuses: readonly (Status | undefined)[] = [undefined, 'unknown', 'ok', 'aborted']
const names: readonly Operation['name'][] = ['append', 'list', 'write', 'read']
const headWords = 4

export interface SharedHistory {
  readonly clock: SharedArrayBuffer
  readonly logs: readonly SharedArrayBuffer[]
}

export function newSharedHistory(threads: number, words: number): SharedHistory {
  return {
    clock: new SharedArrayBuffer(4),
    logs: Array.from({ length: threads }, () => new SharedArrayBuffer(words * 4)),
  }
}

function nameOfKey(operation: Operation['name'], key: number): string {
  return `${operation === 'append' || operation === 'list' ? 'list' : 'register'} ${key}`
}

/** Writes the transactions of one thread. One of them is open at a time. */
export class HistoryLog {
  readonly #clock: Int32Array
  readonly #words: Int32Array
  #record = 0
  #at = 0
  #operations = 0

  constructor({ clock, logs }: SharedHistory, thread: number) {
    this.#clock = new Int32Array(clock)
    this.#words = new Int32Array(logs[thread]!)
  }

  hasRoom(words: number): boolean {
    return this.#at + words < this.#words.length
  }

  now(): number {
    return Atomics.load(this.#clock, 0)
  }

  tick(): number {
    return 1 + Atomics.add(this.#clock, 0, 1)
  }

  begin(invoked: number): void {
    this.#record = this.#at
    this.#operations = 0
    this.#at += headWords
    this.#words[this.#record + 1] = invoked
    Atomics.store(this.#words, this.#record, statuses.indexOf('unknown'))
  }

  add(name: Operation['name'], key: number, values: readonly number[]): void {
    const words = this.#words
    if (this.#at + 3 + values.length > words.length) throw new Error('the log is full')
    words[this.#at] = names.indexOf(name)
    words[this.#at + 1] = key
    words[this.#at + 2] = values.length
    words.set(values, this.#at + 3)
    this.#at += 3 + values.length
    Atomics.store(words, this.#record + 3, ++this.#operations)
  }

  end(status: Status, completed: number): void {
    this.#words[this.#record + 2] = completed
    Atomics.store(this.#words, this.#record, statuses.indexOf(status))
  }
}

/** Whether the thread has begun a transaction. */
export function hasBegun({ logs }: SharedHistory, thread: number): boolean {
  return Atomics.load(new Int32Array(logs[thread]!), 0) !== 0
}

/** The transactions of all threads. Nobody may write any more. */
export function readHistory({ logs }: SharedHistory): History {
  return logs.flatMap((log, thread) => [...readLog(new Int32Array(log), thread)])
}

function* readLog(words: Int32Array, process: number): Generator<Transaction> {
  let at = 0
  while (at + headWords <= words.length) {
    const status = statuses[words[at]!]
    if (status === undefined) return
    const [invoked, completed, count] = words.subarray(at + 1)
    at += headWords
    const operations: Operation[] = []
    for (let i = 0; i < count!; i++) {
      const [kind, key, length] = words.subarray(at)
      const values = Array.from(words.subarray(at + 3, at + 3 + length!))
      operations.push(operationOf(names[kind!]!, key!, values))
      at += 3 + length!
    }
    yield { process, status, invoked: invoked!, completed: status === 'unknown' ? Infinity : completed!, operations }
    // Behind an open one there may be half an operation.
    if (status === 'unknown') return
  }
}

function operationOf(name: Operation['name'], number: number, values: readonly number[]): Operation {
  const key = nameOfKey(name, number)
  if (name === 'list') return { name, key, value: values }
  if (name === 'read') return { name, key, value: values[0] }
  return { name, key, value: values[0]! }
}
