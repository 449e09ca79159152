import type { Anomaly } from './anomaly.ts'
import { shownValue } from './shown.ts'
import { isRead, type History, type Operation } from './transaction.ts'

/** What a transaction knows of a key by its own operations. */
interface Known {
  /** The whole list or the register's value, once it has been read or written. */
  exact: readonly number[] | undefined
  /** Appended while the list was not known. */
  tail: number[]
}

/** Reads that disagree with what their own transaction read and wrote before. */
export function internalAnomalies(history: History, committed: Uint8Array): Anomaly[] {
  const anomalies: Anomaly[] = []
  history.forEach(({ operations }, transaction) => {
    if (committed[transaction] !== 1) return
    const known = new Map<string, Known>()
    operations.forEach((operation, at) => {
      let key = known.get(operation.key)
      if (key === undefined) known.set(operation.key, (key = { exact: undefined, tail: [] }))
      const problem = isRead(operation) ? problemOf(operations, at, key) : undefined
      if (problem !== undefined) {
        const what = `T${transaction} read ${operation.key} as ${shownValue(operation.value)}, ${problem}`
        anomalies.push({ name: 'internal', transactions: [transaction], key: operation.key, what })
      }
      learn(key, operation)
    })
  })
  return anomalies
}

function learn(known: Known, operation: Operation): void {
  switch (operation.name) {
    case 'write':
      known.exact = [operation.value]
      break
    case 'append':
      if (known.exact !== undefined) known.exact = [...known.exact, operation.value]
      else known.tail.push(operation.value)
      break
    case 'read':
      known.exact = operation.value === undefined ? [] : [operation.value]
      break
    case 'list':
      known.exact = operation.value
      break
  }
}

function problemOf(operations: readonly Operation[], at: number, { exact, tail }: Known): string | undefined {
  const operation = operations[at]!
  const read =
    operation.name === 'list' ? operation.value : operation.value === undefined ? [] : [operation.value as number]
  if (exact !== undefined) {
    return same(exact, read) ? undefined : `but knew it as ${shownValue(exact)} from before`
  }
  if (!same(tail, read.slice(Math.max(0, read.length - tail.length)))) return `but had appended ${shownValue(tail)}`
  for (let i = at + 1; i < operations.length; i++) {
    const later = operations[i]!
    if (later.key === operation.key && !isRead(later) && read.includes(later.value)) {
      return `and wrote ${later.value} only afterwards`
    }
  }
  return undefined
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i])
}
