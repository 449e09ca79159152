/** The history of operations: the explorer's, or a private one for a play that is run without it. */
import { op } from '../../../src/explore/index.ts'
import type { HistoryOperation } from '../../../src/explore/linearizability.ts'

export interface Journal {
  /** Whether it is kept here, and by which thread. */
  kept: boolean
  thread: number
  history: HistoryOperation[]
  moment: number
}

export const journal: Journal = { kept: false, thread: 0, history: [], moment: 0 }

/** As `op`. */
export function noted<T>(name: string, args: readonly unknown[], body: () => T): T {
  if (!journal.kept) return op(name, args, body)
  const { thread } = journal
  const operation = { thread, name, args, result: undefined as unknown, called: ++journal.moment, returned: Infinity }
  journal.history.push(operation)
  const result = body()
  operation.result = result
  operation.returned = ++journal.moment
  return result
}
