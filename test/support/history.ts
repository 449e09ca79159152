import type { Store } from '../../src/index.ts'
import { checkHistory, type Operation, type OperationName } from './linearizability.ts'

/**
 * Histories of operations, written by many threads into shared memory, so that what a thread did can still be read
 * after it was killed. A clock that all of them add to, before and after each operation, puts the calls and the
 * returns of all threads in one order.
 */
const names: readonly OperationName[] = ['get', 'has', 'set', 'delete', 'setIfAbsent', 'compareAndSet', 'update']
const words = 8

export interface History {
  readonly clock: SharedArrayBuffer
  /** One log for each thread that ever runs. */
  readonly logs: readonly SharedArrayBuffer[]
}

export function newHistory(threads: number, operations: number): History {
  const log = (): SharedArrayBuffer => new SharedArrayBuffer(operations * words * 4)
  return { clock: new SharedArrayBuffer(4), logs: Array.from({ length: threads }, log) }
}

/** A number as a value that says whether it was read whole: short ones, long ones, and some too long to lie in a page. */
export function sized(value: number): string {
  const length = value % 11 === 0 ? 900 + (value % 300) : value % 40
  return `${value}:${String.fromCharCode(97 + (value % 26)).repeat(length)}`
}

export function unsized(text: string | undefined): number {
  if (text === undefined) return 0
  const value = Number.parseInt(text, 10)
  if (sized(value) !== text) throw new Error(`a torn value: ${text.slice(0, 60)}`)
  return value
}

/** Runs operations on a store and writes each into a log. */
export class Recorder {
  readonly #store: Store<string, string>
  readonly #clock: Int32Array
  readonly #log: Int32Array
  #count = 0

  constructor(store: Store<string, string>, history: History, thread: number) {
    this.#store = store
    this.#clock = new Int32Array(history.clock)
    this.#log = new Int32Array(history.logs[thread]!)
  }

  get full(): boolean {
    return (this.#count + 1) * words > this.#log.length
  }

  /** How many more operations it has room for. */
  get room(): number {
    return this.#log.length / words - this.#count
  }

  /** Sets, or for 0 deletes, several keys by one batch, which is logged as a set of each. */
  batch(changes: readonly (readonly [key: number, value: number])[]): void {
    this.#together('set', changes, () => {
      const operations = changes.map(([key, value]) =>
        value === 0
          ? ({ type: 'delete', key: `hot ${key}` } as const)
          : ({ type: 'set', key: `hot ${key}`, value: sized(value) } as const),
      )
      this.#store.batch(operations)
      return changes.map(() => 0)
    })
  }

  /** Reads several keys at one moment, by a scan, which is logged as a get of each. */
  scan(keys: readonly number[]): number[] {
    return this.#together(
      'get',
      keys.map((key) => [key, 0]),
      () => {
        const snapshot = this.#store.snapshot()
        const found = new Map(snapshot.entries({ gte: 'hot ', lt: 'hot :' }))
        snapshot.close()
        return keys.map((key) => unsized(found.get(`hot ${key}`)))
      },
    )
  }

  #together(name: OperationName, all: readonly (readonly [number, number])[], perform: () => number[]): number[] {
    const at = this.#count * words
    this.#count += all.length
    all.forEach(([key, value], i) => {
      this.#log.set([names.indexOf(name), key, value, 0, 0, 0, 0], at + i * words)
      Atomics.store(this.#log, at + i * words + 4, 1 + Atomics.add(this.#clock, 0, 1))
    })
    const results = perform()
    results.forEach((result, i) => {
      this.#log[at + i * words + 6] = result
      Atomics.store(this.#log, at + i * words + 5, 1 + Atomics.add(this.#clock, 0, 1))
    })
    return results
  }

  /** Runs one operation on the key named by a number, and logs its call, its result and its return. Gives its result. */
  run(name: OperationName, key: number, value: number, expected: number): number {
    const at = this.#count++ * words
    this.#log.set([names.indexOf(name), key, value, expected, 0, 0, 0], at)
    Atomics.store(this.#log, at + 4, 1 + Atomics.add(this.#clock, 0, 1))
    const result = this.#perform(name, `hot ${key}`, value, expected)
    const returned = 1 + Atomics.add(this.#clock, 0, 1)
    this.#log[at + 6] = result
    Atomics.store(this.#log, at + 5, returned)
    return result
  }

  #perform(name: OperationName, key: string, value: number, expected: number): number {
    const store = this.#store
    const encode = (number: number): string | undefined => (number === 0 ? undefined : sized(number))
    switch (name) {
      case 'get':
        return unsized(store.get(key))
      case 'has':
        return Number(store.has(key))
      case 'set':
        store.set(key, sized(value))
        return 0
      case 'delete':
        return Number(store.delete(key))
      case 'setIfAbsent':
        return unsized(store.setIfAbsent(key, sized(value)))
      case 'compareAndSet':
        return Number(store.compareAndSet(key, encode(expected), encode(value)))
      case 'update': {
        let shown = 0
        const result = store.update(key, (old) => {
          shown = unsized(old)
          return encode(value)
        })
        if (unsized(result) !== value) throw new Error(`update gave ${result} for ${value}`)
        return shown
      }
    }
  }
}

/** What was logged on each key: operations that were called and did not return are those of threads that were killed. */
export function byKey(history: History): Map<number, Operation[]> {
  const keys = new Map<number, Operation[]>()
  history.logs.forEach((buffer, thread) => {
    const log = new Int32Array(buffer)
    for (let at = 0; at + words <= log.length && log[at + 4] !== 0; at += words) {
      const [name, key, value, expected, called, returned, result] = log.subarray(at, at + words)
      const operation = {
        thread,
        name: names[name!]!,
        value: value!,
        expected: expected!,
        result: result!,
        called: called!,
      }
      const list = keys.get(key!) ?? []
      list.push({ ...operation, returned: returned === 0 ? Infinity : returned! })
      keys.set(key!, list)
    }
  })
  return keys
}

/** Throws unless what was logged on each key is linearizable, starting from absent; gives the number of operations. */
export function assertLinearizable(history: History): number {
  let count = 0
  for (const [key, operations] of byKey(history)) {
    const { ok, explanation } = checkHistory(operations)
    if (!ok) throw new Error(`key ${key}: ${explanation}`)
    count += operations.length
  }
  return count
}
