/** `heddle explore`: the scenarios one after the other, or dealt out to worker threads. */
import { Worker } from 'node:worker_threads'
import { DEAL_WORDS, type Deal } from '../../explore/dealing.ts'
import type { Progress } from '../../explore/index.ts'
import { loaderArguments, workerUrl } from '../../store/worker-url.ts'
import { grouped } from '../format.ts'
import type { ExploreCommand, Overrides } from '../explore.ts'
import { type Row, loadScenarios, runScenario } from './scenarios.ts'

const LEAST_MS = 100

/** What a worker thread is told. */
export interface Order {
  readonly command: ExploreCommand
  readonly overrides: Overrides
  /** Word 0: the next scenario to be run. */
  readonly next: SharedArrayBuffer
  /** If there are fewer scenarios than workers: each of them searches a part of every scenario. */
  readonly deals: readonly Deal[] | undefined
}

/** What a worker thread tells. */
export interface Told {
  readonly scenario: number
  readonly row: Row
}

export async function runExplore(command: ExploreCommand): Promise<number> {
  const rows = command.workers === 1 ? await runHere(command) : await runInWorkers(command)
  if (command.json) process.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`)
  else for (const line of summary(rows)) process.stdout.write(`${line}\n`)
  return rows.every((row) => row.complaint === '') ? 0 : 1
}

/** Shares the time among the scenarios that are still to be run. */
function withTime(overrides: Overrides, until: number | undefined, left: number): Overrides {
  if (until === undefined) return overrides
  return { ...overrides, maxMs: Math.max(LEAST_MS, (until - performance.now()) / left) }
}

async function runHere(command: ExploreCommand): Promise<Row[]> {
  const scenarios = await loadScenarios(command.files, command.only)
  const until = command.seconds === undefined ? undefined : performance.now() + command.seconds * 1000
  const width = widthOf(scenarios.map(({ name }) => name))
  if (!command.json) process.stdout.write(`${header(width)}\n`)
  return scenarios.map((scenario, i) => {
    const overrides = withTime(command.overrides, until, scenarios.length - i)
    const row = runScenario(scenario, overrides, (progress) => showProgress(scenario.name, progress))
    clearProgress()
    if (!command.json) process.stdout.write(`${line(row, width)}\n`)
    return row
  })
}

async function runInWorkers(command: ExploreCommand): Promise<Row[]> {
  const scenarios = await loadScenarios(command.files, command.only)
  const width = widthOf(scenarios.map(({ name }) => name))
  if (!command.json) process.stdout.write(`${header(width)}\n`)
  const isDealt = scenarios.length < command.workers
  const atOnce = isDealt ? 1 : command.workers
  const each = command.seconds === undefined ? undefined : (command.seconds * 1000 * atOnce) / scenarios.length
  const overrides: Overrides =
    each === undefined ? command.overrides : { ...command.overrides, maxMs: Math.max(LEAST_MS, each) }
  const counters = scenarios.map(() => new SharedArrayBuffer(DEAL_WORDS * 4))
  const next = new SharedArrayBuffer(4)
  const told = scenarios.map((): Row[] => [])
  const parts = isDealt ? command.workers : 1
  const works = Array.from({ length: command.workers }, (_, worker) => {
    const deals = isDealt ? counters.map((one) => ({ counters: one, workers: command.workers, worker })) : undefined
    return runWorker({ command, overrides, next, deals }, ({ scenario, row }) => {
      told[scenario]!.push(row)
      if (command.json || told[scenario]!.length < parts) return
      process.stdout.write(`${line(together(told[scenario]!), width)}\n`)
    })
  })
  await Promise.all(works)
  return told.map(together)
}

/** What came of one scenario of which several have searched a part each. */
function together(rows: readonly Row[]): Row {
  const sum = (of: (row: Row) => number): number => rows.reduce((total, row) => total + of(row), 0)
  return {
    ...(rows.find((row) => row.complaint !== '') ?? rows.find((row) => row.error !== undefined) ?? rows[0]!),
    complete: rows.every((row) => row.complete),
    executions: sum((row) => row.executions),
    steps: sum((row) => row.steps),
    blocked: sum((row) => row.blocked),
    ms: rows.reduce((most, row) => Math.max(most, row.ms), 0),
  }
}

function runWorker(order: Order, onTold: (told: Told) => void): Promise<void> {
  const url = workerUrl('explore')
  return new Promise((resolve, reject) => {
    const worker = new Worker(url, { workerData: order, execArgv: loaderArguments(url) })
    worker.on('message', onTold)
    worker.on('error', reject)
    worker.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with code ${code}`))))
  })
}

function widthOf(names: readonly string[]): number {
  return Math.max(8, ...names.map((name) => name.length))
}

function header(width: number): string {
  return `${'scenario'.padEnd(width)}  ${'result'.padEnd(18)} ${'executions'.padStart(12)} ${'steps'.padStart(14)} ${'ms'.padStart(9)} ${'per s'.padStart(9)}`
}

function line(row: Row, width: number): string {
  const outcome =
    row.error === undefined ? (row.complete ? 'complete' : `in part: ${row.phase.split(',')[0]}`) : row.error.kind
  const verdict = row.complaint === '' ? outcome : `FAILED ${outcome}`
  const rate = row.ms === 0 ? '-' : grouped((row.executions * 1000) / row.ms)
  return `${row.name.padEnd(width)}  ${verdict.padEnd(18)} ${grouped(row.executions).padStart(12)} ${grouped(row.steps).padStart(14)} ${grouped(row.ms).padStart(9)} ${rate.padStart(9)}`
}

function* summary(rows: readonly Row[]): Generator<string> {
  const failed = rows.filter((row) => row.complaint !== '')
  for (const { name, complaint, error } of failed) {
    yield ''
    yield `${name}: ${complaint}`
    if (error === undefined) continue
    yield error.columns
    yield `replay with: --only '${name}' --replay '${error.minimized}'`
  }
  const sum = (of: (row: Row) => number): string => grouped(rows.reduce((total, row) => total + of(row), 0))
  const complete = rows.filter((row) => row.complete).length
  const found = rows.filter((row) => row.expected !== undefined && row.complaint === '').length
  yield ''
  yield `${rows.length} scenarios: ${complete} explored completely, ${found} seeded faults found, ${failed.length} violations; ${sum((row) => row.executions)} executions, ${sum((row) => row.steps)} steps`
}

function showProgress(name: string, { executions, executionsPerSecond, depth, done, phase }: Progress): void {
  if (process.stderr.isTTY !== true) return
  const part = Number.isNaN(done) ? '' : `, about ${(done * 100).toPrecision(2)} % done`
  process.stderr.write(
    `\r\x1b[K${name}: ${phase}, ${grouped(executions)} executions, ${grouped(executionsPerSecond)}/s, depth ${depth}${part}`,
  )
}

function clearProgress(): void {
  if (process.stderr.isTTY === true) process.stderr.write('\r\x1b[K')
}
