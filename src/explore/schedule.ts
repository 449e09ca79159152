/**
 * Schedules as text: `v1:0*3,1,0` is three steps of thread 0, one of thread 1, one of thread 0. `;kill=1@7` stops thread
 * 1 for good after its 7th step. `;ops=lscl` are the kinds of the steps, one letter each: by them a replay notices that
 * the source has changed so that the schedule no longer fits.
 */
import { HeddleError } from '../memory/error.ts'
import { letterOf, nameOf, opOfLetter } from './events.ts'
import { fail } from './failure.ts'
import { pendingSite } from './pending.ts'
import { placeOf } from './sites.ts'
import { type Strategy, has, lowest } from './strategy.ts'
import { trace } from './trace.ts'

export interface Schedule {
  readonly threads: readonly number[]
  readonly victim: number
  readonly victimSteps: number
  /** Kinds of the steps; empty if they are not known. */
  readonly ops: readonly number[]
}

const VERSION = 'v1:'

export function formatSchedule({ threads, victim, victimSteps, ops }: Schedule): string {
  const runs: string[] = []
  for (let i = 0; i < threads.length;) {
    let end = i
    while (end < threads.length && threads[end] === threads[i]) end++
    runs.push(end - i === 1 ? `${threads[i]}` : `${threads[i]}*${end - i}`)
    i = end
  }
  const kill = victim < 0 ? '' : `;kill=${victim}@${victimSteps}`
  return `${VERSION}${runs.join(',')}${kill}${ops.length === 0 ? '' : `;ops=${ops.map(letterOf).join('')}`}`
}

/** @throws HeddleError HEDDLE_INVALID_OPTION */
export function parseSchedule(text: string): Schedule {
  const match = /^v1:((?:[0-7](?:\*\d+)?(?:,[0-7](?:\*\d+)?)*)?)(?:;kill=([0-7])@(\d+))?(?:;ops=([A-Za-z]+))?$/.exec(
    text.trim(),
  )
  if (match === null) {
    throw new HeddleError('HEDDLE_INVALID_OPTION', `replay: "${text}" is no schedule; give one that explore() printed`)
  }
  const threads: number[] = []
  for (const run of match[1] === '' ? [] : match[1]!.split(',')) {
    const [thread, count] = run.split('*').map(Number) as [number, number | undefined]
    for (let i = 0; i < (count ?? 1); i++) threads.push(thread)
  }
  return {
    threads,
    victim: match[2] === undefined ? -1 : Number(match[2]),
    victimSteps: Number(match[3] ?? 0),
    ops: Array.from(match[4] ?? '', opOfLetter),
  }
}

/** What has just been run, as a schedule. */
export function presentSchedule(victim: number, victimSteps: number): Schedule {
  return { threads: trace.schedule(), victim, victimSteps, ops: Array.from(trace.op.subarray(0, trace.depth)) }
}

/** Switches between threads in a schedule. */
export function switchesOf(threads: readonly number[]): number {
  let switches = 0
  for (let i = 1; i < threads.length; i++) if (threads[i] !== threads[i - 1]) switches++
  return switches
}

/** Follows a schedule. A lenient replay goes its own way where the schedule does not fit; a strict one says where. */
export class Replay implements Strategy {
  /** Rows of the trace that must come out as they stand there. */
  readonly known: number
  private readonly schedule: Schedule
  private readonly strict: boolean

  constructor(schedule: Schedule, strict: boolean, known = 0) {
    this.known = known
    this.schedule = schedule
    this.strict = strict
  }

  begin(): void {
    // There is nothing to prepare.
  }

  choose(current: number, enabled: number): number {
    const depth = trace.depth
    const wanted = this.schedule.threads[depth]
    if (wanted !== undefined) {
      if (has(enabled, wanted)) return wanted
      if (this.strict) {
        fail('divergence', `the schedule no longer fits: at step ${depth} thread ${wanted} was to go on, but it cannot`)
      }
    }
    return has(enabled, current) ? current : lowest(enabled)
  }

  executed(row: number): void {
    const expected = this.schedule.ops[row]
    if (!this.strict || expected === undefined || expected === trace.op[row]) return
    const thread = trace.thread[row]!
    fail(
      'divergence',
      `the schedule no longer fits: step ${row} of thread ${thread} was ${nameOf(expected)}, now it is ${nameOf(trace.op[row]!)} at ${placeOf(pendingSite[thread]!)}`,
    )
  }

  order(): void {
    // Nothing depends on it.
  }

  advance(): boolean {
    return false
  }

  progress(): number {
    return NaN
  }
}
