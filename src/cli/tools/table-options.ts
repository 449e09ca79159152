import type { Compression } from '../../lsm/block-frame.ts'
import { parseSize } from '../arguments.ts'
import { UsageError } from '../usage-error.ts'

/** How tables are written by the commands that write some. */
export interface TableSettings {
  readonly compression: Compression
  readonly tableBytes: number
}

/** Their options, for `parseArgs`. */
export const TABLE_OPTIONS = {
  compression: { type: 'string', default: 'none' },
  'table-bytes': { type: 'string', default: '16m' },
} as const

/** Their lines in help texts. */
export const TABLE_HELP = `  --compression <how>    of the tables written: none, deflate or brotli (none)
  --table-bytes <size>   size at which a table is ended (16m)`

export function tableSettings(values: { compression: string; 'table-bytes': string }): TableSettings {
  const { compression } = values
  if (compression !== 'none' && compression !== 'deflate' && compression !== 'brotli') {
    throw new UsageError(`--compression must be none, deflate or brotli, not '${compression}'`)
  }
  const tableBytes = parseSize('--table-bytes', values['table-bytes'])
  if (tableBytes > 2 ** 30) throw new UsageError(`--table-bytes must be 1g at most, not '${values['table-bytes']}'`)
  return { compression, tableBytes }
}
