/**
 * Two builds of heddle against each other: what a change costs, or gains.
 *
 *   npm run bench:paired -- --against folder [--rounds 8] [--turns 60] [--records 300000] [--count 10000] [--no-cleaner]
 *                           [--operations get,set,insert,delete,update,compareAndSet,setIfAbsent,churn]
 *                           [--flags="--max-inlined-bytecode-size-cumulative=3000"] [--json file]
 *
 * The folder is another checkout, built. `--flags` are V8's. Each of `--rounds` processes opens a store of either build and
 * has them do the same `--count` operations in turns, so a drift of the machine hits both; V8 compiles each for itself. One
 * thread, beside it the cleaners; records of a 16-byte key and a 100-byte value. The ratio is the median over the processes of the median of
 * the ratios of their turns: what differs from process to process, as places in memory do, evens out too.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { LOADER } from './host-process.ts'
import { describeMachine } from './machine.ts'
import { whole } from './options.ts'
import type { PairedTask, PairedTimes } from './paired-process.ts'
import { median, pairedRatio } from './statistics.ts'
import { formatTable, short } from './table.ts'

const { values: options } = parseArgs({
  options: {
    against: { type: 'string' },
    rounds: { type: 'string', default: '8' },
    operations: { type: 'string', default: 'get,set,insert,delete,update,compareAndSet,setIfAbsent,churn' },
    flags: { type: 'string', default: '' },
    records: { type: 'string', default: '300000' },
    turns: { type: 'string', default: '60' },
    count: { type: 'string', default: '10000' },
    'no-cleaner': { type: 'boolean', default: false },
    json: { type: 'string' },
  },
})
if (options.against === undefined) throw new Error('--against names the folder of another checkout, built')

const rounds = whole('rounds', options.rounds, 1)
const here = fileURLToPath(new URL('..', import.meta.url))
const program = fileURLToPath(new URL('./paired-process.ts', import.meta.url))
const flags = options.flags.split(' ').filter((flag) => flag !== '')
const operations = options.operations.split(',')
const common = {
  builds: [here, resolve(options.against)],
  operations,
  turns: whole('turns', options.turns, 1),
  records: whole('records', options.records, 1),
  count: whole('count', options.count, 1),
  cleaner: !options['no-cleaner'],
}

function measure(round: number): PairedTimes {
  const task: PairedTask = { ...common, first: round % 2 }
  const args = [...flags, '--import', LOADER, program, JSON.stringify(task)]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', cwd: here })) as PairedTimes
}

const reports: PairedTimes[] = []
for (let round = 0; round < rounds; round++) reports.push(measure(round))
const rows = operations.map((operation) => {
  const times = reports.map((report) => report[operation])
  const ratios = times.map(([mine, other]) => pairedRatio(mine, other)!)
  const [thisNs, againstNs] = [0, 1].map((side) => median(times.map((both) => median(both[side]))))
  return { operation, thisNs, againstNs, ratio: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) }
})
const cells = rows.map(({ operation, thisNs, againstNs, ratio, least, most }) => [
  operation,
  short(thisNs),
  short(againstNs),
  ratio.toFixed(2),
  `${least.toFixed(2)} - ${most.toFixed(2)}`,
])
console.log(formatTable(['ns', 'this', 'against', 'ratio', 'of the processes'], cells))
if (options.json !== undefined) {
  writeFileSync(options.json, `${JSON.stringify({ machine: describeMachine([]), options, rows }, null, 2)}\n`)
}
