import type { Anomaly } from './anomaly.ts'
import { edgeNames, RT, RW, WR, WW, type Edge } from './graph.ts'
import { shownTransaction, shownValue } from './shown.ts'
import type { History } from './transaction.ts'

const mostTransactions = 12

/** An anomaly with the transactions it is about, and for a cycle why each of them comes before the next. */
export function explain(history: History, { name, what, transactions, cycle }: Anomaly): string {
  const lines = [`${name}: ${what}`]
  for (const id of transactions.slice(0, mostTransactions)) lines.push(`  ${shownTransaction(history[id]!, id)}`)
  if (transactions.length > mostTransactions) lines.push(`  and ${transactions.length - mostTransactions} more`)
  for (const edge of cycle?.slice(0, mostTransactions) ?? []) lines.push(`  ${shownEdge(history, edge)}`)
  return lines.join('\n')
}

/** A cycle in one line. */
export function whatOf(cycle: readonly Edge[]): string {
  if (cycle.length > mostTransactions) return `a cycle of ${cycle.length} transactions`
  return cycle.reduce((line, { kind, to }) => `${line} -${edgeNames[kind]}-> T${to}`, `T${cycle[0]!.from}`)
}

function shownEdge(history: History, { from, to, kind, key, before, after }: Edge): string {
  const reason = (): string => {
    switch (kind) {
      case WW:
        return `wrote ${key} ${shownValue(before)}, and T${to} wrote ${after} after it`
      case WR:
        return `wrote ${key} ${shownValue(after)}, which T${to} read`
      case RW:
        return before === undefined
          ? `found ${key} absent or empty, and T${to} wrote ${after} to it`
          : `read ${key} ${before}, and T${to} wrote ${after} after it`
      case RT:
        return `completed at ${history[from]!.completed}, and T${to} was invoked at ${history[to]!.invoked}`
    }
  }
  return `T${from} < T${to} (${edgeNames[kind]}): T${from} ${reason()}`
}
