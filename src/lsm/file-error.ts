/**
 * The errors of files: what failed, in which file, where, and why.
 *
 * Thread safety: immutable values.
 */
import { HeddleError, type HeddleErrorCode } from '../memory/error.ts'

/** The calls of a disk, as errors name them. */
export type DiskOperation =
  | 'create'
  | 'open'
  | 'read'
  | 'write'
  | 'sync'
  | 'truncate'
  | 'preallocate'
  | 'rename'
  | 'remove'
  | 'list'
  | 'stat'
  | 'sync directory'
  | 'lock'
  | 'close'

/** What the system says when there is no room: for these a later attempt may succeed. */
const NO_SPACE: readonly string[] = ['ENOSPC', 'EDQUOT']

/**
 * An operation on a file failed, or what is in the file is wrong.
 *
 * Codes: HEDDLE_NO_SPACE (the file system or the quota is full), HEDDLE_IO (any other refusal of the system),
 * HEDDLE_CORRUPT (the bytes are not what was written there).
 */
export class FileError extends HeddleError {
  /** Name of the file in its directory; '.' stands for the directory itself. */
  readonly file: string
  /** In bytes from the beginning of the file; 0 where an operation concerns the whole file. */
  readonly offset: number
  readonly operation: DiskOperation
  /** The system's name for the reason (`EIO`, `ENOSPC`, ...); '' if it was not the system that complained. */
  readonly errno: string

  constructor(
    code: HeddleErrorCode,
    message: string,
    file: string,
    offset: number,
    operation: DiskOperation,
    errno: string,
  ) {
    super(code, message)
    this.file = file
    this.offset = offset
    this.operation = operation
    this.errno = errno
  }
}

/** The error for a call that the system refused with `errno`. */
export function ioError(operation: DiskOperation, file: string, offset: number, errno: string): FileError {
  const noSpace = NO_SPACE.includes(errno)
  return new FileError(
    noSpace ? 'HEDDLE_NO_SPACE' : 'HEDDLE_IO',
    `${operation} of ${file} at offset ${offset} failed: ${errno}` + (noSpace ? '; make room for it' : ''),
    file,
    offset,
    operation,
    errno,
  )
}

const ADVICE = '; restore the store from a backup'

/** The error for bytes that are not what was written there. @param what names the finding, for example 'checksum' */
export function corruptFile(file: string, offset: number, what: string): FileError {
  return new FileError(
    'HEDDLE_CORRUPT',
    `${file} is corrupt at offset ${offset}: ${what}${ADVICE}`,
    file,
    offset,
    'read',
    '',
  )
}

/** What an error has found, without file, offset and advice: for who lists them. */
export function findingOf({ code, message, file, offset }: FileError): string {
  const before = `${file} is corrupt at offset ${offset}: `
  return code === 'HEDDLE_CORRUPT' ? message.slice(before.length, -ADVICE.length) : message
}

/** Whether an error says that there was no room, so that the same may succeed once there is. */
export function isNoSpace(error: unknown): boolean {
  return error instanceof HeddleError && error.code === 'HEDDLE_NO_SPACE'
}
