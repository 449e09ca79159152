/** How each chart of a report looks, in the grammar of Vega-Lite. */
import type { TopLevelSpec } from 'vega-lite'
import type { Curve, Report, Row } from './report.ts'

type Config = NonNullable<TopLevelSpec['config']>

/** Colours that can be told apart with any common kind of colour blindness (Okabe and Ito), then some more. */
const OURS = '#d55e00'
const OTHERS = [
  '#0072b2',
  '#009e73',
  '#cc79a7',
  '#56b4e9',
  '#e69f00',
  '#7f7f7f',
  '#8c564b',
  '#332288',
  '#999933',
  '#aa4499',
  '#44aa99',
  '#b8a900',
]
const FONT = 'Helvetica, Arial, sans-serif'
const CHART_WIDTH = 300
const CHART_HEIGHT = 200
const COLUMNS = 2

const config: Config = {
  background: '#ffffff',
  font: FONT,
  padding: 12,
  view: { stroke: '#dddddd' },
  axis: { gridColor: '#eeeeee', labelColor: '#333333', titleColor: '#333333', titleFontWeight: 'normal' },
  title: { color: '#111111', subtitleColor: '#555555', anchor: 'start' },
  header: { labelColor: '#111111', labelFontWeight: 'bold', title: null },
  legend: { labelColor: '#333333', titleColor: '#333333', labelLimit: 300, symbolOpacity: 1 },
  facet: { spacing: 24 },
}

/** heddle first, the others by name: the same colour for the same set of engines in each chart. */
function colours(engines: readonly string[]): { domain: string[]; range: string[] } {
  const ours = engines.filter((name) => name.startsWith('heddle')).sort()
  const others = engines.filter((name) => !name.startsWith('heddle')).sort()
  const shades = ours.map((_, i) => [OURS, '#f0a067', '#803800'][i % 3])
  return { domain: [...ours, ...others], range: [...shades, ...others.map((_, i) => OTHERS[i % OTHERS.length])] }
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)]
}

function isUsable(value: number | null | undefined): value is number {
  return value !== null && value !== undefined && Number.isFinite(value) && value > 0
}

function hasMedian(row: Row): row is Row & { median: number } {
  return isUsable(row.median)
}

function workersText(workers: number): string {
  return workers === 1 ? 'one worker' : `${workers} workers`
}

function subtitle(report: Report): string {
  const { cpu, cores, node } = report.machine
  return `${cpu}, ${cores} cores, Node ${node}`
}

/** All engines of a report, so that a colour means the same in each of its charts. */
function enginesOf(report: Report): string[] {
  return distinct(report.rows.map((row) => row.engine))
}

/** Bars of operations per second, one small chart for each workload. */
export function throughputSpec(report: Report, workers: number): TopLevelSpec | null {
  const rows = report.rows.filter(hasMedian).filter((row) => row.workers === workers)
  if (rows.length === 0) return null
  const scale = colours(enginesOf(report))
  const values = rows.map(({ engine, workload, median }) => ({ engine, workload, millions: median / 1e6 }))
  return {
    config,
    title: { text: `Throughput, ${workersText(workers)}`, subtitle: subtitle(report) },
    data: { values },
    facet: { field: 'workload', type: 'nominal', sort: distinct(rows.map((row) => row.workload)) },
    columns: COLUMNS,
    spec: {
      width: CHART_WIDTH,
      height: { step: 18 },
      layer: [
        { mark: { type: 'bar' } },
        {
          mark: { type: 'text', align: 'left', dx: 3, fontSize: 10, color: '#333333' },
          encoding: { text: { field: 'millions', type: 'quantitative', format: '.3~r' }, color: { value: '#333333' } },
        },
      ],
      encoding: {
        y: { field: 'engine', type: 'nominal', sort: scale.domain, title: null },
        x: { field: 'millions', type: 'quantitative', title: 'million operations per second' },
        color: { field: 'engine', type: 'nominal', scale, legend: null },
      },
    },
    resolve: { scale: { x: 'independent', y: 'independent' } },
  }
}

/** Operations per second over workers, for workloads that were run with several numbers of them. */
export function scalingSpec(report: Report): TopLevelSpec | null {
  const rows = report.rows.filter(hasMedian)
  const counts = new Map<string, number>()
  for (const { engine, workload } of rows) {
    const line = `${engine}\n${workload}`
    counts.set(line, (counts.get(line) ?? 0) + 1)
  }
  const values = rows
    .filter(({ engine, workload }) => counts.get(`${engine}\n${workload}`)! > 1)
    .map(({ engine, workload, workers, median, oversubscribed }) => ({
      engine,
      workload,
      workers,
      millions: median / 1e6,
      load: oversubscribed ? 'more workers than cores' : 'a core for each worker',
    }))
  if (values.length === 0) return null
  const scale = colours(enginesOf(report))
  const loads = ['a core for each worker', 'more workers than cores']
  return {
    config,
    title: { text: 'Scaling over workers', subtitle: subtitle(report) },
    data: { values },
    facet: { field: 'workload', type: 'nominal', sort: distinct(values.map(({ workload }) => workload)) },
    columns: COLUMNS,
    spec: {
      width: CHART_WIDTH,
      height: CHART_HEIGHT,
      layer: [
        { mark: { type: 'line' } },
        {
          mark: { type: 'point', filled: true, size: 50 },
          encoding: {
            shape: {
              field: 'load',
              type: 'nominal',
              title: null,
              scale: { domain: loads, range: ['circle', 'cross'] },
            },
          },
        },
      ],
      encoding: {
        x: {
          field: 'workers',
          type: 'quantitative',
          scale: { type: 'log', base: 2 },
          axis: { values: distinct(values.map(({ workers }) => workers)), format: 'd' },
          title: 'workers',
        },
        y: { field: 'millions', type: 'quantitative', title: 'million operations per second' },
        color: { field: 'engine', type: 'nominal', scale, title: null },
      },
    },
    resolve: { scale: { y: 'independent' } },
  }
}

/** Latency over percentiles, of the least number of workers each workload was run with. */
export function latencySpec(report: Report): TopLevelSpec | null {
  const names = { p50: 'p50', p99: 'p99', p999: 'p99.9', p9999: 'p99.99', max: 'max' } as const
  const least = Math.min(...report.rows.filter((row) => row.latencyNs !== null).map((row) => row.workers))
  const values: { engine: string; workload: string; percentile: string; microseconds: number }[] = []
  for (const { engine, workload, workers, latencyNs } of report.rows) {
    if (latencyNs === null || workers !== least) continue
    for (const [key, percentile] of Object.entries(names) as [keyof typeof names, string][]) {
      const ns = latencyNs[key]
      if (isUsable(ns)) values.push({ engine, workload, percentile, microseconds: ns / 1000 })
    }
  }
  if (values.length === 0) return null
  const scale = colours(enginesOf(report))
  return {
    config,
    title: { text: `Latency of single operations, ${workersText(least)}`, subtitle: subtitle(report) },
    data: { values },
    facet: { field: 'workload', type: 'nominal', sort: distinct(values.map(({ workload }) => workload)) },
    columns: COLUMNS,
    spec: {
      width: CHART_WIDTH,
      height: CHART_HEIGHT,
      mark: { type: 'line', point: true },
      encoding: {
        x: { field: 'percentile', type: 'ordinal', sort: Object.values(names), title: null, axis: { labelAngle: 0 } },
        y: {
          field: 'microseconds',
          type: 'quantitative',
          scale: { type: 'log' },
          title: 'microseconds',
          axis: { format: ',~g', tickCount: 6 },
        },
        color: { field: 'engine', type: 'nominal', scale, title: null },
      },
    },
  }
}

/** Resident bytes for each record. */
export function memorySpec(report: Report): TopLevelSpec | null {
  const values = report.footprints.filter(({ bytesPerRecord }) => isUsable(bytesPerRecord))
  if (values.length === 0) return null
  const scale = colours(distinct([...enginesOf(report), ...values.map(({ engine }) => engine)]))
  return {
    config,
    title: { text: 'Resident memory', subtitle: subtitle(report) },
    data: { values: [...values] },
    facet: { field: 'when', type: 'nominal', sort: distinct(values.map(({ when }) => when)) },
    columns: COLUMNS,
    spec: {
      width: CHART_WIDTH,
      height: { step: 18 },
      layer: [
        { mark: { type: 'bar' } },
        {
          mark: { type: 'text', align: 'left', dx: 3, fontSize: 10 },
          encoding: {
            text: { field: 'bytesPerRecord', type: 'quantitative', format: '.0f' },
            color: { value: '#333333' },
          },
        },
      ],
      encoding: {
        y: { field: 'engine', type: 'nominal', sort: scale.domain, title: null },
        x: { field: 'bytesPerRecord', type: 'quantitative', title: 'bytes per record' },
        color: { field: 'engine', type: 'nominal', scale, legend: null },
      },
    },
    resolve: { scale: { y: 'independent' } },
  }
}

/** Bars of a part of the durable measurement, one small chart for each thing that was measured. */
export function figuresSpec(report: Report, part: string): TopLevelSpec | null {
  const all = report.figures ?? []
  const values = all.filter((figure) => figure.part === part && isUsable(figure.value))
  if (values.length === 0) return null
  const scale = colours(distinct(all.map(({ engine }) => engine)))
  return {
    config,
    title: { text: `Durable stores: ${part}`, subtitle: subtitle(report) },
    data: { values: values.map(({ engine, measure, value }) => ({ engine, measure, value })) },
    facet: { field: 'measure', type: 'nominal', sort: distinct(values.map(({ measure }) => measure)) },
    columns: COLUMNS,
    spec: {
      width: CHART_WIDTH,
      height: { step: 18 },
      layer: [
        { mark: { type: 'bar' } },
        {
          mark: { type: 'text', align: 'left', dx: 3, fontSize: 10 },
          encoding: { text: { field: 'value', type: 'quantitative', format: '.3~r' }, color: { value: '#333333' } },
        },
      ],
      encoding: {
        y: { field: 'engine', type: 'nominal', sort: scale.domain, title: null },
        x: { field: 'value', type: 'quantitative', title: null, axis: { format: '~s', tickCount: 5 } },
        color: { field: 'engine', type: 'nominal', scale, legend: null },
      },
    },
    resolve: { scale: { x: 'independent', y: 'independent' } },
  }
}

/** Micro measurements: the median as a point, and a line up to the 99th percentile. */
export function boxSpec(report: Report): TopLevelSpec | null {
  const values = (report.micro ?? []).filter(({ medianNs, p99Ns }) => isUsable(medianNs) && isUsable(p99Ns))
  if (values.length === 0) return null
  const x = { type: 'quantitative', scale: { type: 'log' }, title: 'ns per operation: median, and up to p99' } as const
  return {
    config,
    title: { text: 'What the parts take', subtitle: subtitle(report) },
    data: { values: values.map(({ name, medianNs, p99Ns }) => ({ name, medianNs, p99Ns })) },
    width: 2 * CHART_WIDTH,
    height: { step: 16 },
    encoding: { y: { field: 'name', type: 'nominal', sort: null, title: null, axis: { labelLimit: 300 } } },
    layer: [
      {
        mark: { type: 'rule', color: '#0072b2' },
        encoding: { x: { field: 'medianNs', ...x }, x2: { field: 'p99Ns' } },
      },
      { mark: { type: 'point', filled: true, size: 45, color: OURS }, encoding: { x: { field: 'medianNs', ...x } } },
    ],
  }
}

/** Lines over whatever was varied. */
export function curveSpec(curve: Curve): TopLevelSpec | null {
  const values: { series: string; x: number; y: number }[] = []
  for (const { name, points } of curve.series) {
    for (const { x, y } of points) {
      if (isUsable(x) && Number.isFinite(y) && (!curve.logarithmic || y > 0)) values.push({ series: name, x, y })
    }
  }
  if (values.length === 0) return null
  const scale = colours(distinct(curve.series.map(({ name }) => name)))
  return {
    config,
    title: { text: curve.name, anchor: 'start' },
    data: { values },
    width: 1.5 * CHART_WIDTH,
    height: 1.3 * CHART_HEIGHT,
    mark: { type: 'line', point: true },
    encoding: {
      x: {
        field: 'x',
        type: 'quantitative',
        title: curve.x,
        scale: curve.logarithmic ? { type: 'log' } : { zero: false },
        axis: { format: '~s', tickCount: 6 },
      },
      y: { field: 'y', type: 'quantitative', title: curve.y },
      color: { field: 'series', type: 'nominal', scale, title: null },
    },
  }
}
