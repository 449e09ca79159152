/**
 * Charts of a report, as SVG, drawn by Vega without a browser. They carry their own light background, so that they can be
 * read on a dark page too, name no font that would have to be fetched, and are the same each time for the same report.
 * What an engine does not have is left out: there is no bar of length zero.
 *
 *   node --import tsx bench/charts.ts report.json [more.json ...] bench/charts
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Error as ERROR_LEVEL, View, logger, parse, resetSVGDefIds } from 'vega'
import { type TopLevelSpec, compile } from 'vega-lite'
import { boxSpec, curveSpec, figuresSpec, latencySpec, memorySpec, scalingSpec, throughputSpec } from './chart-specs.ts'
import type { Report } from './report.ts'

/** Vega-Lite warns of things that are meant, such as bars of their own in each small chart. */
const quiet = logger(ERROR_LEVEL)

async function render(spec: TopLevelSpec): Promise<string> {
  // Ids of clip paths and gradients are counted per process otherwise.
  resetSVGDefIds()
  const view = new View(parse(compile(spec, { logger: quiet }).spec), { renderer: 'none', logger: quiet })
  try {
    const svg = await view.toSVG()
    if (/NaN|undefined|Infinity/.test(svg)) throw new Error('a chart has a point that is no number')
    return `${svg}\n`
  } finally {
    view.finalize()
  }
}

function slug(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
}

/** The charts that a report has the figures for, by the names of their files. */
export function specsOf(all: Report): Map<string, TopLevelSpec> {
  // Those of other keys and values have the same names: their bars would be added up.
  const report = { ...all, rows: all.rows.filter((row) => row.keys === undefined) }
  const specs = new Map<string, TopLevelSpec>()
  const add = (name: string, spec: TopLevelSpec | null): void => {
    if (spec !== null) specs.set(`${name}.svg`, spec)
  }
  if (report.figures !== undefined) {
    // Its rows are what its figures come from.
    for (const part of new Set(report.figures.map((figure) => figure.part))) {
      add(`durable-${slug(part)}`, figuresSpec(report, part))
    }
    return specs
  }
  const fair = [...new Set(report.rows.filter((row) => !row.oversubscribed).map((row) => row.workers))]
  fair.sort((a, b) => a - b)
  if (fair.length > 0) add('throughput', throughputSpec(report, fair[0]))
  if (fair.length > 1) add('throughput-all-cores', throughputSpec(report, fair[fair.length - 1]))
  add('scaling', scalingSpec(report))
  add('latency', latencySpec(report))
  add('memory', memorySpec(report))
  add('micro', boxSpec(report))
  for (const curve of report.curves) add(`curve-${slug(curve.name)}`, curveSpec(curve))
  return specs
}

/**
 * Writes the charts of a report into a directory, which is made if need be.
 * @returns the paths of the files
 */
export async function writeCharts(report: Report, directory: string): Promise<string[]> {
  mkdirSync(directory, { recursive: true })
  const paths: string[] = []
  for (const [name, spec] of specsOf(report)) {
    const path = join(directory, name)
    writeFileSync(path, await render(spec))
    paths.push(path)
  }
  return paths
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const files = process.argv.slice(2)
  const directory = files.pop()
  if (directory === undefined || files.length === 0) {
    throw new Error('give one or more reports and the directory for the charts')
  }
  for (const file of files) {
    const report = JSON.parse(readFileSync(file, 'utf8')) as Report
    for (const path of await writeCharts(report, directory)) console.log(path)
  }
}
