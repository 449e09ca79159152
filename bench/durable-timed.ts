/** A part of the durable measurement that engines go through in turns: the suite's rounds, with some of its workloads. */
import type { DurableOptions, Measure, Part } from './durable-parts.ts'
import { Competitor, messageOf } from './field.ts'
import { parseOptions } from './options.ts'
import { Progress } from './progress.ts'
import type { Figure, Row } from './report.ts'
import { countTurns, measureWorkload, roundMsFor, turnMs } from './rounds.ts'
import { findWorkload } from './workloads/catalog.ts'

/** Of a key and a value. */
export const RECORD_BYTES = 116
const VALUE_BYTES = 100

async function startAll(part: Part, options: DurableOptions, progress: Progress): Promise<Competitor[]> {
  const records = Math.min(options.records, part.mostRecords)
  const workers = part.measures.map((measure) => measure.workers)
  const suite = { ...parseOptions([])!, directory: options.directory, workers }
  const memory = part.memory === null ? {} : { memoryBytes: Math.floor(records * RECORD_BYTES * part.memory) }
  const variation = { keys: 'string', valueBytes: VALUE_BYTES, records, ...memory } as const
  const competitors: Competitor[] = []
  for (const name of part.engines) {
    const competitor = new Competitor(suite, name, variation)
    competitors.push(competitor)
    await competitor.start()
    if (competitor.out === null) {
      progress.note(`${part.name}: ${name} answers right, and is loaded`)
      try {
        await competitor.ensureLoaded()
      } catch (error) {
        competitor.out = messageOf(error)
      }
    }
    if (competitor.out !== null) progress.note(`${name} is left out: ${competitor.out}`)
  }
  return competitors
}

function figuresOf(part: Part, measure: Measure, row: Row): Figure[] {
  const missing = row.missing === undefined ? {} : { missing: row.missing }
  const figure = (name: string, value: number | null): Figure => ({
    part: part.name,
    engine: row.engine,
    measure: name,
    value,
    ...missing,
  })
  const figures: Figure[] = []
  if (measure.rate !== null) figures.push(figure(measure.rate, row.median === null ? null : row.median / measure.per))
  if (measure.latency !== null) {
    const { latencyNs } = row
    figures.push(figure(`p50 ms, ${measure.latency}`, latencyNs === null ? null : latencyNs.p50 / 1e6))
    figures.push(figure(`p99 ms, ${measure.latency}`, latencyNs === null ? null : latencyNs.p99 / 1e6))
  }
  return figures
}

/** @returns the figures, and the rounds they are the medians of */
export async function measureTimed(part: Part, options: DurableOptions): Promise<{ figures: Figure[]; rows: Row[] }> {
  const competitors = await startAll(part, options, new Progress(1))
  const figures: Figure[] = []
  const rows: Row[] = []
  try {
    const turnsOf = ({ workload, workers }: Measure) =>
      countTurns(competitors, findWorkload(workload), workers, options.rounds)
    const turns = part.measures.reduce((sum, measure) => sum + turnsOf(measure), 0)
    const pace = { rounds: options.rounds, roundMs: roundMsFor(options.seconds, turns) }
    const progress = new Progress(turns * turnMs(findWorkload('get'), options.records, pace))
    for (const measure of part.measures) {
      const workload = findWorkload(measure.workload)
      const found = await measureWorkload(competitors, workload, measure.workers, pace, progress)
      rows.push(...found)
      figures.push(...found.flatMap((row) => figuresOf(part, measure, row)))
    }
    progress.end()
  } finally {
    for (const competitor of competitors) await competitor.end()
  }
  return { figures, rows }
}
