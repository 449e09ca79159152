/** The operations of an execution, and the announcements that a thread makes to the explorer. */
import { ALLOCATE, CALL, FREE, RETURN } from './events.ts'
import { $c, $got, $run } from './language.ts'
import type { HistoryOperation } from './linearizability.ts'
import { machine } from './machine.ts'
import { pendingSite, type View } from './pending.ts'
import { $exec, $pre } from './steps.ts'
import { inThread } from './state.ts'
import { trace } from './trace.ts'

type Coroutine = Generator<undefined, unknown, undefined>

interface Recorded extends HistoryOperation {
  result: unknown
  returned: number
  threw?: unknown
}

export interface History {
  operations: Recorded[]
  /** Whether calls and returns are steps whose order counts. */
  ordered: boolean
  /** By `historyKey`, once all is over and if there is a model: to make it takes long. Else ''. */
  key: string
}

export const history: History = { operations: [], ordered: false, key: '' }

/**
 * Runs `body` as an operation of the history: its name and arguments, what it gave, and when it was called and returned.
 * Outside an exploration it only runs `body`.
 * @param name as the sequential model knows it
 * @returns what `body` returns
 */
export function op<T>(name: string, args: readonly unknown[], body: () => T): T {
  if (!inThread) return body()
  return $c(perform(name, args, body) as Coroutine) as T
}

function* perform(name: string, args: readonly unknown[], body: () => unknown): Coroutine {
  const thread = machine.current
  const { operations, ordered } = history
  if (ordered) {
    if ($pre(-1, CALL)) yield
    $exec()
  }
  const operation: Recorded = { thread, name, args, result: undefined, called: trace.depth, returned: Infinity }
  operations.push(operation)
  machine.recorder?.called(operation)
  try {
    if ($run(body())) yield
    operation.result = $got()
  } catch (error) {
    if (machine.failed) throw error
    operation.threw = error
  }
  if (ordered) {
    if ($pre(-1, RETURN)) yield
    $exec()
  }
  operation.returned = trace.depth
  machine.recorder?.returned(operation)
  if ('threw' in operation) throw operation.threw
  return operation.result
}

function* announce(kind: number, view: View, index: number, length: number): Coroutine {
  if ($pre(pendingSite[machine.current]!, kind, view, index, length)) yield
  $exec()
  return undefined
}

/**
 * Tells the explorer that a block of shared memory is now in use: `length` elements of `view` from `index` on. Whatever
 * is allocated and not freed at the end is a leak (with the option `leaks`). Without an exploration it does nothing.
 */
export function allocated(view: Int32Array, index: number, length: number): void {
  if (inThread) return $c(announce(ALLOCATE, view, index, length)) as undefined
}

/** Tells the explorer that nobody may use the block any more: an access to it is a use after free. */
export function freed(view: Int32Array, index: number, length: number): void {
  if (inThread) return $c(announce(FREE, view, index, length)) as undefined
}
