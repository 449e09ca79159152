import { RT, type Edge } from './graph.ts'
import type { History } from './transaction.ts'

interface Interval {
  readonly id: number
  readonly invoked: number
  readonly completed: number
}

/**
 * Pairs of which the first completed before the second was invoked, without those that follow from others: as many as
 * there are intervals times those at work at once, not their square.
 */
export function* precedences(intervals: readonly Interval[]): Generator<readonly [number, number]> {
  const byStart = intervals.toSorted((a, b) => a.invoked - b.invoked)
  const byEnd = intervals.filter(({ completed }) => completed !== Infinity).sort((a, b) => a.completed - b.completed)
  /** What has completed and is not followed by something that has completed too. */
  let frontier: Interval[] = []
  let ended = 0
  for (const interval of byStart) {
    while (ended < byEnd.length && byEnd[ended]!.completed < interval.invoked) {
      const last = byEnd[ended++]!
      frontier = frontier.filter(({ completed }) => completed >= last.invoked)
      frontier.push(last)
    }
    for (const { id } of frontier) yield [id, interval.id]
  }
}

export function realtimeEdges(history: History, committed: Uint8Array): Edge[] {
  const intervals: Interval[] = []
  history.forEach(({ invoked, completed }, id) => {
    if (committed[id] === 1) intervals.push({ id, invoked, completed })
  })
  return Array.from(precedences(intervals), ([from, to]): Edge => ({ from, to, kind: RT }))
}
