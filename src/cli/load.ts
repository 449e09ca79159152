import { parseSize, readArguments } from './arguments.ts'
import { directoryIn } from './tools/positionals.ts'
import { TABLE_HELP, TABLE_OPTIONS, type TableSettings, tableSettings } from './tools/table-options.ts'

const HELP = `heddle load <directory> [file] [options]: write lines of JSON into a store's directory

Reads what 'heddle dump' prints, from a file or from stdin: {"key":"...","value":"..."}, with {"base64":"..."} for bytes that
are not UTF-8. The directory is made if it is not there; a store that holds something is refused, unless --into is given.
Of several lines of a key the last one counts. Lines in the order of their keys, as a dump has them, are written at once;
others are sorted first, through files in the directory. If it is interrupted, or a line is wrong, nothing has been loaded.

Options
  --into                 into a store that holds something: entries that no line replaces stay
  --memory <size>        memory for sorting (64m)
${TABLE_HELP}
  -h, --help             this text
`

export interface LoadOptions extends TableSettings {
  readonly directory: string
  /** Undefined for stdin. */
  readonly file: string | undefined
  readonly into: boolean
  readonly memory: number
}

/** The command's arguments, or undefined if help was asked for. */
export function readLoadOptions(args: string[]): LoadOptions | undefined {
  const { values, positionals } = readArguments({
    args,
    allowPositionals: true,
    options: {
      into: { type: 'boolean', default: false },
      memory: { type: 'string', default: '64m' },
      ...TABLE_OPTIONS,
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) return undefined
  const [directory, file, ...others] = positionals
  return {
    directory: directoryIn([directory, ...others].filter((each) => each !== undefined)),
    file: file === '-' ? undefined : file,
    into: values.into,
    memory: parseSize('--memory', values.memory),
    ...tableSettings(values),
  }
}

export async function run(args: string[]): Promise<number> {
  const options = readLoadOptions(args)
  if (options === undefined) {
    process.stdout.write(HELP)
    return 0
  }
  const { runLoad } = await import('./tools/run-load.ts')
  return runLoad(options)
}
