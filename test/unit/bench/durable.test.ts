import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { PARTS, parseDurableOptions } from '../../../bench/durable-parts.ts'
import type { Figure, Report } from '../../../bench/report.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
/** Many processes and threads are started, each of which compiles the sources. */
const MOST_MS = 240_000
const directory = mkdtempSync(join(tmpdir(), 'heddle-durable-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** Runs parts on the sources, so that no build is needed. @returns the report, what was printed, the charts' names */
async function durable(...args: string[]): Promise<{ report: Report; stdout: string; charts: string[] }> {
  const out = mkdtempSync(join(directory, 'out-'))
  const files = mkdtempSync(join(directory, 'files-'))
  const json = join(out, 'deeper', 'figures.json')
  const places = ['--dir', files, '--json', json, '--charts', join(out, 'charts')]
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', 'bench/durable.ts', '--seconds', '1', '--rounds', '1', ...places, ...args],
    { cwd: ROOT, env: { ...process.env, HEDDLE_BENCH_SOURCES: '1' }, timeout: MOST_MS },
  )
  // Whatever the engines put there is gone.
  expect(readdirSync(files)).toEqual([])
  const report = JSON.parse(readFileSync(json, 'utf8')) as Report
  return { report, stdout, charts: readdirSync(join(out, 'charts')).sort() }
}

function valueOf(figures: readonly Figure[], engine: string, measure: string): number | null | undefined {
  return figures.find((figure) => figure.engine === engine && figure.measure === measure)?.value
}

test('durable sets, alone and with many that wait', { timeout: MOST_MS }, async () => {
  const args = ['--only', 'sets,latency', '--engines', 'heddle-sync', '--records', '300']
  const { report, stdout, charts } = await durable(...args)
  expect(charts).toEqual(['durable-latency.svg', 'durable-sets.svg'])
  for (const part of ['sets', 'latency']) {
    const figures = report.figures!.filter((figure) => figure.part === part)
    for (const workers of ['1 worker', '2 workers']) {
      expect(valueOf(figures, 'heddle-sync', `sets/s, ${workers}`)).toBeGreaterThan(0)
      const p50 = valueOf(figures, 'heddle-sync', `p50 ms, ${workers}`)!
      expect(p50).toBeGreaterThan(0)
      expect(valueOf(figures, 'heddle-sync', `p99 ms, ${workers}`)).toBeGreaterThanOrEqual(p50)
    }
  }
  expect(stdout).toContain('| heddle-sync |')
  expect(report.rows.filter((row) => row.median !== null).map((row) => row.workload)).toEqual(
    ['durable-set', 'durable-group', 'durable-load'].flatMap((workload) => [workload, workload]),
  )
})

test('reads with much memory and with little; loading, a kill, and opening again', { timeout: MOST_MS }, async () => {
  const args = ['--only', 'reads,small,load', '--engines', 'heddle-group', '--records', '6000']
  const { report, charts } = await durable(...args)
  expect(charts).toEqual(['durable-load.svg', 'durable-reads.svg', 'durable-small.svg'])
  const figures = report.figures!
  expect(new Set(figures.map((figure) => figure.part))).toEqual(new Set(['reads', 'small', 'load']))
  for (const figure of figures) expect(figure.value, JSON.stringify(figure)).toBeGreaterThan(0)
  // All of it was written to the log, and is there.
  expect(valueOf(figures, 'heddle-group', 'written x')).toBeGreaterThan(1)
  expect(valueOf(figures, 'heddle-group', 'space x')).toBeGreaterThan(0.9)
})

test('an engine that loses its records in the kill has no figures', { timeout: MOST_MS }, async () => {
  const { report, charts } = await durable('--only', 'load', '--engines', 'heddle', '--records', '300')
  expect(charts).toEqual([])
  for (const { value, missing } of report.figures!) expect([value, missing]).toEqual([null, expect.any(String)])
})

test('options are checked and filled in', () => {
  expect(parseDurableOptions([])).toMatchObject({ records: 1_000_000, rounds: 5, parts: PARTS })
  expect(parseDurableOptions(['--only', 'load', '--engines', 'lmdb']).parts).toMatchObject([
    { name: 'load', engines: ['lmdb'] },
  ])
  for (const wrong of ['--only=all', '--engines=unheard-of', '--records=1', '--seconds=0', '--directory=x']) {
    expect(() => parseDurableOptions([wrong])).toThrow()
  }
})
