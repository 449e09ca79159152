/**
 * Two builds of heddle against each other, in processes that take turns: what a change costs, or gains.
 *
 *   npm run bench:paired -- --against folder [--rounds 7] [--operations get,set,update,compareAndSet,setIfAbsent,churn]
 *                           [--flags "--max-inlined-bytecode-size-cumulative=3000"] [--records 300000] [--count 20000]
 *                           [--json file]
 *
 * The folder is another checkout, built. `--flags` are for the processes of this one. One thread, records of a 16-byte key
 * and a 100-byte value, `--count` operations a turn; the ratio is the median of the paired ratios.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { LOADER } from './host-process.ts'
import { describeMachine } from './machine.ts'
import { whole } from './options.ts'
import { median, pairedRatio } from './statistics.ts'
import { formatTable, short } from './table.ts'

const { values: options } = parseArgs({
  options: {
    against: { type: 'string' },
    rounds: { type: 'string', default: '7' },
    operations: { type: 'string', default: 'get,set,update,compareAndSet,setIfAbsent,churn' },
    flags: { type: 'string', default: '' },
    records: { type: 'string', default: '300000' },
    count: { type: 'string', default: '20000' },
    json: { type: 'string' },
  },
})
if (options.against === undefined) throw new Error('--against names the folder of another checkout, built')

const rounds = whole('rounds', options.rounds, 1)
const records = String(whole('records', options.records, 1))
const count = String(whole('count', options.count, 1))
const here = fileURLToPath(new URL('..', import.meta.url))
const there = resolve(options.against)
const program = fileURLToPath(new URL('./paired-process.ts', import.meta.url))
const flags = options.flags.split(' ').filter((flag) => flag !== '')

function measure(build: string, extra: readonly string[]): Record<string, number> {
  const args = [...extra, '--import', LOADER, program, build, options.operations, records, count]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', cwd: here })) as Record<string, number>
}

const ours: Record<string, number>[] = []
const theirs: Record<string, number>[] = []
for (let round = 0; round < rounds; round++) {
  const first = round % 2 === 0
  if (first) ours.push(measure(here, flags))
  theirs.push(measure(there, []))
  if (!first) ours.push(measure(here, flags))
}
const rows = options.operations.split(',').map((operation) => {
  const mine = ours.map((report) => report[operation])
  const other = theirs.map((report) => report[operation])
  return { operation, thisNs: median(mine), againstNs: median(other), ratio: pairedRatio(mine, other)! }
})
const cells = rows.map((row) => [row.operation, short(row.thisNs), short(row.againstNs), row.ratio.toFixed(2)])
console.log(formatTable(['ns', 'this', 'against', 'ratio'], cells))
if (options.json !== undefined) {
  writeFileSync(options.json, `${JSON.stringify({ machine: describeMachine([]), options, rows }, null, 2)}\n`)
}
