import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Mode } from '../explore/index.ts'
import type { Overrides } from '../explore/scenario-files.ts'
import { parseCount, readArguments } from './arguments.ts'
import { UsageError } from './usage-error.ts'

const HELP = `heddle explore <file>... [options]: explore the interleavings of the scenarios that files export

A file exports options for explore() of 'heddle/explore', alone, in arrays, or as { name, options, expect }. It and all
that it imports relatively, TypeScript or JavaScript, is instrumented. Prints a table; every failure with its schedule
and its steps. Exit code 1 if there is a failure that was not expected.

Options
  --only <text>      only scenarios with this in their name
  --mode <mode>      auto, dpor, dfs, random, bound=<n> or pct=<n>, instead of the scenario's own
  --max-ms <n>       milliseconds for each scenario, instead of its own
  --seconds <n>      seconds for all scenarios together
  --seed <n>         seed of the random modes
  --kill             also stop each thread for good after each of its steps
  --replay <text>    run only this schedule; with --only for the scenario
  --workers <n>      worker threads among which the scenarios are dealt out, or the search of each if there are fewer (1)
  --json             the results as JSON on stdout, instead of the table
  -h, --help         this text
`

export interface ExploreCommand {
  readonly files: readonly string[]
  readonly only: string
  readonly workers: number
  readonly seconds: number | undefined
  readonly json: boolean
  /** What replaces the scenarios' own options. */
  readonly overrides: Overrides
}

function parseMode(text: string): Mode {
  const sized = /^(bound|pct)=(\d{1,3})$/.exec(text)
  if (sized !== null) return sized[1] === 'bound' ? { bound: Number(sized[2]) } : { pct: Number(sized[2]) }
  if (text === 'auto' || text === 'dpor' || text === 'dfs' || text === 'random') return text
  throw new UsageError(`--mode must be auto, dpor, dfs, random, bound=<n> or pct=<n>, not '${text}'`)
}

/** The command's arguments, or undefined if help was asked for. */
export function readExploreCommand(args: string[]): ExploreCommand | undefined {
  const { values, positionals } = readArguments({
    args,
    allowPositionals: true,
    options: {
      only: { type: 'string', default: '' },
      mode: { type: 'string' },
      'max-ms': { type: 'string' },
      seconds: { type: 'string' },
      seed: { type: 'string' },
      kill: { type: 'boolean' },
      replay: { type: 'string' },
      workers: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) return undefined
  if (positionals.length === 0) throw new UsageError('name at least one file with scenarios')
  const files = positionals.map((path) => resolve(path))
  const missing = files.find((path) => !existsSync(path))
  if (missing !== undefined) throw new UsageError(`there is no file '${missing}'`)
  const count = (name: 'max-ms' | 'seconds' | 'seed', least: number): number | undefined =>
    values[name] === undefined ? undefined : parseCount(`--${name}`, values[name], least, 2 ** 32 - 1)
  const maxMs = count('max-ms', 1)
  const seed = count('seed', 0)
  return {
    files,
    only: values.only,
    workers: parseCount('--workers', values.workers, 1, 64),
    seconds: count('seconds', 1),
    json: values.json,
    overrides: {
      ...(values.mode === undefined ? {} : { mode: parseMode(values.mode) }),
      ...(maxMs === undefined ? {} : { maxMs }),
      ...(seed === undefined ? {} : { seed }),
      ...(values.kill === true ? { kill: 'everywhere' } : {}),
      ...(values.replay === undefined ? {} : { replay: values.replay }),
    },
  }
}

export async function run(args: string[]): Promise<number> {
  const command = readExploreCommand(args)
  if (command === undefined) {
    process.stdout.write(HELP)
    return 0
  }
  const { runExplore } = await import('./explore/run.ts')
  return runExplore(command)
}
