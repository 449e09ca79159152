/** `npm run kills -- --kills 1000 --seed 1 [--seconds 600]`: see kill-run.ts. Exit code 1 if anything is violated. */
import { readNumbers } from './options.ts'
import { killLine, killRun } from './kill-run.ts'

const TELL_EACH = 50
const DAY = 86_400

const { kills, seed, seconds } = readNumbers('options: --kills <n> --seed <n> --seconds <n>', {
  kills: 1000,
  seed: 1,
  seconds: DAY,
})
const report = await killRun({
  kills,
  seed,
  seconds,
  onKill: (now) => {
    if (now.kills % TELL_EACH === 0) process.stderr.write(`${killLine(now, seed)}\n`)
  },
})
for (const violation of report.violations) process.stderr.write(`${violation}\n`)
process.stdout.write(`${killLine(report, seed)}\n`)
process.exitCode = report.violations.length > 0 ? 1 : 0
