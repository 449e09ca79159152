/**
 * A directory for tools that work without a store: found, locked, and given as a disk.
 *
 * For reading nothing in the directory is changed, not even by a lock file: where there is none, nobody has the store
 * open, since every opener makes one first. Should one have appeared when the work is done, somebody opened the store
 * meanwhile, and what was read may be anything: HEDDLE_LOCKED.
 *
 * Thread safety: belongs to one thread. Death: the kernel gives the lock back; a scratch directory stays.
 */
import { existsSync, linkSync, lstatSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HeddleError } from '../memory/error.ts'
import { DirectoryLock, LOCK_FILE } from './directory-lock.ts'
import type { Disk } from './disk.ts'
import { FileDisk, openDirectory } from './file-disk.ts'
import { ReadOnlyDisk } from './read-only-disk.ts'

/** What a tool holds of a directory. */
export interface Offline {
  readonly disk: Disk
  /** The path, all links resolved. */
  readonly directory: string
  /** Gives the lock back. Idempotent. @throws HeddleError HEDDLE_LOCKED if what was read may have changed meanwhile */
  readonly close: () => void
}

/** Whether there is a directory under a path. */
export function isDirectory(path: string): boolean {
  return lstatSync(realpathOf(path) ?? path, { throwIfNoEntry: false })?.isDirectory() === true
}

function realpathOf(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

/**
 * A directory to read from.
 * @param path of a directory that is there
 * @throws HeddleError HEDDLE_LOCKED if a store has it open
 */
export function openForReading(path: string): Offline {
  const directory = realpathSync(path)
  const lockFile = join(directory, LOCK_FILE)
  const disk = new ReadOnlyDisk(new FileDisk(directory))
  if (existsSync(lockFile)) {
    const lock = DirectoryLock.take(directory)
    return { disk, directory, close: () => lock.release() }
  }
  const close = (): void => {
    if (!existsSync(lockFile)) return
    throw new HeddleError('HEDDLE_LOCKED', `${directory} was opened by a store meanwhile; try again when it is closed`)
  }
  return { disk, directory, close }
}

/**
 * A directory to write to; it is made if it is not there.
 * @throws HeddleError HEDDLE_LOCKED if a store has it open; FileError
 */
export function openForWriting(path: string): Offline {
  const directory = openDirectory(path)
  const lock = DirectoryLock.take(directory)
  return { disk: new FileDisk(directory), directory, close: () => lock.release() }
}

/** Links a file of one directory into another. @returns false if the file systems do not allow it: then it is to be copied */
export function linkFile(from: Offline, to: Offline, name: string): boolean {
  try {
    linkSync(join(from.directory, name), join(to.directory, name))
    return true
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code ?? ''
    if (['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP'].includes(errno)) return false
    throw error
  }
}

/** A directory of its own for files that are not needed any more when the work is done; made when it is asked for. */
export class Scratch {
  private made: FileDisk | undefined

  readonly disk = (): Disk => {
    this.made ??= new FileDisk(mkdtempSync(join(realpathSync(tmpdir()), 'heddle-')))
    return this.made
  }

  /** Removes it. Idempotent. */
  close(): void {
    if (this.made !== undefined) rmSync(this.made.directory, { recursive: true, force: true })
    this.made = undefined
  }
}
