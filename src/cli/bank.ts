import { parseCount, parseSize, readArguments } from './arguments.ts'

const MOST_WORKERS = 32
const MOST_SECONDS = 7 * 24 * 3600

const HELP = `heddle bank [options]: move money between accounts while workers are killed, and insist on the total

Workers transfer money by transactions of both isolation levels and by batches. They are terminated at random moments
and replaced. All of them, and the program itself, audit the bank by snapshots and by transactions all the time: the
total must be right in each, whatever was interrupted. Prints one line; every violation is told on stderr. Exit code 1
if there is any.

Options
  --seconds <n>     how long (60)
  --workers <n>     workers at a time (4)
  --seed <n>        the seed of all choices but those of the operating system's scheduler (1)
  --accounts <n>    accounts (24)
  --memory <size>   memory of the store (32m); its pages are tiny
  -h, --help        this text
`

export interface BankOptions {
  readonly seconds: number
  readonly workers: number
  readonly seed: number
  readonly accounts: number
  readonly memory: number
}

/** The options of the bank, or undefined if help was asked for. */
export function readBankOptions(args: string[]): BankOptions | undefined {
  const { values } = readArguments({
    args,
    options: {
      seconds: { type: 'string', default: '60' },
      workers: { type: 'string', default: '4' },
      seed: { type: 'string', default: '1' },
      accounts: { type: 'string', default: '24' },
      memory: { type: 'string', default: '32m' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) return undefined
  return {
    seconds: parseCount('--seconds', values.seconds, 1, MOST_SECONDS),
    workers: parseCount('--workers', values.workers, 1, MOST_WORKERS),
    seed: parseCount('--seed', values.seed, 0, 2 ** 32 - 1),
    accounts: parseCount('--accounts', values.accounts, 2, 10_000),
    memory: parseSize('--memory', values.memory),
  }
}

export async function run(args: string[]): Promise<number> {
  const options = readBankOptions(args)
  if (options === undefined) {
    process.stdout.write(HELP)
    return 0
  }
  // The engine is loaded only now: help and complaints need none of it.
  const { runBank } = await import('./bank/run.ts')
  return runBank(options)
}
