/** `npm run deaths -- --deaths 1000 --seed 1 [--seconds 600]`: see death-run.ts. Exit code 1 if anything is violated. */
import { deathLine, deathRun } from './death-run.ts'
import { readNumbers } from './options.ts'

const TELL_EACH = 4
const DAY = 86_400

const { deaths, seed, seconds } = readNumbers('options: --deaths <n> --seed <n> --seconds <n>', {
  deaths: 1000,
  seed: 1,
  seconds: DAY,
})
const report = await deathRun({
  deaths,
  seed,
  seconds,
  onRound: (now) => {
    if (now.rounds % TELL_EACH === 0) process.stderr.write(`${deathLine(now, seed)}\n`)
  },
})
for (const violation of report.violations) process.stderr.write(`${violation}\n`)
process.stdout.write(`${deathLine(report, seed)}\n`)
process.exitCode = report.violations.length > 0 ? 1 : 0
