/** What the commands on a store's directory share: finding it, locking it, and telling what is wrong in one line. */
import { readdirSync } from 'node:fs'
import { DirectoryReader } from '../../lsm/directory-reader.ts'
import type { Disk } from '../../lsm/disk.ts'
import { parseFileName } from '../../lsm/file-name.ts'
import { isDirectory, type Offline, openForReading, openForWriting } from '../../lsm/offline.ts'
import { HeddleError } from '../../memory/error.ts'
import { Screen } from '../screen.ts'
import { UsageError } from '../usage-error.ts'

/** A screen whose bars go to stderr only, for commands whose stdout may be read by a program. */
export function barsOnStderr(): Screen {
  return new Screen({ write: (text) => process.stdout.write(text) }, process.stderr)
}

/** Whether there are files of a store under a path. */
export function holdsFiles(path: string): boolean {
  return isDirectory(path) && readdirSync(path).some((name) => parseFileName(name) !== undefined)
}

function mustHoldFiles(path: string): void {
  if (!isDirectory(path)) throw new UsageError(`there is no directory '${path}'`)
  if (!holdsFiles(path)) throw new UsageError(`there is no store in '${path}'`)
}

/** Works on the files of a directory without changing any. */
export function reading<T>(path: string, work: (from: Offline) => T): T {
  mustHoldFiles(path)
  return closing(openForReading(path), work)
}

/** Works on the files of a directory that has some. */
export function changing<T>(path: string, work: (in_: Offline) => T): T {
  mustHoldFiles(path)
  return closing(openForWriting(path), work)
}

/** Gives a directory back after the work, which may come to its end later. */
export function closing<T>(offline: Offline, work: (offline: Offline) => T): T {
  let result: T
  try {
    result = work(offline)
  } catch (error) {
    closeQuietly(offline)
    throw error
  }
  offline.close()
  return result
}

/** After a failure that failure is what is told. */
function closeQuietly(offline: Offline): void {
  try {
    offline.close()
  } catch {
    // The failure before may well be due to this one.
  }
}

/** The store on a disk. */
export function storeOn(disk: Disk, path: string): DirectoryReader {
  const reader = DirectoryReader.open(disk)
  if (reader === undefined) throw new UsageError(`there is no store in '${path}'`)
  return reader
}

/**
 * Runs a command. What is wrong with a store, or with the disk, is one line on stderr and exit code 1.
 * @param name of the command
 */
export async function telling(name: string, work: () => number | Promise<number>): Promise<number> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof HeddleError) || error.code === 'HEDDLE_INTERNAL') throw error
    const hint = error.code === 'HEDDLE_CORRUPT' && name !== 'verify' ? "; 'heddle verify' tells more" : ''
    process.stderr.write(`heddle ${name}: ${error.message}${hint}\n`)
    return 1
  }
}
