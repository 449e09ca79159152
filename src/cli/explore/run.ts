/** `heddle explore`: the scenarios one after the other, or dealt out to worker threads. */
import { Worker } from 'node:worker_threads'
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
  const each = command.seconds === undefined ? undefined : (command.seconds * 1000 * command.workers) / scenarios.length
  const overrides: Overrides =
    each === undefined ? command.overrides : { ...command.overrides, maxMs: Math.max(LEAST_MS, each) }
  const order: Order = { command, overrides, next: new SharedArrayBuffer(4) }
  const rows: Row[] = []
  const count = Math.min(command.workers, scenarios.length)
  const works = Array.from({ length: count }, () =>
    runWorker(order, (row) => {
      rows.push(row)
      if (!command.json) process.stdout.write(`${line(row, width)}\n`)
    }),
  )
  await Promise.all(works)
  return rows
}

function runWorker(order: Order, onRow: (row: Row) => void): Promise<void> {
  const url = workerUrl('explore')
  return new Promise((resolve, reject) => {
    const worker = new Worker(url, { workerData: order, execArgv: loaderArguments(url) })
    worker.on('message', onRow)
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
