/** `npm run crash -- --seconds 600 --seed 1 [--each 8]`: see crash-run.ts. Exit code 1 if anything is violated. */
import { crashLine, crashRun } from './crash-run.ts'
import { readNumbers } from './options.ts'

const TELL_EACH_MS = 30_000

const { seconds, seed, each, runs } = readNumbers('options: --seconds <n> --seed <n> --each <n> --runs <n>', {
  seconds: 60,
  seed: 1,
  each: 8,
  runs: Number.MAX_SAFE_INTEGER,
})
let told = performance.now()
const report = crashRun({
  seed,
  seconds,
  each,
  runs,
  onRun: (now) => {
    if (performance.now() - told < TELL_EACH_MS) return
    told = performance.now()
    process.stderr.write(`${crashLine(now, seed)}\n`)
  },
})
for (const violation of report.violations) process.stderr.write(`${violation}\n`)
process.stdout.write(`${crashLine(report, seed)}\n`)
process.exitCode = report.violations.length > 0 ? 1 : 0
