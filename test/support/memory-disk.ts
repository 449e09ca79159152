/** A disk in private memory, without failures: for tests of formats, which change its bytes as they like. */
import type { Disk, DiskFile } from '../../src/lsm/disk.ts'
import { ioError } from '../../src/lsm/file-error.ts'

class Content {
  bytes = new Uint8Array(1024)
  length = 0

  reach(length: number): void {
    if (length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.bytes.length))
      larger.set(this.bytes.subarray(0, this.length))
      this.bytes = larger
    }
    this.length = Math.max(this.length, length)
  }
}

class MemoryFile implements DiskFile {
  readonly name: string
  private readonly content: Content
  private readonly disk: MemoryDisk

  constructor(name: string, content: Content, disk: MemoryDisk) {
    this.name = name
    this.content = content
    this.disk = disk
  }

  get size(): number {
    return this.content.length
  }

  read(into: Uint8Array, at: number, length: number, offset: number): number {
    const { content } = this
    const count = Math.max(0, Math.min(length, content.length - offset))
    into.set(content.bytes.subarray(offset, offset + count), at)
    this.disk.reads++
    return count
  }

  write(from: Uint8Array, at: number, length: number, offset: number): void {
    this.content.reach(offset + length)
    this.content.bytes.set(from.subarray(at, at + length), offset)
  }

  append(from: Uint8Array, at: number, length: number): number {
    const offset = this.content.length
    this.write(from, at, length, offset)
    return offset
  }

  sync(): void {
    if (this.disk.failSync) throw ioError('sync', this.name, 0, 'EIO')
    this.disk.log.push(`sync ${this.name}`)
  }

  truncate(length: number): void {
    this.content.reach(length)
    this.content.length = length
  }

  preallocate(length: number): void {
    this.content.reach(length)
  }

  close(): void {}
}

export class MemoryDisk implements Disk {
  reads = 0
  failSync = false
  /** Syncs, renamings and removals in order. */
  readonly log: string[] = []
  private readonly files = new Map<string, Content>()

  create(name: string): DiskFile {
    if (this.files.has(name)) throw ioError('create', name, 0, 'EEXIST')
    const content = new Content()
    this.files.set(name, content)
    return new MemoryFile(name, content, this)
  }

  open(name: string): DiskFile {
    const content = this.files.get(name)
    if (content === undefined) throw ioError('open', name, 0, 'ENOENT')
    return new MemoryFile(name, content, this)
  }

  rename(from: string, to: string): void {
    this.files.set(to, this.files.get(from)!)
    this.files.delete(from)
    this.log.push(`rename ${from} ${to}`)
  }

  remove(name: string): void {
    if (!this.files.delete(name)) throw ioError('remove', name, 0, 'ENOENT')
    this.log.push(`remove ${name}`)
  }

  list(): string[] {
    return [...this.files.keys()]
  }

  sizeOf(name: string): number | undefined {
    return this.files.get(name)?.length
  }

  syncDirectory(): void {
    this.log.push('sync directory')
  }

  /** A copy of what is in a file. */
  contentOf(name: string): Uint8Array {
    const content = this.files.get(name)!
    return content.bytes.slice(0, content.length)
  }

  /** Puts other bytes in the place of a file's. */
  put(name: string, bytes: Uint8Array): void {
    const content = new Content()
    content.bytes = Uint8Array.from(bytes)
    content.length = bytes.length
    this.files.set(name, content)
  }
}
