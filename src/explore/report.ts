/** From a failing execution to what its user reads. */
import type { Execution } from './execution.ts'
import type { FailureKind } from './failure.ts'
import { machine } from './machine.ts'
import { minimize } from './minimize.ts'
import type { ExploreError, ExploreOptions } from './options.ts'
import { Recording } from './recording.ts'
import { Replay, type Schedule, formatSchedule, presentSchedule } from './schedule.ts'

const MINIMIZE_ATTEMPTS = 2000

interface Failed {
  readonly kind: FailureKind
  readonly message: string
  readonly cause: unknown
}

export function report(execution: Execution, failure: Failed, found: Schedule, options: ExploreOptions): ExploreError {
  const schedule = formatSchedule(found)
  const isPlain = failure.kind !== 'nondeterminism' && failure.kind !== 'divergence'
  const smallest = isPlain && options.minimize !== false ? shrink(execution, failure.kind, found) : found
  const recording = new Recording()
  execution.run(new Replay(smallest, false), { thread: smallest.victim, steps: smallest.victimSteps }, recording)
  if (machine.dead >= 0) recording.died(machine.dead)
  const shown = execution.failure ?? failure
  return {
    kind: failure.kind,
    message: isPlain && shown.kind === failure.kind ? withOtherSide(shown.message, recording) : failure.message,
    schedule,
    minimized: formatSchedule(smallest),
    columns: recording.columns(),
    cause: failure.cause,
  }
}

function shrink(execution: Execution, kind: FailureKind, found: Schedule): Schedule {
  const victim = { thread: found.victim, steps: found.victimSteps }
  const attempt = (schedule: Schedule): Schedule | undefined => {
    execution.run(new Replay(schedule, false), victim)
    return execution.failure?.kind === kind ? presentSchedule(found.victim, found.victimSteps) : undefined
  }
  return minimize(found, attempt, MINIMIZE_ATTEMPTS)
}

/** Names the place of the other access of a race, which only a recorded execution knows. */
function withOtherSide(message: string, recording: Recording): string {
  const match = /unordered with (.*) of thread (\d), byte (\d+)/.exec(message)
  if (match === null) return message
  const place = recording.placeOf(Number(match[2]), Number(match[3]), match[1]!.includes('write'))
  return place === '' ? message : `${message}; the other access is at ${place}`
}
