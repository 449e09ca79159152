/**
 * The real disk: one directory, through synchronous calls of node:fs.
 *
 * Files are made with 0600 and O_EXCL, the directory with 0700, and no link is followed inside it. (The path that leads
 * to the directory may go through links: it is resolved once.) Names are checked, so that none can lead outside.
 *
 * A count that is short hides an error: libuv gives up after a partial write without saying why. So the rest is asked for
 * again, which either succeeds or brings the error up.
 *
 * Durability: `sync` is fdatasync, which on Linux flushes the drive's cache and includes a changed length. On macOS libuv
 * makes it F_FULLFSYNC. On Windows it is FlushFileBuffers; a directory cannot be synced there, and we rely on NTFS keeping
 * its metadata in a journal.
 *
 * Thread safety and death: see disk.ts.
 */
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { HeddleError } from '../memory/error.ts'
import type { Disk, DiskFile } from './disk.ts'
import { type DiskOperation, FileError, ioError } from './file-error.ts'
import { parseFileName } from './file-name.ts'

const FILE_MODE = 0o600
const DIRECTORY_MODE = 0o700
const ZEROS_BYTES = 2 ** 18
/** Not defined on Windows, where creating links is a privilege. */
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0
const CAN_SYNC_DIRECTORIES = process.platform !== 'win32'

/** The calls of node:fs, replaceable so that tests can make them short. */
export interface FileCalls {
  readonly write: (fd: number, from: Uint8Array, at: number, length: number, offset: number) => number
  readonly read: (fd: number, into: Uint8Array, at: number, length: number, offset: number) => number
}

const NODE_CALLS: FileCalls = { write: writeSync, read: readSync }

function fail(operation: DiskOperation, file: string, offset: number, error: unknown): never {
  const errno = (error as NodeJS.ErrnoException).code
  if (error instanceof FileError || typeof errno !== 'string') throw error
  throw ioError(operation, file, offset, errno)
}

class RealFile implements DiskFile {
  readonly name: string
  private readonly fd: number
  private readonly calls: FileCalls
  private end: number
  private closed = false

  constructor(name: string, fd: number, end: number, calls: FileCalls) {
    this.name = name
    this.fd = fd
    this.end = end
    this.calls = calls
  }

  get size(): number {
    return this.end
  }

  read(into: Uint8Array, at: number, length: number, offset: number): number {
    let done = 0
    try {
      while (done < length) {
        const count = this.calls.read(this.fd, into, at + done, length - done, offset + done)
        if (count === 0) break
        done += count
      }
    } catch (error) {
      fail('read', this.name, offset + done, error)
    }
    return done
  }

  write(from: Uint8Array, at: number, length: number, offset: number): void {
    this.put('write', from, at, length, offset)
  }

  append(from: Uint8Array, at: number, length: number): number {
    const offset = this.end
    this.put('write', from, at, length, offset)
    return offset
  }

  private put(operation: DiskOperation, from: Uint8Array, at: number, length: number, offset: number): void {
    let done = 0
    try {
      while (done < length) {
        const count = this.calls.write(this.fd, from, at + done, length - done, offset + done)
        if (count === 0) throw ioError(operation, this.name, offset + done, 'EIO')
        done += count
      }
    } catch (error) {
      fail(operation, this.name, offset + done, error)
    } finally {
      this.end = Math.max(this.end, offset + done)
    }
  }

  sync(): void {
    try {
      fdatasyncSync(this.fd)
    } catch (error) {
      fail('sync', this.name, 0, error)
    }
  }

  truncate(length: number): void {
    try {
      ftruncateSync(this.fd, length)
      this.end = length
    } catch (error) {
      fail('truncate', this.name, length, error)
    }
  }

  preallocate(length: number): void {
    const zeros = new Uint8Array(Math.min(ZEROS_BYTES, Math.max(0, length - this.end)))
    while (this.end < length) {
      this.put('preallocate', zeros, 0, Math.min(zeros.length, length - this.end), this.end)
    }
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    try {
      closeSync(this.fd)
    } catch (error) {
      fail('close', this.name, 0, error)
    }
  }
}

export class FileDisk implements Disk {
  /** The directory, resolved. */
  readonly directory: string
  private readonly calls: FileCalls

  /** @param directory as `openDirectory` gave it */
  constructor(directory: string, calls: FileCalls = NODE_CALLS) {
    this.directory = directory
    this.calls = calls
  }

  private path(name: string): string {
    if (parseFileName(name) === undefined) {
      throw new HeddleError(
        'HEDDLE_INTERNAL',
        `${name} is not a file of a store; please report this as a bug of heddle`,
      )
    }
    return join(this.directory, name)
  }

  create(name: string): DiskFile {
    const path = this.path(name)
    try {
      const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | NO_FOLLOW
      return new RealFile(name, openSync(path, flags, FILE_MODE), 0, this.calls)
    } catch (error) {
      fail('create', name, 0, error)
    }
  }

  open(name: string, access: 'read' | 'write'): DiskFile {
    const path = this.path(name)
    try {
      const fd = openSync(path, (access === 'read' ? constants.O_RDONLY : constants.O_RDWR) | NO_FOLLOW)
      return new RealFile(name, fd, measured(name, fd), this.calls)
    } catch (error) {
      fail('open', name, 0, error)
    }
  }

  rename(from: string, to: string): void {
    const [source, target] = [this.path(from), this.path(to)]
    try {
      renameSync(source, target)
    } catch (error) {
      fail('rename', from, 0, error)
    }
  }

  remove(name: string): void {
    const path = this.path(name)
    try {
      unlinkSync(path)
    } catch (error) {
      fail('remove', name, 0, error)
    }
  }

  list(): string[] {
    try {
      return readdirSync(this.directory)
    } catch (error) {
      fail('list', '.', 0, error)
    }
  }

  sizeOf(name: string): number | undefined {
    const path = this.path(name)
    try {
      return lstatSync(path, { throwIfNoEntry: false })?.size
    } catch (error) {
      fail('stat', name, 0, error)
    }
  }

  syncDirectory(): void {
    if (!CAN_SYNC_DIRECTORIES) return
    syncDirectoryAt(this.directory)
  }
}

/** Length of an open file. Whatever is not a regular file is refused: a pipe of that name would block for ever. */
function measured(name: string, fd: number): number {
  const stat = fstatSync(fd)
  if (stat.isFile()) return stat.size
  closeSync(fd)
  throw ioError('open', name, 0, 'EINVAL')
}

function syncDirectoryAt(path: string): void {
  let fd = -1
  try {
    fd = openSync(path, constants.O_RDONLY | (constants.O_DIRECTORY ?? 0))
    fsyncSync(fd)
  } catch (error) {
    fail('sync directory', '.', 0, error)
  } finally {
    if (fd >= 0) closeSync(fd)
  }
}

/**
 * Makes the directory if it is not there, with 0700, and its entry in the parent durable.
 * @returns its path with all links resolved
 * @throws FileError if it cannot be made, or is not a directory (ENOTDIR)
 */
export function openDirectory(path: string): string {
  try {
    const made = mkdirSync(path, { recursive: true, mode: DIRECTORY_MODE })
    const directory = realpathSync(path)
    if (!lstatSync(directory).isDirectory()) throw ioError('open', '.', 0, 'ENOTDIR')
    if (made !== undefined && CAN_SYNC_DIRECTORIES) syncParents(directory, realpathSync(made))
    return directory
  } catch (error) {
    fail('open', '.', 0, error)
  }
}

/** Syncs the parent of each directory from `directory` up to `top`, the highest one that was made. */
function syncParents(directory: string, top: string): void {
  for (let at = directory; ; at = join(at, '..')) {
    syncDirectoryAt(join(at, '..'))
    if (at === top) return
  }
}
