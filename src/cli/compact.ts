import { readArguments } from './arguments.ts'
import { directoryIn } from './tools/positionals.ts'
import { TABLE_HELP, TABLE_OPTIONS, type TableSettings, tableSettings } from './tools/table-options.ts'

const HELP = `heddle compact <directory> [options]: write all of a store into one level of tables

Old versions and deletes are dropped, what is in the logs is folded in, old files are removed. It takes as much room as
the store while it runs. Interrupted at any moment, it leaves a store with the same entries. A store that is open is
refused.

Options
${TABLE_HELP}
  -h, --help             this text
`

export interface CompactOptions extends TableSettings {
  readonly directory: string
}

/** The command's arguments, or undefined if help was asked for. */
export function readCompactOptions(args: string[]): CompactOptions | undefined {
  const { values, positionals } = readArguments({
    args,
    allowPositionals: true,
    options: { ...TABLE_OPTIONS, help: { type: 'boolean', short: 'h' } },
  })
  if (values.help === true) return undefined
  return { directory: directoryIn(positionals), ...tableSettings(values) }
}

export async function run(args: string[]): Promise<number> {
  const options = readCompactOptions(args)
  if (options === undefined) {
    process.stdout.write(HELP)
    return 0
  }
  const { runCompact } = await import('./tools/run-compact.ts')
  return runCompact(options)
}
