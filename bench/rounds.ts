/**
 * Rounds: within each, the engines take turns, so that a drift of the machine hits all of them alike. The first round
 * is not counted. Latencies are taken afterwards, so that the clock around each operation slows no round.
 */
import { Histogram } from './histogram.ts'
import { type Competitor, PLAIN_TASK, messageOf } from './field.ts'
import type { Measured } from './engine-host.ts'
import type { Task } from './lane.ts'
import { isOversubscribed } from './options.ts'
import type { Progress } from './progress.ts'
import type { Row } from './report.ts'
import { median, pairedRatio, spread } from './statistics.ts'
import type { Workload } from './workloads/catalog.ts'

/** Rounds of a load that count, at most: each fills the engine anew. */
export const LOAD_ROUNDS = 3
/** A load that takes longer is measured by what it did until then. */
const LOAD_LIMIT_MS = 4000
const TRIAL_STEPS = 1000
const TRIAL_MS = 30
/** Keys beyond what the last round used up. */
const RESERVE = 1.4
const MOST_STEPS = 500_000
/** How often a lane looks at the clock. */
const SLICE_SECONDS = 0.0005
const MOST_SLICE_STEPS = 1000

/** The first round is long enough for the compiler to have done its work. */
const WARM_MS = 100
const WARM_CHUNKS = 8
/** What a turn takes beyond the round itself: keys are drawn, threads told. For the estimate of the time left. */
const TURN_OVERHEAD = 1.8
const LOAD_SECONDS_PER_MILLION = 3
/** Turns beside the rounds that count: a trial, the first round, the one for latencies. */
const MORE_TURNS = 3
/** Inserts are drawn, so there may be more of them than their share says. */
const DRAWN_MORE = 1.5
const LEAST_ROUND_MS = 5
const MOST_ROUND_MS = 2000

/** How a workload is measured. */
export interface Pace {
  readonly rounds: number
  readonly roundMs: number
}

interface Tally {
  readonly competitor: Competitor
  readonly missing: string | null
  failed: string | null
  readonly rates: number[]
  cpuMicros: number
  units: number
  latency: Histogram | null
}

function unitsOf(workload: Workload, measured: Measured): number {
  return workload.unit === 'entries' ? measured.entries : measured.steps
}

/** Steps of a lane in a turn: what is inserted in all turns has to fit. */
function mostSteps(competitor: Competitor, workload: Workload, workers: number, rounds: number): number {
  const { insert } = workload.mix
  if (insert === undefined) return MOST_STEPS
  const steps = competitor.room / (insert * workers * (rounds + MORE_TURNS) * DRAWN_MORE)
  return Math.min(MOST_STEPS, Math.max(1, Math.floor(steps)))
}

/** The task of a run: as many keys as the time should need. */
function taskOf(
  competitor: Competitor,
  workload: Workload,
  workers: number,
  round: number,
  { rounds }: Pace,
  limitMs: number,
): Task {
  const rate = competitor.rates.get(`${workload.name} ${workers}`)
  const common = { ...PLAIN_TASK, workload: workload.name, lanes: workers, seed: (round + 3) * 7919, limitMs }
  const most = mostSteps(competitor, workload, workers, rounds)
  if (rate === undefined) {
    return { ...common, count: Math.min(most, TRIAL_STEPS), limitMs: TRIAL_MS, sliceSteps: 10 }
  }
  const sliceSteps = Math.max(1, Math.min(MOST_SLICE_STEPS, Math.floor(rate * SLICE_SECONDS)))
  const count = Math.min(most, Math.ceil((rate * RESERVE * limitMs) / 1000) + sliceSteps)
  return { ...common, count, sliceSteps }
}

async function runOnce(tally: Tally, workload: Workload, workers: number, task: Task): Promise<Measured> {
  const { competitor } = tally
  if (workload.kind === 'load') return competitor.load(task)
  await competitor.ensureLoaded()
  if (workload.mix.insert !== undefined) competitor.hasMore = true
  const measured = await competitor.process.run(task)
  competitor.rates.set(`${workload.name} ${workers}`, (measured.steps / workers / measured.elapsedNs) * 1e9)
  return measured
}

/** One turn of one engine. Round -1 warms up. */
async function turn(tally: Tally, workload: Workload, workers: number, round: number, pace: Pace): Promise<void> {
  const { competitor } = tally
  try {
    if (workload.kind === 'load') {
      const common = { ...PLAIN_TASK, workload: workload.name, lanes: workers, limitMs: LOAD_LIMIT_MS }
      const task = round < 0 ? { ...common, chunks: WARM_CHUNKS } : common
      add(tally, workload, await runOnce(tally, workload, workers, task), round)
      return
    }
    if (round < 0)
      await runOnce(tally, workload, workers, taskOf(competitor, workload, workers, -2, pace, pace.roundMs))
    const limitMs = round < 0 ? Math.max(WARM_MS, pace.roundMs) : pace.roundMs
    const task = taskOf(competitor, workload, workers, round, pace, limitMs)
    add(tally, workload, await runOnce(tally, workload, workers, task), round)
  } catch (error) {
    tally.failed = messageOf(error)
  }
}

function add(tally: Tally, workload: Workload, measured: Measured, round: number): void {
  const units = unitsOf(workload, measured)
  if (round < 0) return
  tally.rates.push((units / measured.elapsedNs) * 1e9)
  tally.cpuMicros += measured.cpuMicros
  tally.units += units
}

async function takeLatency(tally: Tally, workload: Workload, workers: number, pace: Pace): Promise<void> {
  try {
    const task = taskOf(tally.competitor, workload, workers, pace.rounds, pace, pace.roundMs)
    const measured = await runOnce(tally, workload, workers, { ...task, latency: true })
    if (measured.counts === null) return
    tally.latency = new Histogram(measured.counts)
    tally.latency.max = measured.maxNs
  } catch (error) {
    tally.failed = messageOf(error)
  }
}

function rowOf(tally: Tally, workload: Workload, workers: number, ours: readonly number[] | undefined): Row {
  const { competitor, rates } = tally
  const missing = tally.missing ?? tally.failed
  const measured = rates.length > 0 && tally.failed === null
  const isOurs = competitor.entry.name === 'heddle'
  return {
    engine: competitor.entry.name,
    workload: workload.name,
    workers,
    rounds: measured ? rates : [],
    median: measured ? median(rates) : null,
    spread: measured ? spread(rates) : null,
    ratio: measured && !isOurs && ours !== undefined ? pairedRatio(ours, rates) : null,
    latencyNs: measured ? (tally.latency?.latency() ?? null) : null,
    cpuSecondsPerMillion: measured && tally.units > 0 ? tally.cpuMicros / tally.units : null,
    oversubscribed: isOversubscribed(workers),
    ...(missing === null ? {} : { missing }),
  }
}

/** Measures one workload with one number of workers, for all engines. */
export async function measureWorkload(
  competitors: readonly Competitor[],
  workload: Workload,
  workers: number,
  pace: Pace,
  progress: Progress,
): Promise<Row[]> {
  for (const competitor of competitors) await competitor.revive()
  const tallies = competitors.map((competitor): Tally => {
    const missing = competitor.whyNot(workload.name, workers)
    return { competitor, missing, failed: null, rates: [], cpuMicros: 0, units: 0, latency: null }
  })
  const able = tallies.filter((tally) => tally.missing === null)
  // What others have inserted would be in the way: the room is for this one.
  if (workload.mix.insert !== undefined) for (const { competitor } of able) competitor.clear()
  const rounds = workload.kind === 'load' ? Math.min(LOAD_ROUNDS, pace.rounds) : pace.rounds
  const title = `${workload.name}, ${workers} ${workers === 1 ? 'worker' : 'workers'}`
  for (let round = -1; round < rounds; round++) {
    for (let i = 0; i < able.length; i++) {
      // Another one begins each time: none always follows the same neighbour.
      const tally = able[(i + round + 1) % able.length]
      if (tally.failed !== null) continue
      progress.say(`${title}, round ${round + 1} of ${rounds}: ${tally.competitor.entry.name}`)
      await turn(tally, workload, workers, round, pace)
      if (workload.kind !== 'load' || round >= 0) progress.advance(turnMs(workload, tally.competitor.records, pace))
    }
  }
  for (const tally of able) {
    if (workload.kind === 'load' || tally.failed !== null) continue
    progress.say(`${title}, latency: ${tally.competitor.entry.name}`)
    await takeLatency(tally, workload, workers, pace)
    progress.advance(turnMs(workload, tally.competitor.records, pace))
  }
  for (const tally of able) {
    if (tally.failed !== null) progress.note(`${title}: ${tally.competitor.entry.name} gave up: ${tally.failed}`)
  }
  const ours = tallies.find((tally) => tally.competitor.entry.name === 'heddle' && tally.failed === null)?.rates
  return tallies.map((tally) => rowOf(tally, workload, workers, ours))
}

/** How long a round may be, so that so many turns together take what was asked for. */
export function roundMsFor(seconds: number, turns: number): number {
  const ms = (seconds * 1000) / Math.max(1, turns) / TURN_OVERHEAD
  return Math.round(Math.min(MOST_ROUND_MS, Math.max(LEAST_ROUND_MS, ms)))
}

/** About how long a turn takes. */
export function turnMs(workload: Workload, records: number, pace: Pace): number {
  return workload.kind === 'load' ? (records / 1000) * LOAD_SECONDS_PER_MILLION : pace.roundMs * TURN_OVERHEAD
}

/** Turns that `measureWorkload` will take, for the progress and the budget. */
export function countTurns(
  competitors: readonly Competitor[],
  workload: Workload,
  workers: number,
  rounds: number,
): number {
  const able = competitors.filter((competitor) => competitor.whyNot(workload.name, workers) === null).length
  return workload.kind === 'load' ? able * Math.min(LOAD_ROUNDS, rounds) : able * (rounds + 2)
}
