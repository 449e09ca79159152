/**
 * Two builds of heddle against each other, in processes that take turns: what a change costs, or gains.
 *
 *   npm run bench:paired -- --against folder [--rounds 7] [--operations get,set,update,compareAndSet,setIfAbsent,churn]
 *                           [--flags "--max-inlined-bytecode-size-cumulative=3000"]
 *
 * The folder is another checkout, built. `--flags` are for the processes of this one. One thread, 300,000 records of a
 * 16-byte key and a 100-byte value; the ratio is the median of the paired ratios.
 */
import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { median, pairedRatio } from './statistics.ts'
import { formatTable, short } from './table.ts'

const { values: options } = parseArgs({
  options: {
    against: { type: 'string' },
    rounds: { type: 'string', default: '7' },
    operations: { type: 'string', default: 'get,set,update,compareAndSet,setIfAbsent,churn' },
    flags: { type: 'string', default: '' },
  },
})
if (options.against === undefined) throw new Error('--against names the folder of another checkout, built')

const here = fileURLToPath(new URL('..', import.meta.url))
const there = resolve(options.against)
const program = fileURLToPath(new URL('./paired-process.ts', import.meta.url))
const flags = options.flags.split(' ').filter((flag) => flag !== '')

function measure(build: string, extra: readonly string[]): Record<string, number> {
  const args = [...extra, '--import', 'tsx', program, build, options.operations]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', cwd: here })) as Record<string, number>
}

const ours: Record<string, number>[] = []
const theirs: Record<string, number>[] = []
for (let round = 0; round < Number(options.rounds); round++) {
  const first = round % 2 === 0
  if (first) ours.push(measure(here, flags))
  theirs.push(measure(there, []))
  if (!first) ours.push(measure(here, flags))
}
const rows = options.operations.split(',').map((name) => {
  const mine = ours.map((report) => report[name])
  const other = theirs.map((report) => report[name])
  return [name, short(median(mine)), short(median(other)), pairedRatio(mine, other)!.toFixed(2)]
})
console.log(formatTable(['ns', 'this', 'against', 'ratio'], rows))
