/** A history by keys: who wrote which version, who read what, and who has committed. */
import type { Anomaly } from './anomaly.ts'
import { isList, isRead, type History, type Operation, type ReadList, type Read } from './transaction.ts'

export interface Writer {
  readonly transaction: number
  /** The place of the write in its transaction. */
  readonly at: number
  /** The last write of its transaction under this key. */
  last: boolean
}

export interface Reading<R extends ReadList | Read = ReadList | Read> {
  readonly transaction: number
  readonly at: number
  readonly read: R
  /** The transaction wrote under this key before. */
  readonly own: boolean
}

export interface KeyHistory {
  readonly key: string
  readonly list: boolean
  readonly writers: Map<number, Writer>
  /** Of committed transactions only. */
  readonly readings: Reading[]
}

export interface ByKeys {
  readonly keys: ReadonlyMap<string, KeyHistory>
  /** 1 for every transaction that has certainly committed. */
  readonly committed: Uint8Array
}

/**
 * @throws Error if the history is no input for the checker: a value written twice under one key, or a key that is a
 * list here and a register there
 */
export function byKeys(history: History): ByKeys {
  const keys = new Map<string, KeyHistory>()
  history.forEach(({ operations }, transaction) => addWrites(keys, operations, transaction))
  const committed = committedOf(history, keys)
  history.forEach(({ operations }, transaction) => {
    if (committed[transaction] === 1) addReads(keys, operations, transaction)
  })
  return { keys, committed }
}

function keyOf(keys: Map<string, KeyHistory>, operation: Operation): KeyHistory {
  const { key } = operation
  const list = isList(operation)
  let found = keys.get(key)
  if (found === undefined) {
    found = { key, list, writers: new Map(), readings: [] }
    keys.set(key, found)
  }
  if (found.list !== list) throw new Error(`${key} is used as a list and as a register`)
  return found
}

function addWrites(keys: Map<string, KeyHistory>, operations: readonly Operation[], transaction: number): void {
  operations.forEach((operation, at) => {
    const { writers, key } = keyOf(keys, operation)
    if (isRead(operation)) return
    const before = writers.get(operation.value)
    if (before !== undefined) {
      throw new Error(`${operation.value} is written twice under ${key}: by T${before.transaction} and T${transaction}`)
    }
    for (let i = at - 1; i >= 0; i--) {
      const earlier = operations[i]!
      if (earlier.key !== key || isRead(earlier)) continue
      writers.get(earlier.value)!.last = false
      break
    }
    writers.set(operation.value, { transaction, at, last: true })
  })
}

/** Those that say so, and those of unknown end whose writes are read by one that says so. */
function committedOf(history: History, keys: ReadonlyMap<string, KeyHistory>): Uint8Array {
  const committed = new Uint8Array(history.length)
  const observe = (key: string, value: number): void => {
    const writer = keys.get(key)!.writers.get(value)
    if (writer !== undefined && history[writer.transaction]!.status === 'unknown') committed[writer.transaction] = 1
  }
  history.forEach(({ status, operations }, transaction) => {
    if (status !== 'ok') return
    committed[transaction] = 1
    for (const operation of operations) {
      if (operation.name === 'read' && operation.value !== undefined) observe(operation.key, operation.value)
      if (operation.name === 'list') for (const value of operation.value) observe(operation.key, value)
    }
  })
  return committed
}

function addReads(keys: Map<string, KeyHistory>, operations: readonly Operation[], transaction: number): void {
  operations.forEach((read, at) => {
    if (!isRead(read)) return
    const { readings } = keys.get(read.key)!
    const own = operations.some((other, i) => i < at && other.key === read.key && !isRead(other))
    readings.push({ transaction, at, read, own })
  })
}

/** Several committed transactions that read one version of a key and replaced it: all but one of their writes are lost. */
export function lostUpdates(history: KeyHistory, version: (reading: Reading) => number | undefined): Anomaly[] {
  const writes = new Set(Array.from(history.writers.values(), ({ transaction }) => transaction))
  const updaters = new Map<number | undefined, Set<number>>()
  for (const reading of history.readings) {
    if (reading.own || !writes.has(reading.transaction)) continue
    const read = version(reading)
    const found = updaters.get(read)
    if (found === undefined) updaters.set(read, new Set([reading.transaction]))
    else found.add(reading.transaction)
  }
  const lost: Anomaly[] = []
  for (const [read, found] of updaters) {
    if (found.size < 2) continue
    const transactions = [...found]
    const names = transactions.map((id) => `T${id}`).join(', ')
    const seen = read === undefined ? `found ${history.key} absent` : `read ${read} from ${history.key}`
    const what = `${names} ${seen} and each of them wrote a version to follow it`
    lost.push({ name: 'lost update', transactions, key: history.key, what })
  }
  return lost
}
