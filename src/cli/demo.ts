import { availableParallelism } from 'node:os'
import { parseCount, parseSize, readArguments } from './arguments.ts'
import { bytes } from './format.ts'

/** Threads that may work on one demo: the store has room for 64, and the program and the cleaner are threads too. */
const MOST_WORKERS = 60

/** How much text is read unless a directory or --text says otherwise. */
const DEFAULT_TEXT = 80 * 2 ** 20

const HELP = `heddle demo [directory] [options]: index the words of real text with many workers on one store

Reads every text and source file below the project you are in, its node_modules included (or, where there is none,
below heddle's own), or every file below the directory named. Counts each word and notes the files it is in, once with
one worker and once with many, compares every count with a plain Map, prints the top words, deletes a random half,
and verifies what is left. Exit code 1 if anything disagrees.

Options
  --workers <n>     workers of the second run (as many as the machine has cores, but at least 2)
  --memory <size>   memory reserved for the store, such as 256m or 1g (16 times the text, at least 256m)
  --text <size>     read a fixed selection of the files of about this size; 'all' for all of them
                    (${bytes(DEFAULT_TEXT)} by default, all of them where a directory is named)
  -h, --help        this text
`

export interface DemoOptions {
  /** Where to look for files; undefined for the installed packages and the project itself. */
  readonly directory: string | undefined
  readonly workers: number
  /** Bytes to reserve; undefined to take what the amount of text asks for. */
  readonly memory: number | undefined
  /** Bytes of text to read at most; Infinity for all. */
  readonly text: number
}

/** The options of the demo, or undefined if help was asked for. */
export function readDemoOptions(args: string[]): DemoOptions | undefined {
  const { values, positionals } = readArguments({
    args,
    // A second directory is refused by hand below, in the words of parseArgs.
    allowPositionals: true,
    options: {
      workers: { type: 'string' },
      memory: { type: 'string' },
      text: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) return undefined
  const [directory, second] = positionals
  if (second !== undefined) readArguments({ args: [second], options: {} })
  return {
    directory,
    workers:
      values.workers === undefined
        ? Math.min(MOST_WORKERS, Math.max(2, availableParallelism()))
        : parseCount('--workers', values.workers, 1, MOST_WORKERS),
    memory: values.memory === undefined ? undefined : parseSize('--memory', values.memory),
    text: textLimit(values.text, directory),
  }
}

function textLimit(text: string | undefined, directory: string | undefined): number {
  if (text === undefined) return directory === undefined ? DEFAULT_TEXT : Infinity
  return text === 'all' ? Infinity : parseSize('--text', text)
}

export async function run(args: string[]): Promise<number> {
  const options = readDemoOptions(args)
  if (options === undefined) {
    process.stdout.write(HELP)
    return 0
  }
  // The engine is loaded only now: help and complaints need none of it.
  const { runDemo } = await import('./demo/run.ts')
  return runDemo(options)
}
