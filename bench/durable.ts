/**
 * What it takes to keep data, beside other engines: durable writes and how long they are waited for, reads and scans with
 * much memory and with little, loading, what that writes and takes, opening after a kill.
 *
 *   npm run bench:durable -- [--records 1000000] [--seconds 60] [--rounds 5] [--only sets,latency,reads,small,load]
 *                            [--engines a,b] [--dir folder] [--json file] [--charts folder]
 *
 * `--seconds` are of each part but the loading. The files lie in a folder below `--dir`, which has to be on a disk, and are
 * removed. Records are 16-byte keys with 100-byte values; each engine has processes of its own.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { killCycle, measureCycle } from './durable-cycle.ts'
import { type DurableOptions, type Part, parseDurableOptions } from './durable-parts.ts'
import { measureTimed } from './durable-timed.ts'
import { findEntry } from './engines/catalog.ts'
import { killAll, messageOf } from './field.ts'
import { describeMachine } from './machine.ts'
import { installPeers } from './peers.ts'
import type { Figure, Report, Row } from './report.ts'
import { formatTable, short } from './table.ts'

const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** A part's figures as a table, a line for each engine; below it, why some are missing. */
function tableOf(part: Part, figures: readonly Figure[]): string {
  const measures = [...new Set(figures.map((figure) => figure.measure))]
  const lines = part.engines.map((engine) => [
    engine,
    ...measures.map((measure) =>
      short(figures.find((figure) => figure.engine === engine && figure.measure === measure)?.value ?? null),
    ),
  ])
  const notes = new Set<string>()
  for (const { engine, missing } of figures) if (missing !== undefined) notes.add(`${engine}: ${missing}`)
  return [`### ${part.title}`, formatTable(['', ...measures], lines), ...[...notes].sort()].join('\n\n')
}

async function measureAll(options: DurableOptions): Promise<Report> {
  const figures: Figure[] = []
  const rows: Row[] = []
  const engines = [...new Set(options.parts.flatMap((part) => part.engines))]
  installPeers(engines, say)
  const machine = describeMachine(engines.flatMap((name) => findEntry(name).package ?? []))
  console.log(
    `${machine.cpu}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}, files in ${options.directory}`,
  )
  for (const part of options.parts) {
    let found: Figure[]
    if (part.measures.length === 0) found = await measureCycle(part, options, say)
    else {
      const measured = await measureTimed(part, options)
      found = measured.figures
      rows.push(...measured.rows)
    }
    figures.push(...found)
    const records = Math.min(options.records, part.mostRecords).toLocaleString('en')
    console.log(`\n${tableOf(part, found)}\n\n${records} records of a 16-byte key and a 100-byte value.`)
  }
  const parts = options.parts.map((part) => part.name)
  return { machine, options: { ...options, parts, engines }, rows, footprints: [], curves: [], figures }
}

interface Charts {
  writeCharts(report: Report, directory: string): Promise<string[]>
}

async function main(): Promise<void> {
  const options = parseDurableOptions(process.argv.slice(2))
  const report = await measureAll(options)
  if (options.json !== null) {
    mkdirSync(dirname(options.json), { recursive: true })
    writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`)
    say(`written: ${options.json}`)
  }
  if (options.charts !== null) {
    const module: string = './charts.ts'
    const { writeCharts } = (await import(module)) as Charts
    for (const file of await writeCharts(report, options.charts)) say(`written: ${file}`)
  }
  // Wrong answers are no matter of speed.
  if (report.figures!.some((figure) => figure.missing?.includes('wrong answer') === true)) process.exitCode = 1
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    killAll()
    killCycle()
    process.exit(130)
  })
}

main().catch((error: unknown) => {
  say(messageOf(error))
  killAll()
  killCycle()
  process.exitCode = 2
})
