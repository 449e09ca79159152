import { availableParallelism } from 'node:os'
import { parseCount, parseSize, readArguments } from './arguments.ts'
import { UsageError } from './usage-error.ts'

const MOST_WORKERS = 60
const MOST_LINES = 100_000_000

const HELP = `heddle replay <file> [options]: run the operations of a file with many workers and check every answer
heddle replay --generate [file] [options]: make such a file, on stdout unless one is named

A file has lines of four kinds:
  PUT key value
  DELETE key
  GET key v1,v2,NOT_FOUND    must answer one of these
  BARRIER                    ends a block
All lines of a block run in parallel: they are dealt out to the workers. All of them have ended before the next block
begins. Keys and values have no spaces, values no commas. A wrong answer is printed with its line, key, what was got
and what was expected. Exit code 1 if there is any.

Options
  --workers <n>     workers (as many as the machine has cores, but at least 2)
  --memory <size>   memory of the store (256m)
  --path <dir>      a durable store in this directory, which must hold none yet; at the end it is opened again, and must hold
                    the same
  --memtable <n>    with --path: entries that a flush is due for; five times as many make a compaction due (2000)
  -h, --help        this text

Options of --generate
  --lines <n>       operations, barriers not counted (10000)
  --keys <n>        different keys (100)
  --block <n>       operations of a block, at most (50)
  --seed <n>        the seed of all choices (1)
`

export interface ReplayOptions {
  readonly file: string
  readonly workers: number
  readonly memory: number
  /** Undefined for a store in memory. */
  readonly path?: string | undefined
  readonly memtable: number
}

export interface GenerateOptions {
  /** Where the operations go; undefined for stdout. */
  readonly file: string | undefined
  readonly lines: number
  readonly keys: number
  readonly block: number
  readonly seed: number
}

export type ReplayCommand =
  | { readonly replay: ReplayOptions; readonly generate?: undefined }
  | { readonly generate: GenerateOptions; readonly replay?: undefined }

const GENERATING = ['lines', 'keys', 'block', 'seed'] as const
const REPLAYING = ['workers', 'memory', 'path', 'memtable'] as const

/** The command's arguments, or undefined if help was asked for. */
export function readReplayCommand(args: string[]): ReplayCommand | undefined {
  const { values, positionals } = readArguments({
    args,
    allowPositionals: true,
    options: {
      generate: { type: 'boolean' },
      workers: { type: 'string' },
      memory: { type: 'string' },
      path: { type: 'string' },
      memtable: { type: 'string' },
      lines: { type: 'string' },
      keys: { type: 'string' },
      block: { type: 'string' },
      seed: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) return undefined
  if (positionals.length > 1) throw new UsageError(`unexpected argument '${positionals[1]}'`)
  const [file] = positionals
  const generates = values.generate === true
  for (const option of generates ? REPLAYING : GENERATING) {
    if (values[option] !== undefined) {
      throw new UsageError(`option '--${option}' does not go ${generates ? 'with' : 'without'} --generate`)
    }
  }
  if (generates) {
    const count = (option: (typeof GENERATING)[number], fallback: string, least: number, most: number): number =>
      parseCount(`--${option}`, values[option] ?? fallback, least, most)
    const sizes = { lines: count('lines', '10000', 1, MOST_LINES), keys: count('keys', '100', 1, MOST_LINES) }
    return {
      generate: { file, ...sizes, block: count('block', '50', 1, 100_000), seed: count('seed', '1', 0, 2 ** 32 - 1) },
    }
  }
  if (file === undefined) throw new UsageError('name a file with operations, or --generate one')
  if (values.memtable !== undefined && values.path === undefined) {
    throw new UsageError(`option '--memtable' does not go without --path`)
  }
  const workers = values.workers ?? String(Math.min(MOST_WORKERS, Math.max(2, availableParallelism())))
  return {
    replay: {
      file,
      workers: parseCount('--workers', workers, 1, MOST_WORKERS),
      memory: parseSize('--memory', values.memory ?? '256m'),
      path: values.path,
      memtable: parseCount('--memtable', values.memtable ?? '2000', 1, 1_000_000),
    },
  }
}

export async function run(args: string[]): Promise<number> {
  const command = readReplayCommand(args)
  if (command === undefined) {
    process.stdout.write(HELP)
    return 0
  }
  // The engine is loaded only now: help and complaints need none of it.
  if (command.generate !== undefined) {
    const { runGenerate } = await import('./replay/run-generate.ts')
    return runGenerate(command.generate)
  }
  const { runReplay } = await import('./replay/run.ts')
  return runReplay(command.replay)
}
