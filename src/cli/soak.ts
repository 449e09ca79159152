import { parseCount, parseSize, readArguments } from './arguments.ts'

const MOST_WORKERS = 32
const MOST_SECONDS = 7 * 24 * 3600

const HELP = `heddle soak [options]: run every operation at random while workers are killed, and check everything

Workers run a seeded mix of all operations on two stores in turn, one with tiny pages in very little memory and one
with pages of the normal size. They are terminated at random moments and replaced. Models of what must be there are
checked all the time and at the end of every round; verify() runs at intervals; the live words of the emptied stores
must not have grown in the second half. Prints one line; every violation is told on stderr. Exit code 1 if there is any.

Options
  --seconds <n>     how long (60)
  --workers <n>     workers at a time (4)
  --seed <n>        the seed of all choices but those of the operating system's scheduler (1)
  --memory <size>   memory of the store with normal pages (256m); the one with tiny pages has 12 MiB
  -h, --help        this text
`

export interface SoakOptions {
  readonly seconds: number
  readonly workers: number
  readonly seed: number
  readonly memory: number
}

/** The options of the soak, or undefined if help was asked for. */
export function readSoakOptions(args: string[]): SoakOptions | undefined {
  const { values } = readArguments({
    args,
    options: {
      seconds: { type: 'string', default: '60' },
      workers: { type: 'string', default: '4' },
      seed: { type: 'string', default: '1' },
      memory: { type: 'string', default: '256m' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) return undefined
  return {
    seconds: parseCount('--seconds', values.seconds, 1, MOST_SECONDS),
    workers: parseCount('--workers', values.workers, 1, MOST_WORKERS),
    seed: parseCount('--seed', values.seed, 0, 2 ** 32 - 1),
    memory: parseSize('--memory', values.memory),
  }
}

export async function run(args: string[]): Promise<number> {
  const options = readSoakOptions(args)
  if (options === undefined) {
    process.stdout.write(HELP)
    return 0
  }
  // The engine is loaded only now: help and complaints need none of it.
  const { runSoak } = await import('./soak/run.ts')
  return runSoak(options)
}
