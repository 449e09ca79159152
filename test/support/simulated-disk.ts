/**
 * A disk in memory: the interface of `src/lsm/disk.ts`, a journal of what was done to it, and faults at any call.
 *
 * The journal holds what `crash-states.ts` needs to say what may be left after a crash at any moment. A new disk with what
 * is left is made by `SimulatedDisk.with(files)`; going on with the same disk is what a kill of the process leaves.
 */
import type { Disk, DiskFile } from '../../src/lsm/disk.ts'
import { type DiskOperation, ioError } from '../../src/lsm/file-error.ts'
import { parseFileName } from '../../src/lsm/file-name.ts'
import { type Random, random } from './random.ts'

export type Files = ReadonlyMap<string, Uint8Array>

/** What happened to the disk, in order. Files are numbered by inode, since names come and go. */
export type Change =
  | { readonly kind: 'create'; readonly name: string; readonly inode: number }
  | { readonly kind: 'write'; readonly inode: number; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly inode: number; readonly length: number }
  | { readonly kind: 'sync'; readonly inode: number; readonly outcome: SyncOutcome }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string; readonly inode: number }
  | { readonly kind: 'remove'; readonly name: string }
  | { readonly kind: 'sync directory'; readonly outcome: SyncOutcome }

/** `kept`: it failed, and what was to be written is still dirty. `dropped`: it failed, and that is forgotten. */
export type SyncOutcome = 'good' | 'kept' | 'dropped'

export type Errno = 'EIO' | 'ENOSPC' | 'EDQUOT' | 'EMFILE' | 'EROFS'

/** A failure to come. Calls are counted from 1 over all kinds. */
export interface Fault {
  readonly at: number
  readonly errno: Errno
  /** Once: this call only, if it can fail so. Else all calls from this one on that can. */
  readonly once: boolean
  /** What a failed sync leaves behind. */
  readonly sync?: 'kept' | 'dropped'
}

const NEEDS_SPACE: readonly DiskOperation[] = ['create', 'write', 'preallocate', 'truncate', 'rename', 'sync']
const MAY_FAIL: Readonly<Record<Errno, readonly DiskOperation[] | undefined>> = {
  EIO: undefined,
  ENOSPC: NEEDS_SPACE,
  EDQUOT: NEEDS_SPACE,
  EMFILE: ['create', 'open', 'list', 'sync directory'],
  EROFS: ['create', 'write', 'preallocate', 'truncate', 'rename', 'remove', 'sync'],
}

interface Inode {
  readonly number: number
  bytes: Uint8Array
  size: number
  /** Whether the bytes are somebody else's, too, so that they are copied before they are changed. */
  shared: boolean
}

export class SimulatedDisk implements Disk {
  readonly journal: Change[] = []
  /** Every call, by kind, failed ones included. */
  readonly calls: DiskOperation[] = []
  /** Calls that failed as told. */
  faults = 0
  fault: Fault | undefined
  /** Bytes that fit; ENOSPC beyond. May be changed at any time. */
  capacity = Infinity
  openFiles = 0
  private used = 0
  private inodes = 0
  private readonly names = new Map<string, Inode>()
  private readonly rng: Random

  constructor(seed = 1) {
    this.rng = random(seed)
  }

  /** A disk that has always had these files. Their bytes are not changed by what is done to it. */
  static with(files: Files, seed = 1): SimulatedDisk {
    const disk = new SimulatedDisk(seed)
    for (const [name, bytes] of files) {
      disk.names.set(name, { number: disk.inodes++, bytes, size: bytes.length, shared: true })
      disk.used += bytes.length
    }
    return disk
  }

  /** What programs see at this moment, copied. */
  files(): Map<string, Uint8Array> {
    const files = new Map<string, Uint8Array>()
    for (const [name, { bytes, size }] of this.names) files.set(name, bytes.slice(0, size))
    return files
  }

  /** The files that were there from the beginning, as inodes, for who follows the journal. Take it before any change. */
  initial(): Map<string, { inode: number; bytes: Uint8Array }> {
    const found = new Map<string, { inode: number; bytes: Uint8Array }>()
    for (const [name, { number, bytes, size }] of this.names) {
      found.set(name, { inode: number, bytes: bytes.slice(0, size) })
    }
    return found
  }

  create(name: string): DiskFile {
    this.enter('create', name, 0)
    check(name)
    if (this.names.has(name)) throw ioError('create', name, 0, 'EEXIST')
    const inode: Inode = { number: this.inodes++, bytes: new Uint8Array(64), size: 0, shared: false }
    this.names.set(name, inode)
    this.journal.push({ kind: 'create', name, inode: inode.number })
    return new SimulatedFile(this, name, inode, true)
  }

  open(name: string, access: 'read' | 'write'): DiskFile {
    this.enter('open', name, 0)
    check(name)
    return new SimulatedFile(this, name, this.find('open', name), access === 'write')
  }

  rename(from: string, to: string): void {
    this.enter('rename', from, 0)
    check(to)
    const inode = this.find('rename', from)
    this.names.delete(from)
    this.names.set(to, inode)
    this.journal.push({ kind: 'rename', from, to, inode: inode.number })
  }

  remove(name: string): void {
    this.enter('remove', name, 0)
    this.used -= this.find('remove', name).size
    this.names.delete(name)
    this.journal.push({ kind: 'remove', name })
  }

  list(): string[] {
    this.enter('list', '.', 0)
    return [...this.names.keys()]
  }

  sizeOf(name: string): number | undefined {
    this.enter('stat', name, 0)
    return this.names.get(name)?.size
  }

  syncDirectory(): void {
    try {
      this.enter('sync directory', '.', 0)
    } catch (error) {
      this.journal.push({ kind: 'sync directory', outcome: this.fault?.sync ?? 'dropped' })
      throw error
    }
    this.journal.push({ kind: 'sync directory', outcome: 'good' })
  }

  private find(operation: DiskOperation, name: string): Inode {
    const inode = this.names.get(name)
    if (inode === undefined) throw ioError(operation, name, 0, 'ENOENT')
    return inode
  }

  /** Counts a call, and fails it if that is due. */
  enter(operation: DiskOperation, file: string, offset: number): void {
    this.calls.push(operation)
    const { fault } = this
    if (fault === undefined || this.calls.length < fault.at) return
    if (fault.once && this.calls.length !== fault.at) return
    if (MAY_FAIL[fault.errno]?.includes(operation) === false) return
    this.faults++
    throw ioError(operation, file, offset, fault.errno)
  }

  /** Writes, or writes a part and fails. */
  put(operation: DiskOperation, name: string, inode: Inode, bytes: Uint8Array, offset: number): void {
    let failure: Error | undefined
    let length = bytes.length
    try {
      this.enter(operation, name, offset)
      const grows = Math.max(0, offset + length - inode.size)
      if (this.used + grows > this.capacity) {
        length = Math.max(0, Math.min(length, this.capacity - this.used + inode.size - offset))
        throw ioError(operation, name, offset, 'ENOSPC')
      }
    } catch (error) {
      failure = error as Error
      length = this.rng.int(length + 1)
    }
    if (length > 0) this.change(inode, bytes.slice(0, length), offset)
    if (failure !== undefined) throw failure
  }

  private change(inode: Inode, bytes: Uint8Array, offset: number): void {
    this.journal.push({ kind: 'write', inode: inode.number, offset, bytes })
    this.resize(inode, Math.max(inode.size, offset + bytes.length))
    own(inode)
    inode.bytes.set(bytes, offset)
  }

  resize(inode: Inode, size: number): void {
    if (size > inode.bytes.length) {
      const grown = new Uint8Array(Math.max(size, 2 * inode.bytes.length))
      grown.set(inode.bytes.subarray(0, inode.size))
      inode.bytes = grown
      inode.shared = false
    } else if (size < inode.size) {
      own(inode)
      inode.bytes.fill(0, size, inode.size)
    }
    this.used += size - inode.size
    inode.size = size
  }
}

class SimulatedFile implements DiskFile {
  readonly name: string
  private readonly disk: SimulatedDisk
  private readonly inode: Inode
  private readonly writable: boolean
  private isOpen = true

  constructor(disk: SimulatedDisk, name: string, inode: Inode, writable: boolean) {
    this.disk = disk
    this.name = name
    this.inode = inode
    this.writable = writable
    disk.openFiles++
  }

  get size(): number {
    return this.inode.size
  }

  read(into: Uint8Array, at: number, length: number, offset: number): number {
    this.must('read', false)
    this.disk.enter('read', this.name, offset)
    const count = Math.max(0, Math.min(length, this.inode.size - offset))
    into.set(this.inode.bytes.subarray(offset, offset + count), at)
    return count
  }

  write(from: Uint8Array, at: number, length: number, offset: number): void {
    this.must('write', true)
    if (at + length > from.length) throw new RangeError('the range of the source is out of bounds')
    this.disk.put('write', this.name, this.inode, from.subarray(at, at + length), offset)
  }

  append(from: Uint8Array, at: number, length: number): number {
    const offset = this.inode.size
    this.write(from, at, length, offset)
    return offset
  }

  sync(): void {
    this.must('sync', false)
    const inode = this.inode.number
    try {
      this.disk.enter('sync', this.name, 0)
    } catch (error) {
      this.disk.journal.push({ kind: 'sync', inode, outcome: this.disk.fault?.sync ?? 'dropped' })
      throw error
    }
    this.disk.journal.push({ kind: 'sync', inode, outcome: 'good' })
  }

  truncate(length: number): void {
    this.must('truncate', true)
    this.disk.enter('truncate', this.name, length)
    this.disk.journal.push({ kind: 'truncate', inode: this.inode.number, length })
    this.disk.resize(this.inode, length)
  }

  preallocate(length: number): void {
    this.must('preallocate', true)
    const { size } = this.inode
    if (length > size) {
      this.disk.put('preallocate', this.name, this.inode, new Uint8Array(length - size), size)
    }
  }

  close(): void {
    if (this.isOpen) this.disk.openFiles--
    this.isOpen = false
  }

  private must(operation: DiskOperation, writes: boolean): void {
    if (!this.isOpen || (writes && !this.writable)) throw ioError(operation, this.name, 0, 'EBADF')
  }
}

function own(inode: Inode): void {
  if (!inode.shared) return
  inode.bytes = inode.bytes.slice()
  inode.shared = false
}

function check(name: string): void {
  if (parseFileName(name) === undefined) throw new Error(`${name} is not a file of a store`)
}
