import { parseSize, readArguments } from './arguments.ts'
import { directoryIn } from './tools/positionals.ts'
import { TABLE_HELP, TABLE_OPTIONS, type TableSettings, tableSettings } from './tools/table-options.ts'
import { UsageError } from './usage-error.ts'

const HELP = `heddle load <directory> [file] [options]: write lines of JSON into a store's directory

Reads what 'heddle dump' prints, from a file or from stdin: {"key":"...","value":"..."}, with {"base64":"..."} for bytes that
are not UTF-8. The directory is made if it is not there; a store that holds something is refused, unless --into is given.
Of several lines of a key the last one counts. Lines in the order of their keys, as a dump has them, are written at once;
others are sorted first, through files in the directory. If it is interrupted, or a line is wrong, nothing has been loaded.
The codecs are what open({ path, keys, values }) has to be given for the store that is made. Keys
and values of 'utf8' must be UTF-8.

Options
  --keys <codec>         utf8, binary, number or custom (utf8)
  --values <codec>       utf8, binary, json, number or custom (utf8)
  --into                 into a store that holds something: entries that no line replaces stay
  --memory <size>        memory for sorting (64m)
${TABLE_HELP}
  -h, --help             this text
`

export interface LoadOptions extends TableSettings {
  readonly directory: string
  /** Undefined for stdin. */
  readonly file: string | undefined
  readonly keys: string
  readonly values: string
  readonly into: boolean
  readonly memory: number
}

const KEY_CODECS = ['utf8', 'binary', 'number', 'custom']
const VALUE_CODECS = ['utf8', 'binary', 'json', 'number', 'custom']

function oneOf(option: string, text: string, known: readonly string[]): string {
  if (!known.includes(text)) throw new UsageError(`${option} must be one of ${known.join(', ')}, not '${text}'`)
  return text
}

/** The command's arguments, or undefined if help was asked for. */
export function readLoadOptions(args: string[]): LoadOptions | undefined {
  const { values, positionals } = readArguments({
    args,
    allowPositionals: true,
    options: {
      keys: { type: 'string', default: 'utf8' },
      values: { type: 'string', default: 'utf8' },
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
    keys: oneOf('--keys', values.keys, KEY_CODECS),
    values: oneOf('--values', values.values, VALUE_CODECS),
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
