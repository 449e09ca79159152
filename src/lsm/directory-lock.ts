/**
 * One process for each directory: a lock on the file `lock` in it that the kernel releases when its holder ends.
 *
 * Node has no call for it, so each system has a way of its own:
 *   macOS, FreeBSD  the file is opened with O_EXLOCK | O_NONBLOCK, which is flock(2) in one step
 *   Windows         the file is opened with UV_FS_O_EXLOCK, that is, without sharing
 *   Linux           the program `flock` of util-linux or busybox is given the open file as descriptor 3 and locks it. The
 *                   lock belongs to the open file, which this process holds too, and outlives the program. (5 ms)
 *   Linux without   a listening socket in the abstract namespace, named by device and inode of the file. Known only inside
 *   that program    one network namespace: two containers that share a volume do not see each other's lock then.
 *
 * Guaranteed: of all processes and threads that see the same file on one machine, at most one holds the lock, except for
 * the last line above; when the holder ends, by SIGKILL too, the lock is gone, and there is nothing to clean up. The file
 * itself stays and means nothing. Network file systems are out of scope.
 *
 * Not guaranteed: the lock lives as long as the *thread* that took it, because Node closes the files of a worker that
 * ends. So the thread that opens a store should be the one that lives longest; its end lets another process in although
 * threads of this one may still be at work.
 *
 * Thread safety: a second attempt inside the same process is refused as well, from whatever thread.
 * Death: releases the lock.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, constants, existsSync, fstatSync, openSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { HeddleError } from '../memory/error.ts'
import { ioError } from './file-error.ts'

export const LOCK_FILE = 'lock'
const BSD_O_EXLOCK = 0x20
const UV_FS_O_EXLOCK = 0x10000000
/** Where the program is, by absolute paths: what PATH says is nobody's word to rely on here. */
const FLOCK_PROGRAMS: readonly string[] = ['/usr/bin/flock', '/bin/flock', '/run/current-system/sw/bin/flock']
/** The program's exit code if somebody else has the lock. */
const FLOCK_CONFLICT = 1
const FLOCK_TIMEOUT_MS = 10_000
/** What the systems say when somebody else has the file. */
const TAKEN: readonly string[] = ['EAGAIN', 'EWOULDBLOCK', 'EBUSY', 'EACCES', 'EPERM']

/** Ways to lock, in the order in which they are tried on Linux; tests choose one. */
export type LockMeans = 'open' | 'flock' | 'socket'

export class DirectoryLock {
  readonly means: LockMeans
  private fd: number
  private readonly server: Server | undefined

  private constructor(means: LockMeans, fd: number, server?: Server) {
    this.means = means
    this.fd = fd
    this.server = server
  }

  /**
   * Takes the lock of a directory.
   * @param directory as `openDirectory` gave it
   * @throws HeddleError HEDDLE_LOCKED if another process or thread has it; FileError if the system refuses
   */
  static take(directory: string, means: LockMeans = defaultMeans()): DirectoryLock {
    const fd = openLockFile(directory, means)
    if (means === 'open') return new DirectoryLock(means, fd)
    try {
      if (means === 'socket') return new DirectoryLock(means, fd, lockBySocket(directory, fd))
      lockByProgram(directory, fd)
      return new DirectoryLock(means, fd)
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }

  /** Gives it back. Idempotent. */
  release(): void {
    if (this.fd < 0) return
    closeSync(this.fd)
    this.fd = -1
    this.server?.close()
  }
}

function defaultMeans(): LockMeans {
  if (process.platform !== 'linux') return 'open'
  return flockProgram() === undefined ? 'socket' : 'flock'
}

function flockProgram(): string | undefined {
  for (const path of FLOCK_PROGRAMS) if (existsSync(path)) return path
  return undefined
}

function taken(directory: string): HeddleError {
  return new HeddleError(
    'HEDDLE_LOCKED',
    `${directory} is in use by another process or thread; attach to its store, or close it first`,
  )
}

function openLockFile(directory: string, means: LockMeans): number {
  let flags = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0)
  if (means === 'open') flags |= process.platform === 'win32' ? UV_FS_O_EXLOCK : BSD_O_EXLOCK | constants.O_NONBLOCK
  try {
    return openSync(join(directory, LOCK_FILE), flags, 0o600)
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code ?? 'EIO'
    if (means === 'open' && TAKEN.includes(errno)) throw taken(directory)
    throw ioError('lock', LOCK_FILE, 0, errno)
  }
}

function lockByProgram(directory: string, fd: number): void {
  const program = flockProgram() ?? FLOCK_PROGRAMS[0]
  const stdio: ('ignore' | number)[] = ['ignore', 'ignore', 'ignore', fd]
  const { status, error } = spawnSync(program, ['-n', '-x', '3'], { stdio, env: {}, timeout: FLOCK_TIMEOUT_MS })
  if (status === 0) return
  if (status === FLOCK_CONFLICT) throw taken(directory)
  throw ioError('lock', LOCK_FILE, 0, (error as NodeJS.ErrnoException | undefined)?.code ?? 'ENOLCK')
}

/** Listens on a name that only one can have. Binding is done when `listen` returns; only its error comes later. */
function lockBySocket(directory: string, fd: number): Server {
  const { dev, ino } = fstatSync(fd, { bigint: true })
  const server = listenOn(`\0heddle-${dev}-${ino}`)
  if (server.listening) return server
  // Either the name is taken, or there are no abstract names here at all.
  const probe = listenOn(`\0heddle-${dev}-${ino}-${process.pid}-${process.hrtime.bigint()}`)
  const possible = probe.listening
  if (possible) probe.close()
  throw possible ? taken(directory) : ioError('lock', LOCK_FILE, 0, 'ENOLCK')
}

function listenOn(path: string): Server {
  const server = createServer((socket) => socket.destroy())
  server.on('error', () => {})
  // Exclusive: in a cluster's worker, listening goes through the primary otherwise.
  server.listen({ path, exclusive: true })
  server.unref()
  return server
}
