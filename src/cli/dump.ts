import { parseCount, readArguments } from './arguments.ts'
import { directoryIn } from './tools/positionals.ts'
import { UsageError } from './usage-error.ts'

const HELP = `heddle dump <directory> [options]: print the entries of a store's directory as lines of JSON

A line for each entry, by key: {"key":"...","value":"..."}. Bytes that are not UTF-8 are given as {"base64":"..."}. What is in
the logs is merged in. Nothing is changed. A store that is open is refused.

Options
  --out <file>            into a new file instead of stdout
  --from <key>            only keys at or after this one
  --to <key>              only keys before this one
  --from-base64 <bytes>   the same, for keys that are not UTF-8
  --to-base64 <bytes>
  --limit <n>             only so many entries
  -h, --help              this text
`

export interface DumpOptions {
  readonly directory: string
  /** Undefined for stdout. */
  readonly out: string | undefined
  readonly from: Uint8Array | undefined
  readonly to: Uint8Array | undefined
  readonly limit: number
}

const BOUNDS = ['from', 'to'] as const

/** The command's arguments, or undefined if help was asked for. */
export function readDumpOptions(args: string[]): DumpOptions | undefined {
  const { values, positionals } = readArguments({
    args,
    allowPositionals: true,
    options: {
      out: { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string' },
      'from-base64': { type: 'string' },
      'to-base64': { type: 'string' },
      limit: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) return undefined
  const [from, to] = BOUNDS.map((name) => {
    const text = values[name]
    const base64 = values[`${name}-base64`]
    if (text !== undefined && base64 !== undefined) throw new UsageError(`give --${name} or --${name}-base64, not both`)
    if (text !== undefined) return Buffer.from(text)
    return base64 === undefined ? undefined : parseBase64(`--${name}-base64`, base64)
  })
  const limit = values.limit === undefined ? Infinity : parseCount('--limit', values.limit, 1, Number.MAX_SAFE_INTEGER)
  return { directory: directoryIn(positionals), out: values.out, from, to, limit }
}

function parseBase64(option: string, text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text) throw new UsageError(`${option} must be base64, not '${text}'`)
  return bytes
}

export async function run(args: string[]): Promise<number> {
  const options = readDumpOptions(args)
  if (options === undefined) {
    process.stdout.write(HELP)
    return 0
  }
  const { runDump } = await import('./tools/run-dump.ts')
  return runDump(options)
}
