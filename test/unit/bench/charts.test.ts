import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { writeCharts } from '../../../bench/charts.ts'
import type { Report, Row } from '../../../bench/report.ts'

const directory = mkdtempSync(join(tmpdir(), 'heddle-charts-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const ENGINES = ['heddle', 'lmdb', 'plain Map']

function row(engine: string, workload: string, workers: number): Row {
  const isMissing = engine === 'plain Map' && (workload === 'scan' || workers > 1)
  return {
    engine,
    workload,
    workers,
    rounds: isMissing ? [] : [1e6],
    median: isMissing ? null : 1e6 * workers,
    spread: isMissing ? null : 0.1,
    ratio: engine === 'heddle' || isMissing ? null : 2,
    latencyNs: isMissing ? null : { p50: 800, p99: 5000, p999: 20_000, p9999: 100_000, max: 3e6 },
    cpuSecondsPerMillion: isMissing ? null : 1.1,
    oversubscribed: workers > 2,
    ...(isMissing ? { missing: 'no order, or no sharing' } : {}),
  }
}

const report: Report = {
  machine: {
    cpu: 'A Processor',
    cores: 2,
    memoryBytes: 2 ** 33,
    system: 'Linux',
    node: '20.0.0',
    v8: '11',
    packages: { heddle: '0.1.0' },
    date: '2026-01-01T00:00:00.000Z',
  },
  options: {},
  rows: ENGINES.flatMap((engine) =>
    ['get', 'scan'].flatMap((workload) => [1, 2, 4].map((workers) => row(engine, workload, workers))),
  ),
  footprints: ENGINES.map((engine, i) => ({ engine, when: 'loaded', bytesPerRecord: i === 2 ? null : 150 + i })),
  curves: [
    {
      name: 'get, strings',
      x: 'records',
      y: 'ns per operation',
      logarithmic: true,
      series: ENGINES.map((name) => ({
        name,
        points: [
          { x: 1e4, y: 300 },
          { x: 1e5, y: name === 'lmdb' ? NaN : 500 },
          { x: 1e6, y: 900 },
        ],
      })),
    },
  ],
  micro: [
    { name: 'pin', medianNs: 20, p99Ns: 30, relativeMarginOfError: 0.01, samples: 10, operationsPerSample: 1000 },
  ],
}

/** What a chart says, without its lines: the texts of an SVG, in the order in which they stand in it. */
function textsOf(svg: string): string[] {
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text)
}

test('every chart names its engines, has no figure that is none, and is the same each time', async () => {
  const paths = await writeCharts(report, directory)
  expect(paths.map((path) => basename(path)).sort()).toEqual([
    'curve-get-strings.svg',
    'latency.svg',
    'memory.svg',
    'micro.svg',
    'scaling.svg',
    'throughput-all-cores.svg',
    'throughput.svg',
  ])
  const first = new Map(paths.map((path) => [path, readFileSync(path, 'utf8')]))
  for (const [path, svg] of first) {
    expect(svg, path).toMatch(/^<svg[^>]*>/)
    expect(svg, path).not.toMatch(/NaN|undefined|Infinity/)
    expect(svg, path).not.toMatch(/@import|@font-face|<image|href=/)
    // A background of its own: it is shown on dark pages too.
    expect(svg, path).toContain('fill="#ffffff"')
    if (!path.endsWith('micro.svg')) expect(textsOf(svg), path).toEqual(expect.arrayContaining(['heddle', 'lmdb']))
  }
  await writeCharts(report, directory)
  for (const [path, svg] of first) expect(readFileSync(path, 'utf8')).toBe(svg)
})

test('an engine without an operation is left out of its chart', async () => {
  const [path] = (await writeCharts(report, directory)).filter((each) => each.endsWith('throughput.svg'))
  const names = textsOf(readFileSync(path, 'utf8'))
  expect(names.filter((name) => name === 'lmdb')).toHaveLength(2)
  expect(names.filter((name) => name === 'plain Map')).toHaveLength(1)
  const memory = textsOf(readFileSync(join(directory, 'memory.svg'), 'utf8'))
  expect(memory).not.toContain('plain Map')
})

test('an empty report gives no chart', async () => {
  const empty: Report = { machine: report.machine, options: {}, rows: [], footprints: [], curves: [] }
  expect(await writeCharts(empty, directory)).toEqual([])
})

test('each part of the durable measurement has a chart of its own, without what was not measured', async () => {
  const figure = (part: string, engine: string, value: number | null) => ({ part, engine, measure: 'sets/s', value })
  const figures = [figure('sets', 'heddle-sync', 900), figure('sets', 'lmdb', null), figure('load', 'lmdb', null)]
  // Rows are where figures come from: they have no charts besides.
  const paths = await writeCharts({ ...report, figures }, mkdtempSync(join(directory, 'durable-')))
  expect(paths.map((path) => basename(path))).toEqual(['durable-sets.svg'])
  const texts = textsOf(readFileSync(paths[0], 'utf8'))
  expect(texts).toEqual(expect.arrayContaining(['heddle-sync', 'sets/s', '900']))
  expect(texts).not.toContain('lmdb')
})

test('what was measured with other keys and values is not added to the bars and lines', async () => {
  const crossed = report.rows.map((one) => ({ ...one, keys: 'url', valueBytes: 8, records: 10 }))
  const folder = mkdtempSync(join(directory, 'crossed-'))
  const plain = await writeCharts(report, directory)
  const both = await writeCharts({ ...report, rows: [...report.rows, ...crossed] }, folder)
  expect(both.map((path) => readFileSync(path, 'utf8'))).toEqual(plain.map((path) => readFileSync(path, 'utf8')))
})
