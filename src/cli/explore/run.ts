/** `heddle explore`: what comes of the scenarios, as a table or as JSON. */
import { exploreFiles } from '../../explore/explore-files.ts'
import type { Progress } from '../../explore/index.ts'
import type { ScenarioResult } from '../../explore/scenario-files.ts'
import { HeddleError } from '../../memory/error.ts'
import type { ExploreCommand } from '../explore.ts'
import { grouped } from '../format.ts'
import { UsageError } from '../usage-error.ts'

export async function runExplore(command: ExploreCommand): Promise<number> {
  const results = await exploreAll(command)
  if (command.json) process.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`)
  else for (const text of summary(results)) process.stdout.write(`${text}\n`)
  return results.every((result) => result.complaint === '') ? 0 : 1
}

async function exploreAll({
  files,
  only,
  workers,
  seconds,
  json,
  overrides,
}: ExploreCommand): Promise<ScenarioResult[]> {
  let width = 0
  try {
    return await exploreFiles(files, {
      ...overrides,
      only,
      workers,
      ...(seconds === undefined ? {} : { totalMs: seconds * 1000 }),
      onScenarios(names) {
        width = widthOf(names)
        if (!json) process.stdout.write(`${header(width)}\n`)
      },
      onProgress: showProgress,
      onResult(result) {
        clearProgress()
        if (!json) process.stdout.write(`${line(result, width)}\n`)
      },
    })
  } catch (error) {
    throw error instanceof HeddleError ? new UsageError(error.message) : error
  }
}

function widthOf(names: readonly string[]): number {
  return Math.max(8, ...names.map((name) => name.length))
}

function header(width: number): string {
  return `${'scenario'.padEnd(width)}  ${'result'.padEnd(18)} ${'executions'.padStart(12)} ${'steps'.padStart(14)} ${'ms'.padStart(9)} ${'per s'.padStart(9)}`
}

function line(row: ScenarioResult, width: number): string {
  const outcome =
    row.error === undefined ? (row.complete ? 'complete' : `in part: ${row.phase.split(',')[0]}`) : row.error.kind
  const verdict = row.complaint === '' ? outcome : `FAILED ${outcome}`
  const rate = row.ms === 0 ? '-' : grouped((row.executions * 1000) / row.ms)
  return `${row.name.padEnd(width)}  ${verdict.padEnd(18)} ${grouped(row.executions).padStart(12)} ${grouped(row.steps).padStart(14)} ${grouped(row.ms).padStart(9)} ${rate.padStart(9)}`
}

function* summary(rows: readonly ScenarioResult[]): Generator<string> {
  const failed = rows.filter((row) => row.complaint !== '')
  for (const { name, complaint, error } of failed) {
    yield ''
    yield `${name}: ${complaint}`
    if (error === undefined) continue
    yield error.columns
    yield `replay with: --only '${name}' --replay '${error.minimized}'`
  }
  const sum = (of: (row: ScenarioResult) => number): string => grouped(rows.reduce((total, row) => total + of(row), 0))
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
