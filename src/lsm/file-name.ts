/**
 * Names of files: made from an integer and a kind, checked before use, so that no name can lead out of the directory.
 *
 *   000123.log        a write-ahead log
 *   000123.table      a sorted table
 *   000123.manifest   a manifest: complete and synced before it got this name
 *   000123.temp       a file under construction; of no worth after a crash
 *
 * Ids are never used twice in a directory, whatever the kind. Names sort as their ids do up to 999999; beyond that they
 * get longer, so order them by id, not as strings.
 *
 * Thread safety: pure functions.
 */
import { HeddleError } from '../memory/error.ts'

export type FileKind = 'log' | 'table' | 'manifest' | 'temp'

/** The largest id: ids are kept in 32-bit words, of which the sign is left out. */
export const MAX_FILE_ID = 0x7fffffff

const DIGITS = 6
const NAME = /^([0-9]{6,10})\.(log|table|manifest|temp)$/

export interface ParsedName {
  readonly id: number
  readonly kind: FileKind
}

/**
 * The name of a file.
 * @throws HeddleError HEDDLE_INTERNAL if the id is not an integer from 1 to MAX_FILE_ID
 */
export function fileName(id: number, kind: FileKind): string {
  if (!Number.isInteger(id) || id < 1 || id > MAX_FILE_ID) {
    throw new HeddleError('HEDDLE_INTERNAL', `${String(id)} is not a file id; please report this as a bug of heddle`)
  }
  return `${String(id).padStart(DIGITS, '0')}.${kind}`
}

/** What a name says, or undefined if `fileName` would never give it: such files are not ours and are left alone. */
export function parseFileName(name: string): ParsedName | undefined {
  const match = NAME.exec(name)
  if (match === null) return undefined
  const id = Number(match[1])
  const kind = match[2] as FileKind
  if (id < 1 || id > MAX_FILE_ID || fileName(id, kind) !== name) return undefined
  return { id, kind }
}
