import { UsageError } from '../usage-error.ts'

/** The one directory that a command is given, and nothing else. */
export function directoryIn(positionals: readonly string[]): string {
  const [directory, second] = positionals
  if (directory === undefined) throw new UsageError("name the store's directory")
  if (second !== undefined) throw new UsageError(`unexpected argument '${second}'`)
  return directory
}
