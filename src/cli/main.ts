#!/usr/bin/env node
import { readArguments } from './arguments.ts'
import { UsageError } from './usage-error.ts'
import { version } from './version.ts'

const HELP = `heddle: an ordered key-value store in shared memory, used by many worker threads at once

Usage
  heddle demo [directory]   index the words of real text with many workers on one store, and check the result
  heddle soak               run every operation at random while workers are killed, and check everything
  heddle bank               move money between accounts while workers are killed, and insist on the total
  heddle explore <file>...  explore every interleaving of the scenarios that files export
  heddle replay <file>      run the operations of a file with many workers, and check every answer
  heddle stat <dir>         what is in a store's directory
  heddle verify <dir>       read and check everything in a store's directory
  heddle dump <dir>         print the entries of a store's directory as lines of JSON
  heddle load <dir> [file]  write lines of JSON into a store's directory
  heddle compact <dir>      write all of a store into one level of tables
  heddle backup <dir> <to>  copy a store to another directory
  heddle --help             this text; 'heddle demo --help' and the like list a command's options
  heddle --version          the version of this package
`

/** A command module: it is loaded when it is asked for. */
interface Command {
  readonly run: (args: string[]) => Promise<number>
}

const COMMANDS = new Map<string, () => Promise<Command>>([
  ['demo', () => import('./demo.ts')],
  ['soak', () => import('./soak.ts')],
  ['bank', () => import('./bank.ts')],
  ['explore', () => import('./explore.ts')],
  ['replay', () => import('./replay.ts')],
  ['stat', () => import('./stat.ts')],
  ['verify', () => import('./verify.ts')],
  ['dump', () => import('./dump.ts')],
  ['load', () => import('./load.ts')],
  ['compact', () => import('./compact.ts')],
  ['backup', () => import('./backup.ts')],
])

function runBare(args: string[]): number {
  const { values } = readArguments({
    args,
    options: { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean', short: 'v' } },
  })
  process.stdout.write(values.version === true && values.help !== true ? `${version()}\n` : HELP)
  return 0
}

async function main(args: string[]): Promise<number> {
  const name = args[0]
  const isCommand = name !== undefined && !name.startsWith('-')
  const title = isCommand && COMMANDS.has(name) ? `heddle ${name}` : 'heddle'
  try {
    if (!isCommand) return runBare(args)
    const load = COMMANDS.get(name)
    if (load === undefined) throw new UsageError(`unknown command '${name}'`)
    return await (await load()).run(args.slice(1))
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`${title}: ${error.message} (see '${title} --help')\n`)
      return 2
    }
    process.stderr.write(
      `${title} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    )
    return 1
  }
}

// A reader such as `head` may leave before everything is written.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

process.exitCode = await main(process.argv.slice(2))
