/** The tables of a run, as Markdown. */
import type { Footprint, Report, Row } from './report.ts'
import { findWorkload } from './workloads/catalog.ts'

const DASH = '-'

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((text, i) => Math.max(3, text.length, ...rows.map((row) => row[i].length)))
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}

/** Three digits that mean something. */
function digits(value: number): string {
  if (value >= 100) return value.toFixed(0)
  if (value >= 10) return value.toFixed(1)
  return value >= 0.1 ? value.toFixed(2) : value.toPrecision(2)
}

function rate(perSecond: number | null): string {
  return perSecond === null ? DASH : digits(perSecond / 1e6)
}

function duration(ns: number | undefined): string {
  if (ns === undefined) return DASH
  if (ns < 1e3) return `${ns.toFixed(0)} ns`
  if (ns < 1e6) return `${digits(ns / 1e3)} us`
  return ns < 1e9 ? `${digits(ns / 1e6)} ms` : `${digits(ns / 1e9)} s`
}

function optional(value: number | null | undefined, write: (value: number) => string): string {
  return value === null || value === undefined || !Number.isFinite(value) ? DASH : write(value)
}

function cells(row: Row): string[] {
  const { latencyNs } = row
  return [
    row.oversubscribed ? `${row.workers}*` : String(row.workers),
    row.engine,
    rate(row.median),
    optional(row.spread, (value) => `${Math.round(value * 100)} %`),
    optional(row.ratio, (value) => value.toFixed(2)),
    duration(latencyNs?.p50),
    duration(latencyNs?.p99),
    duration(latencyNs?.p999),
    duration(latencyNs?.p9999),
    duration(latencyNs?.max),
    optional(row.cpuSecondsPerMillion, digits),
  ]
}

const HEAD = ['workers', 'engine', 'M/s', 'spread', 'heddle is', 'p50', 'p99', 'p99.9', 'p99.99', 'max', 'CPU s/M']

/** A workload's table: every engine with every number of workers. What is missing is explained below it. */
export function workloadTable(rows: readonly Row[]): string {
  const [first] = rows
  const about = findWorkload(first.workload).about
  const setting =
    first.keys === undefined ? '' : ` (${first.keys} keys, ${first.valueBytes} bytes, ${first.records} records)`
  const reasons = new Map<string, string[]>()
  for (const row of rows) {
    if (row.missing === undefined || row.missing === 'one thread only') continue
    const engines = reasons.get(row.missing) ?? []
    if (!engines.includes(row.engine)) engines.push(row.engine)
    reasons.set(row.missing, engines)
  }
  // A line without a figure is worth its place only once.
  const shown = rows.filter((row) => row.missing !== 'one thread only')
  const notes = [...reasons].map(([reason, engines]) => `${engines.join(', ')}: ${reason}`)
  if (rows.some((row) => row.oversubscribed)) notes.push('* more workers than cores')
  const below = notes.length === 0 ? '' : `\n\n${notes.join('\n')}`
  return `### ${first.workload}${setting}\n\n${about}\n\n${table(HEAD, shown.map(cells))}${below}\n`
}

/** Rates with several workers over the rate with the fewest, for engines that can have several. */
export function scalingTable(rows: readonly Row[]): string | null {
  const plain = rows.filter((row) => row.keys === undefined && row.median !== null)
  const workers = [...new Set(plain.map((row) => row.workers))].sort((a, b) => a - b)
  if (workers.length < 2) return null
  const lines: string[][] = []
  for (const workload of new Set(plain.map((row) => row.workload))) {
    for (const engine of new Set(plain.map((row) => row.engine))) {
      const rates = workers.map((count) => plain.find((row) => matches(row, workload, engine, count))?.median ?? null)
      const [least] = rates
      if (least === null || rates.every((value, i) => i === 0 || value === null)) continue
      lines.push([workload, engine, ...rates.map((value) => optional(value, (found) => (found / least).toFixed(2)))])
    }
  }
  if (lines.length === 0) return null
  const stars = workers.map((count) => (plain.some((row) => row.workers === count && row.oversubscribed) ? '*' : ''))
  const head = ['workload', 'engine', ...workers.map((count, i) => `${count}${stars[i]}`)]
  const note = stars.includes('*') ? '\n\n* more workers than cores' : ''
  return `### Scaling over workers\n\n${table(head, lines)}${note}\n`
}

function matches(row: Row, workload: string, engine: string, workers: number): boolean {
  return row.workload === workload && row.engine === engine && row.workers === workers
}

/** Resident bytes for each record. */
export function footprintTable(footprints: readonly Footprint[]): string | null {
  if (footprints.length === 0) return null
  const write = (value: number) => value.toFixed(0)
  const lines = footprints.map((one) => [
    one.engine,
    one.when,
    optional(one.bytesPerRecord, write),
    optional(one.mappedBytesPerRecord, write),
    optional(one.fileBytesPerRecord, write),
    one.missing ?? '',
  ])
  const head = ['engine', 'when', 'resident', 'of these mapped files', 'files', '']
  return `### Bytes for each record\n\n${table(head, lines)}\n`
}

/** What was measured, where, and how the keys were made. */
export function heading(report: Report): string {
  const { machine, options } = report
  const gib = (machine.memoryBytes / 2 ** 30).toFixed(0)
  const order =
    options.keyOrder === 'used'
      ? 'flat strings (or buffers) made right before each round, in memory in the order of their use'
      : 'drawn from an array of all keys: a random walk over the JavaScript heap'
  return [
    `${machine.cpu}, ${machine.cores} cores, ${gib} GiB, ${machine.system}, Node ${machine.node}`,
    Object.entries(machine.packages)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
    `${String(options.records)} records, ${String(options.keys)} keys, values of ${String(options.valueBytes)} bytes`,
    `Keys handed in: ${order}.`,
    'M/s: million operations (scans: entries) a second, median of the rounds; spread: of the quartiles; heddle is: so many times as fast, median of paired rounds.',
  ].join('\n')
}
