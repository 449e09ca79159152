import { readArguments } from './arguments.ts'
import { directoryIn } from './tools/positionals.ts'
import { UsageError } from './usage-error.ts'

const HELP = `heddle backup <directory> <target> [options]: copy a store to another directory

The target is made if it is not there, and must hold no store. What is copied is checked on the way only as far as logs go:
run 'heddle verify' on the target. It opens as a store of its own. Nothing in the first directory is changed. A store that
is open is refused: back it up from within the program that has it open.

Options
  --link        link tables instead of copying them, where both are on one file system: no space and no time, but what
                damages a table damages both
  -h, --help    this text
`

export interface BackupOptions {
  readonly directory: string
  readonly target: string
  readonly link: boolean
}

/** The command's arguments, or undefined if help was asked for. */
export function readBackupOptions(args: string[]): BackupOptions | undefined {
  const { values, positionals } = readArguments({
    args,
    allowPositionals: true,
    options: { link: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h' } },
  })
  if (values.help === true) return undefined
  const [directory, target, ...others] = positionals
  if (directory !== undefined && target === undefined) throw new UsageError('name the directory to copy to')
  return {
    directory: directoryIn([directory, ...others].filter((each) => each !== undefined)),
    target,
    link: values.link,
  }
}

export async function run(args: string[]): Promise<number> {
  const options = readBackupOptions(args)
  if (options === undefined) {
    process.stdout.write(HELP)
    return 0
  }
  const { runBackup } = await import('./tools/run-backup.ts')
  return runBackup(options)
}
