/** From a play to a scenario: who takes part, what each does, and what must hold when all are done. */
import { type FailureKind, type Run, fail } from '../../../src/explore/index.ts'
import { history as explorerHistory } from '../../../src/explore/history.ts'
import { type SequentialModel, historyKey } from '../../../src/explore/linearizability.ts'
import { memory } from '../../../src/explore/shared-memory.ts'
import type { Arena } from '../../../src/memory/arena.ts'
import type { CounterName, Participant } from '../../../src/reclaim/participant.ts'
import type { Scenario } from '../support/scenario.ts'
import { ARENA_BYTES } from './arenas.ts'
import { remember } from './memento.ts'

/** The longest play takes 350 steps when its threads run one after the other. */
const MOST_STEPS = 1200

/** What every participant has. */
export interface Actor {
  readonly arena: Arena
  readonly me: Participant
}

export interface Play<A extends Actor> {
  readonly name: string
  /** Makes the participants in zeroed memory: number t has the thread id t + 1. More than there are threads look on. */
  cast(memory: SharedArrayBuffer): A[]
  readonly threads: readonly ((actor: A) => unknown)[]
  /**
   * Looks at what came out when all threads have ended; not called again for an outcome that was found to be right.
   * @param survivors those whose threads were not killed; any of them may be used
   * @returns what is wrong
   */
  check(survivors: readonly A[], outcome: Run): string[]
  /** What the operations of the history must follow. */
  readonly model?: SequentialModel<readonly unknown[]>
  /** What the explorer has to find: nothing if left out. */
  readonly finds?: FailureKind
  /** What `check` finds is of this kind, an assertion if left out. */
  readonly faultKind?: FailureKind
  /** Counters that the threads raise by so much at least when they run one after the other, in one order or another. */
  readonly does?: Partial<Record<CounterName, number>>
  /** Whether the explorer gets through all executions in reasonable time. */
  readonly complete?: boolean
  /** What somebody who looks on does when a thread has died, beside the survivors. */
  readonly reap?: (onlooker: A, threadId: number) => void
  /** Options of `explore` that this play needs. */
  readonly options?: Partial<Scenario['options']>
}

/** A scenario that can also be run without the explorer, one thread after the other. */
export interface Rehearsable extends Scenario {
  readonly does: Partial<Record<CounterName, number>>
}

/** Tells one outcome of the explorer's from another; outside the explorer each is a new one. */
function outcomeKey({ results, killed, history }: Run): string | undefined {
  const changes = memory.current?.changes()
  if (changes === undefined) return undefined
  return `${killed} ${changes} ${JSON.stringify(results)} ${explorerHistory.key || historyKey(history)}`
}

/** @param kill whether each thread is to be stopped for good after each of its steps */
export function scenarioOf<A extends Actor>(play: Play<A>, kill: boolean): Rehearsable {
  let cast: A[] = []
  let putBack: () => void = () => undefined
  const right = new Set<string>()
  return {
    name: kill ? `${play.name}, one of them dying` : play.name,
    options: {
      memory: { bytes: ARENA_BYTES },
      setup(buffer) {
        cast = play.cast(buffer)
        putBack = remember(cast)
        right.clear()
      },
      attach(_, thread) {
        if (thread === 0) putBack()
        return cast[thread]!
      },
      maxSteps: MOST_STEPS,
      threads: play.threads as ((actor: unknown) => unknown)[],
      after(_, outcome) {
        const key = outcomeKey(outcome)
        if (key !== undefined && right.has(key)) return
        const survivors = cast.filter((_, thread) => thread !== outcome.killed)
        const wrong = play.check(survivors, outcome)
        if (wrong.length > 0) fail(play.faultKind ?? 'assertion', wrong.join('\n'))
        if (key !== undefined) right.add(key)
      },
      ...(play.model === undefined ? {} : { linearizable: play.model }),
      ...(kill ? { kill: 'everywhere' as const } : {}),
      ...(kill && play.reap !== undefined
        ? { reaper: (_: SharedArrayBuffer, dead: number) => play.reap!(cast.at(-1)!, dead + 1) }
        : {}),
      ...play.options,
    },
    does: play.does ?? {},
    expect: { kind: play.finds, ...(play.complete === undefined ? {} : { complete: play.complete }) },
  }
}

/** Each play as it is, and with one of its threads dying. */
export function bothOf<A extends Actor>(plays: readonly Play<A>[]): Rehearsable[] {
  return plays.flatMap((play) => [scenarioOf(play, false), scenarioOf(play, true)])
}
