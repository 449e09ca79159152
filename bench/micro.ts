/**
 * Micro measurements with tinybench: what the parts of an operation take, and the operations themselves. Each has a
 * process of its own, since what V8 has compiled for one would tell on the next.
 *
 *   npm run bench:micro -- [--only get,split] [--ms 500] [--records 100000] [--json file]
 *
 * Most are so short that a sample is a batch of 100 or 1,000 of them: the 99th percentile is that of such batches. Splits,
 * merges and consolidations are sampled one by one. Every measurement checks after each sample that what it names has
 * happened; the run ends with an error otherwise.
 */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { Bench } from 'tinybench'
import { describeMachine } from './machine.ts'
import type { CaseMaker } from './micro-cases/case.ts'
import { codecCases } from './micro-cases/codecs.ts'
import { operationCases } from './micro-cases/operations.ts'
import { primitiveCases } from './micro-cases/primitives.ts'
import { structureCases } from './micro-cases/structure.ts'
import { MEASURES_SOURCES, loadModule } from './modules.ts'
import type { MicroMeasurement, Report } from './report.ts'
import { formatTable, short } from './table.ts'

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    ms: { type: 'string', default: '500' },
    records: { type: 'string', default: '100000' },
    json: { type: 'string' },
    /** Given to the process that measures one. */
    case: { type: 'string' },
  },
})
const budgetMs = Number(options.ms)
const records = Number(options.records)

async function allCases(): Promise<CaseMaker[]> {
  const index = await loadModule('index')
  const participant = await loadModule('reclaim/participant')
  return [
    ...primitiveCases({ index, participant, ownership: await loadModule('reclaim/ownership') }),
    ...operationCases({ index, participant }, records),
    ...structureCases({ index, participant, base: await loadModule('pagecache/base') }),
    ...codecCases({
      codec: await loadModule('store/codec'),
      raw: await loadModule('store/raw-buffer'),
      key: await loadModule('tree/key'),
    }),
  ]
}

function measure({ name, share = 1, make }: CaseMaker): MicroMeasurement {
  const bench = new Bench({
    throws: true,
    time: budgetMs * share,
    warmupTime: (budgetMs * share) / 2,
    iterations: 16,
    warmupIterations: 16,
  })
  const measured = make()
  bench.add(name, () => measured.run(), {
    async: false,
    beforeEach: () => measured.prepare?.(),
    afterEach: () => measured.check(),
  })
  const [task] = bench.runSync()
  measured.finish?.()
  const { result } = task
  if (result.state !== 'completed') throw new Error(`${name}: ${result.state}`)
  const { p50, p99, rme, samplesCount } = result.latency
  const nsPerOperation = (ms: number): number => (ms * 1e6) / measured.operations
  return {
    name,
    medianNs: nsPerOperation(p50),
    p99Ns: nsPerOperation(p99),
    relativeMarginOfError: rme / 100,
    samples: samplesCount,
    operationsPerSample: measured.operations,
  }
}

/** Has one measured in a process of its own. */
async function measureApart(name: string): Promise<MicroMeasurement> {
  const argv = [...process.execArgv, fileURLToPath(import.meta.url), '--case', name]
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...argv,
    '--ms',
    String(budgetMs),
    '--records',
    String(records),
  ])
  return JSON.parse(stdout) as MicroMeasurement
}

const { only } = options
const wantedParts = only?.split(',').map((part) => part.trim())

function isWanted(name: string): boolean {
  return wantedParts === undefined || wantedParts.some((part) => name.includes(part))
}

const cases = await allCases()
if (options.case === undefined) {
  const wanted = cases.filter(({ name }) => isWanted(name))
  if (wanted.length === 0) {
    throw new Error(`nothing is called ${only}; there are: ${cases.map(({ name }) => name).join(', ')}`)
  }
  if (MEASURES_SOURCES) console.error('these are the sources, not the build: the figures mean nothing')
  const micro: MicroMeasurement[] = []
  for (const [i, { name }] of wanted.entries()) {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${i + 1}/${wanted.length} ${name}`)
    micro.push(await measureApart(name))
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  const rows = micro.map((measured) => [
    measured.name,
    short(measured.medianNs),
    short(measured.p99Ns),
    `${(measured.relativeMarginOfError * 100).toFixed(1)} %`,
    `${measured.samples} x ${measured.operationsPerSample}`,
  ])
  console.log(formatTable(['', 'ns, median', 'ns, p99', 'margin', 'samples'], rows))
  const report: Report = { machine: describeMachine([]), options, rows: [], footprints: [], curves: [], micro }
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`)
} else {
  const wanted = cases.find(({ name }) => name === options.case)
  if (wanted === undefined) throw new Error(`nothing is called ${options.case}`)
  console.log(JSON.stringify(measure(wanted)))
}
