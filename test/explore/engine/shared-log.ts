/** The shared log: slots are reserved, completed and given up while others do the same, seal it, take them, or die. */
import { type Run, fail } from '../../../src/explore/index.ts'
import { SharedLog } from '../../../src/lsm/shared-log.ts'
import { passes, type Scenario } from '../support/scenario.ts'
import { abortAllOf } from './aborting.ts'

const LOG_AT = 64
/** What the consumer has found, by position: value + 1. */
const OUT = 4
const MOST_POSITIONS = 10
const TYPE = 20
/** The value of the last record of writer 0; that of writer 1 is one more. */
const LAST = 98

interface Actor {
  readonly log: SharedLog
  readonly words: Int32Array
  readonly me: number
}

type Part = (actor: Actor) => unknown

interface Options {
  readonly granules: number
  /** Granules that were taken and released before. */
  readonly past?: number
  readonly dying?: boolean
  /** Values that must have been committed if nobody died, in any order. */
  readonly commits: readonly number[]
  readonly reaper?: (actor: Actor, dead: number) => void
  readonly sealed?: boolean
}

function actorIn(memory: SharedArrayBuffer, granules: number, me: number): Actor {
  const words = new Int32Array(memory)
  return { log: new SharedLog(words, LOG_AT, granules), words, me }
}

/** Reserves, writes and completes. @returns where, or the refusal */
function commit({ log, words, me }: Actor, value: number, granules = 1): number {
  const position = log.reserve(me, granules)
  if (position < 0) return position
  words[log.payloadAt(position)] = value
  log.complete(position, TYPE, 4)
  return position
}

/** As `commit`, waiting for room as long as it takes. */
function commitWaiting(actor: Actor, value: number): number {
  for (;;) {
    const heard = actor.log.listenProgress()
    const position = commit(actor, value)
    if (position >= 0) {
      actor.log.nudge()
      return position
    }
    actor.log.waitProgress(heard, Infinity)
  }
}

function waitStable({ log }: Actor, end: number): void {
  for (;;) {
    const heard = log.listenProgress()
    if (log.isStable(end)) return
    log.waitProgress(heard, Infinity)
  }
}

/** Takes what is finished. @returns the new end */
function take({ log, words }: Actor): number {
  let position = log.stable()
  for (;;) {
    const granules = log.finishedAt(position)
    if (granules === 0) return position
    if (log.isComplete(position)) Atomics.store(words, OUT + position, words[log.payloadAt(position)]! + 1)
    position = log.endOf(position, granules)
  }
}

function round(actor: Actor): boolean {
  const { log } = actor
  const end = take(actor)
  if (end === log.stable()) return false
  log.setStable(end)
  log.release(end)
  log.announce()
  return true
}

/** How many writers have said their last; a dead one's may have been said twice. */
function lastsSeen({ words }: Actor): number {
  let seen = 0
  for (let i = 0; i < MOST_POSITIONS; i++) {
    const value = Atomics.load(words, OUT + i) - 1
    if (value >= LAST) seen |= 1 << (value - LAST)
  }
  return (seen & 1) + (seen >> 1)
}

/** Consumes until so many writers have said their last. */
function consume(actor: Actor, writers: number): void {
  const { log } = actor
  // The one before may have died before it gave out the room.
  log.release(log.stable())
  log.announce()
  while (lastsSeen(actor) < writers) if (!round(actor)) log.sleep(log.stable(), Infinity, () => false)
}

const committing =
  (...values: number[]): Part =>
  (actor) =>
    values.map((value) => commit(actor, value))

/** What is wrong at the end. */
function faults(actor: Actor, { commits, sealed = false }: Options, { killed, results }: Run): string[] {
  const { log, words } = actor
  const found: string[] = []
  if (killed >= 0) abortAllOf(log, killed)
  const end = take(actor)
  if (end !== log.frontier()) found.push(`a slot at ${end} is not finished, the frontier is ${log.frontier()}`)
  if (log.isSealed() !== sealed && killed < 0) found.push('sealed, or not')
  const out: number[] = []
  for (let i = 0; i < MOST_POSITIONS; i++) if (words[OUT + i]! !== 0) out.push(words[OUT + i]! - 1)
  for (const value of new Set(out)) {
    if (value < LAST && out.filter((other) => other === value).length > 1) found.push(`${value} was taken twice`)
  }
  if (killed < 0) {
    const missing = commits.filter((value) => !out.includes(value))
    if (missing.length > 0) found.push(`not taken: ${missing.join()}; taken: ${out.join()}`)
  }
  // Whoever returned has committed, and in its own order.
  for (const result of results) {
    if (!Array.isArray(result)) continue
    const positions = result.filter((position: number) => position >= 0)
    if (positions.some((position: number) => words[OUT + position] === 0)) found.push('a commit was lost')
    if (positions.some((position: number, i) => i > 0 && position <= positions[i - 1]!)) found.push('out of order')
  }
  log.unseal()
  log.setStable(end)
  log.release(end)
  if (log.reserve(killed < 0 ? 0 : killed + 1, log.maxSlot) < 0) found.push('there is no room in an empty log')
  return found
}

function play(name: string, threads: readonly Part[], options: Options): Scenario[] {
  const { granules, past = 0 } = options
  const scenarioFor = (dying: boolean): Scenario =>
    passes<Actor>(dying ? `${name}, one of them dying` : name, {
      memory: { bytes: 4 * (LOG_AT + SharedLog.wordsFor(granules)) },
      setup(memory) {
        const { log } = actorIn(memory, granules, 0)
        for (let i = 0; i < past; i++) log.complete(log.reserve(7, 1), TYPE, 0)
        for (let at = 0; at < past; at++) log.setStable(at + 1)
        log.release(past)
      },
      attach: (memory, thread) => actorIn(memory, granules, thread),
      threads,
      after(memory, run) {
        const wrong = faults(actorIn(memory, granules, 0), options, run)
        if (wrong.length > 0) fail('assertion', wrong.join('\n'))
      },
      maxSteps: 1500,
      ...(dying ? { kill: 'everywhere' as const } : {}),
      ...(dying && options.reaper !== undefined
        ? {
            reaper: (memory: SharedArrayBuffer, dead: number) =>
              options.reaper!(actorIn(memory, granules, threads.length), dead),
          }
        : {}),
    })
  const both = options.dying === false ? [scenarioFor(false)] : [scenarioFor(false), scenarioFor(true)]
  // What is complete depends on the time there is.
  return both.map((scenario) => ({ ...scenario, expect: { kind: undefined } }))
}

const reserving: Part = ({ log, me }) => {
  const position = log.reserve(me, 2)
  if (position >= 0) log.abort(position)
  return undefined
}

const sealing: Part = ({ log }) => log.seal()

/** Seals, and finds nothing reserved behind the seal. */
const sealingAndLooking: Part = ({ log }) => {
  const end = log.seal()
  if (log.frontier() !== end) fail('assertion', 'the frontier went on behind the seal')
  log.unseal()
  return undefined
}

const writing =
  (...values: number[]): Part =>
  (actor) =>
    values.map((value) => commitWaiting(actor, value))

const writingDurably =
  (value: number): Part =>
  (actor) => {
    const position = commit(actor, value)
    actor.log.nudge()
    waitStable(actor, actor.log.endOf(position, 1))
    return [position, commitWaiting(actor, LAST + actor.me)]
  }

const consuming =
  (writers: number): Part =>
  (actor) => {
    if (actor.log.claim(actor.me)) consume(actor, writers)
    return undefined
  }

/** Puts the dead one's part right: its slots, its last word if it was a writer, its role if it was the consumer. */
function succeed(actor: Actor, dead: number, writers: number): void {
  const { log } = actor
  abortAllOf(log, dead)
  if (dead < writers) commitWaiting(actor, LAST + dead)
  else if (log.unclaim(dead) || dead === writers) {
    log.claim(actor.me)
    consume(actor, writers)
  }
}

export const scenarios: Scenario[] = [
  ...play('log: two commit', [committing(1), committing(2)], { granules: 8, commits: [1, 2] }),
  ...play('log: two commit twice', [committing(1, 2), committing(3, 4)], { granules: 8, commits: [1, 2, 3, 4] }),
  ...play('log: three commit', [committing(1), committing(2), committing(3)], { granules: 8, commits: [1, 2, 3] }),
  ...play('log: a commit against one that is given up', [committing(1, 2), reserving], {
    granules: 8,
    commits: [1, 2],
  }),
  ...play('log: round the end, with padding', [committing(1), reserving], { granules: 4, past: 3, commits: [] }),
  ...play('log: a commit against a seal', [committing(1), sealing], { granules: 8, commits: [], sealed: true }),
  ...play('log: commits against a seal and its end', [committing(1, 2), sealingAndLooking], {
    granules: 8,
    commits: [],
    dying: false,
  }),
  ...play(
    'log: two reap the same one',
    [committing(1), (a) => void abortAllOf(a.log, 7), (a) => void abortAllOf(a.log, 7)],
    {
      granules: 8,
      commits: [1],
    },
  ),
  ...play('log: a commit in a ring that is being emptied', [committing(1, 2), (a) => void (round(a), round(a))], {
    granules: 4,
    past: 3,
    commits: [],
  }),
  ...play(
    'log: a dead one is reaped while slots are taken',
    [(a) => void a.log.reserve(6, 1), (a) => void abortAllOf(a.log, 6), (a) => void round(a)],
    { granules: 4, commits: [], dying: false },
  ).map((scenario) => ({
    ...scenario,
    options: {
      ...scenario.options,
      after: (memory: SharedArrayBuffer) => {
        const { log } = actorIn(memory, 4, 0)
        abortAllOf(log, 6)
        if (log.finishedAt(log.stable()) === 0 && log.frontier() !== log.stable()) fail('assertion', 'a slot is stuck')
      },
    },
  })),
  ...play('log: group commit', [writingDurably(1), consuming(1)], {
    granules: 4,
    commits: [1, LAST],
    reaper: (actor, dead) => succeed(actor, dead, 1),
  }),
  ...play('log: group commit of two', [writingDurably(1), writingDurably(2), consuming(2)], {
    granules: 8,
    commits: [1, 2, LAST, LAST + 1],
    reaper: (actor, dead) => succeed(actor, dead, 2),
  }),
  ...play('log: a ring that is full', [writing(1, 2, 3, LAST), consuming(1)], {
    granules: 4,
    commits: [1, 2, 3, LAST],
    reaper: (actor, dead) => succeed(actor, dead, 1),
  }),
]
