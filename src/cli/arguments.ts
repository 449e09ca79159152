import { parseArgs, type ParseArgsConfig } from 'node:util'
import { UsageError } from './usage-error.ts'

const SIZE = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i
const UNITS = new Map([
  ['', 1],
  ['k', 2 ** 10],
  ['m', 2 ** 20],
  ['g', 2 ** 30],
  ['t', 2 ** 40],
])

/** A number of bytes: `65536`, `256m`, `1g`, `1.5 GiB`. The units are powers of 1024. */
export function parseSize(option: string, text: string): number {
  const match = SIZE.exec(text.trim())
  const bytes = match === null ? NaN : Math.round(Number(match[1]) * UNITS.get(match[2].toLowerCase())!)
  if (!Number.isSafeInteger(bytes) || bytes < 1) {
    throw new UsageError(`${option} must be a size such as 256m, 1g or a number of bytes, not '${text}'`)
  }
  return bytes
}

/** A whole number from `least` to `most`. */
export function parseCount(option: string, text: string, least: number, most: number): number {
  const count = /^\d{1,15}$/.test(text) ? Number(text) : NaN
  if (!(count >= least && count <= most)) {
    throw new UsageError(`${option} must be a whole number from ${least} to ${most}, not '${text}'`)
  }
  return count
}

/** What `parseArgs` of node:util makes of the arguments; its complaints become one short line. */
export function readArguments<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config)
  } catch (error) {
    throw asUsageError(error)
  }
}

function asUsageError(error: unknown): unknown {
  if (!(error instanceof TypeError) || !('code' in error)) return error
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? ''
  switch (error.code) {
    case 'ERR_PARSE_ARGS_UNKNOWN_OPTION':
      return new UsageError(`unknown option '${quoted}'`)
    case 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL':
      return new UsageError(`unexpected argument '${quoted}'`)
    case 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE': {
      // Quoted as it was declared: '-h, --help' or '--workers <value>'.
      const name = /--[\w-]+/.exec(quoted)?.[0] ?? quoted
      const takesNone = error.message.includes('does not take an argument')
      return new UsageError(`option '${name}' ${takesNone ? 'takes no value' : 'needs a value'}`)
    }
    default:
      return error
  }
}
