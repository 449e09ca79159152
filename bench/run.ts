/**
 * The benchmark suite: heddle, as built, against other engines, in one run.
 *
 *   npm run bench -- --help
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Competitor, type Variation, baseDirectory, killAll, messageOf, variationOf } from './field.ts'
import { findEntry } from './engines/catalog.ts'
import { KEY_KINDS } from './engines/engine.ts'
import { measureFootprint } from './footprint.ts'
import { describeMachine } from './machine.ts'
import { HELP, type Options, parseOptions } from './options.ts'
import { installPeers } from './peers.ts'
import { Progress } from './progress.ts'
import type { Footprint, Report, Row } from './report.ts'
import { type Pace, countTurns, measureWorkload, roundMsFor, turnMs } from './rounds.ts'
import { footprintTable, heading, scalingTable, workloadTable } from './result-tables.ts'
import { type Workload, findWorkload } from './workloads/catalog.ts'

const CROSSED_VALUE_BYTES = [8, 100, 1000, 100_000]
const CROSSED_WORKERS = 1
const CROSSED_ROUNDS = 3
/** Fewer, or loading all combinations would take most of the time. */
const CROSSED_RECORDS = 200_000
/** Loading and overwriting, and looking: seconds for a million records, and in any case. */
const MEMORY_MS_PER_RECORD = 0.012
const MEMORY_MS = 6000
/** An engine's process, its check, and the filling before the first workload of a part. */
const STARTING_MS = 4000

/** All that is measured with one kind of keys and one size of values. */
interface Part {
  readonly engines: readonly string[]
  readonly variation: Variation
  readonly workloads: readonly Workload[]
  readonly workers: readonly number[]
  readonly rounds: number
  /** Whether it is what the options of the run say. */
  readonly isMain: boolean
}

function partsOf(options: Options): Part[] {
  const workloads = options.workloads.map(findWorkload)
  const main = variationOf(options, options.keys, options.valueBytes)
  const { engines, workers } = options
  const parts: Part[] = [{ engines, variation: main, workloads, workers, rounds: options.rounds, isMain: true }]
  if (!options.full) return parts
  const fewer = {
    ...options,
    engines: options.crossedEngines,
    workers: [CROSSED_WORKERS],
    records: Math.min(options.records, CROSSED_RECORDS),
  }
  const rounds = Math.min(CROSSED_ROUNDS, options.rounds)
  for (const keys of KEY_KINDS) {
    for (const valueBytes of CROSSED_VALUE_BYTES) {
      if (keys === options.keys && valueBytes === options.valueBytes) continue
      const crossed = workloads.filter((workload) => workload.crossed)
      const variation = variationOf(fewer, keys, valueBytes)
      const rest = { workloads: crossed, workers: [CROSSED_WORKERS], rounds, isMain: false }
      parts.push({ engines: options.crossedEngines, variation, ...rest })
    }
  }
  return parts
}

/** Those of the run's engines that take part. */
function ofPart(part: Part, competitors: readonly Competitor[]): Competitor[] {
  return competitors.filter((competitor) => part.engines.includes(competitor.entry.name))
}

/** Turns of a part that take as long as a round is made, that is, all but the loads. */
function timedTurns(part: Part, competitors: readonly Competitor[]): number {
  let turns = 0
  for (const workload of part.workloads) {
    if (workload.kind === 'load') continue
    for (const workers of part.workers) turns += countTurns(competitors, workload, workers, part.rounds)
  }
  return turns
}

/** About how long a part takes. */
function partMs(part: Part, competitors: readonly Competitor[], pace: Pace): number {
  let ms = 0
  for (const workload of part.workloads) {
    for (const workers of part.workers) {
      const turns = countTurns(competitors, workload, workers, part.rounds)
      ms += turns * turnMs(workload, part.variation.records, pace)
    }
  }
  return ms
}

async function startAll(
  options: Options,
  { engines, variation }: Part,
  progress: Progress,
  eachMs: number,
): Promise<Competitor[]> {
  const competitors: Competitor[] = []
  for (const name of engines) {
    progress.say(`starting and checking ${name}`)
    const competitor = new Competitor(options, name, variation)
    competitors.push(competitor)
    await competitor.start()
    progress.advance(eachMs)
    if (competitor.out !== null) progress.note(`${name} is left out: ${competitor.out}`)
  }
  return competitors
}

async function endAll(competitors: readonly Competitor[]): Promise<void> {
  for (const competitor of competitors) await competitor.end()
}

async function measurePart(part: Part, competitors: readonly Competitor[], pace: Pace, progress: Progress) {
  const rows: Row[] = []
  const { keys, valueBytes, records } = part.variation
  for (const workload of part.workloads) {
    const found: Row[] = []
    for (const workers of part.workers) {
      found.push(...(await measureWorkload(competitors, workload, workers, pace, progress)))
    }
    const labelled = part.isMain ? found : found.map((row) => ({ ...row, keys, valueBytes, records }))
    console.log(`\n${workloadTable(labelled)}`)
    rows.push(...labelled)
  }
  return rows
}

async function measureAll(options: Options): Promise<Report> {
  const parts = partsOf(options)
  const footprints: Footprint[] = []
  const rows: Row[] = []
  const starting = new Progress(1)
  let competitors = await startAll(options, parts[0], starting, 0)
  // What the engines can do with other keys is not known yet: about the same.
  const turns = parts.reduce((sum, part) => sum + timedTurns(part, ofPart(part, competitors)), 0)
  const pace = { rounds: options.rounds, roundMs: roundMsFor(options.seconds, turns) }
  const memoryMs = MEMORY_MS + parts[0].variation.records * MEMORY_MS_PER_RECORD
  const machine = describeMachine(options.engines.flatMap((name) => findEntry(name).package ?? []))
  const directories = Object.fromEntries(options.engines.map((name) => [name, baseDirectory(options, findEntry(name))]))
  const filledIn = { ...options, roundMs: pace.roundMs, directories, records: parts[0].variation.records }
  console.log(heading({ machine, options: filledIn, rows, footprints, curves: [] }))
  const restMs = options.memory ? options.engines.length * memoryMs : 0
  const startingMs = parts.reduce((sum, part) => sum + (part.isMain ? 0 : part.engines.length * STARTING_MS), 0)
  const partsMs = parts.reduce((sum, part) => sum + partMs(part, ofPart(part, competitors), pace), 0)
  const progress = new Progress(partsMs + startingMs + restMs)
  for (const part of parts) {
    if (!part.isMain) competitors = await startAll(options, part, progress, STARTING_MS)
    rows.push(...(await measurePart(part, competitors, { ...pace, rounds: part.rounds }, progress)))
    await endAll(competitors)
  }
  if (options.memory) {
    for (const engine of options.engines) {
      footprints.push(...(await measureFootprint(options, engine, parts[0].variation, progress)))
      progress.advance(memoryMs)
    }
  }
  progress.end()
  return { machine, options: filledIn, rows, footprints, curves: [] }
}

interface Charts {
  writeCharts(report: Report, directory: string): Promise<string[]>
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2))
  if (options === null) {
    console.log(HELP)
    return
  }
  installPeers(options.engines, (text) => process.stderr.write(`${text}\n`))
  const report = await measureAll(options)
  for (const text of [scalingTable(report.rows), footprintTable(report.footprints)]) {
    if (text !== null) console.log(`\n${text}`)
  }
  if (options.json !== null) {
    const file = resolve(options.json)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`)
    console.log(`written: ${options.json}`)
  }
  if (options.charts !== null) {
    const module: string = './charts.ts'
    const { writeCharts } = (await import(module)) as Charts
    for (const file of await writeCharts(report, options.charts)) console.log(`written: ${file}`)
  }
  // Wrong answers are no matter of speed.
  if (report.rows.some((row) => row.missing?.includes('wrong answer') === true)) process.exitCode = 1
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    killAll()
    process.exit(130)
  })
}

main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`)
  killAll()
  process.exitCode = 2
})
