import { readArguments } from './arguments.ts'
import { directoryIn } from './tools/positionals.ts'

const HELP = `heddle stat <directory> [options]: what is in a store's directory

Prints the manifest, the logs and what they hold, the tables by level with their entries, deletes, bytes and keys, and the
space that files take. Nothing is changed. A store that is open is refused.

Options
  --tables      also each table
  --json        all of it as JSON
  -h, --help    this text
`

export interface StatOptions {
  readonly directory: string
  readonly tables: boolean
  readonly json: boolean
}

/** The command's arguments, or undefined if help was asked for. */
export function readStatOptions(args: string[]): StatOptions | undefined {
  const { values, positionals } = readArguments({
    args,
    allowPositionals: true,
    options: {
      tables: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) return undefined
  return { directory: directoryIn(positionals), tables: values.tables, json: values.json }
}

export async function run(args: string[]): Promise<number> {
  const options = readStatOptions(args)
  if (options === undefined) {
    process.stdout.write(HELP)
    return 0
  }
  const { runStat } = await import('./tools/run-stat.ts')
  return runStat(options)
}
