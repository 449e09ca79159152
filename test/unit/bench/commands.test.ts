import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import type { Report } from '../../../bench/report.ts'

const directory = mkdtempSync(join(tmpdir(), 'heddle-micro-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** Runs a benchmark on the sources, so that no build is needed. @returns its report and what it printed */
async function runBench(name: string, ...args: string[]): Promise<{ report: Report; stdout: string }> {
  const json = join(directory, `${name}.json`)
  const script = fileURLToPath(new URL(`../../../bench/${name}.ts`, import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, ...args, '--json', json], {
    env: { ...process.env, HEDDLE_BENCH_SOURCES: '1' },
    timeout: 50_000,
    killSignal: 'SIGKILL',
  })
  return { report: JSON.parse(readFileSync(json, 'utf8')) as Report, stdout }
}

test('micro measurements find what they are to measure', async () => {
  const only = 'pin,free-list pop,inserting,splits,merges,json in'
  const { report, stdout } = await runBench('micro', '--ms', '5', '--records', '2000', '--only', only)
  const names = report.micro!.map(({ name }) => name)
  expect(names).toEqual([
    'pin and unpin',
    'free-list pop',
    'set, inserting',
    'insert that splits its leaf',
    'delete that merges its leaf',
    'codec value json in',
  ])
  for (const name of names) expect(stdout).toContain(name)
  for (const { medianNs, samples } of report.micro!) {
    expect(medianNs).toBeGreaterThan(0)
    expect(samples).toBeGreaterThanOrEqual(16)
  }
})

test('growth is measured at each size, for what each engine can do', async () => {
  const args = ['--from', '1e3', '--to', '1e4', '--rounds', '1', '--count', '1000', '--engines', 'heddle,Map']
  const { report } = await runBench('growth', ...args, '--kinds', 'numbers')
  const curves = new Map(report.curves.map((curve) => [curve.name, curve]))
  expect(curves.get('get, numbers')!.series.map(({ name }) => name)).toEqual(['heddle', 'Map'])
  expect(curves.get('scan, numbers')!.series.map(({ name }) => name)).toEqual(['heddle'])
  expect(curves.get('insert, numbers')!.series[0].points.map(({ x }) => x)).toEqual([1000, 3162, 10_000])
})

test('the limits put heddle beside a bare tree', async () => {
  const { report } = await runBench('limits', '--records', '2000', '--rounds', '1', '--count', '500', '--mib', '1')
  const workloads = ['load', 'get', 'getInto', 'entry of a scan of 50', 'overwrite']
  expect(report.rows.filter(({ engine }) => engine === 'bare tree').map(({ workload }) => workload)).toEqual(
    ['loaded in random order', 'loaded in key order'].flatMap((how) => workloads.map((each) => `${each}, ${how}`)),
  )
  for (const { engine, ratio } of report.rows) expect(ratio === null).toBe(engine === 'heddle')
})
