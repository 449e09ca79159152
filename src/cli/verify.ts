import { readArguments } from './arguments.ts'
import { directoryIn } from './tools/positionals.ts'

const HELP = `heddle verify <directory> [options]: read and check everything in a store's directory

Checks the manifest, every block of every table, filters, the order of keys and of versions, levels, every record of the
logs, and lengths. Each finding is a line: file, offset, what is wrong; it goes on after it. Files that the next start
removes, and a torn end that it cuts, are noted on stderr. Nothing is changed. A store that is open is refused. Exit code 1 if
anything is wrong.

Options
  --json        findings, notes and counts as JSON
  -h, --help    this text
`

export interface VerifyOptions {
  readonly directory: string
  readonly json: boolean
}

/** The command's arguments, or undefined if help was asked for. */
export function readVerifyOptions(args: string[]): VerifyOptions | undefined {
  const { values, positionals } = readArguments({
    args,
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h' } },
  })
  if (values.help === true) return undefined
  return { directory: directoryIn(positionals), json: values.json }
}

export async function run(args: string[]): Promise<number> {
  const options = readVerifyOptions(args)
  if (options === undefined) {
    process.stdout.write(HELP)
    return 0
  }
  const { runVerify } = await import('./tools/run-verify.ts')
  return runVerify(options)
}
