/**
 * A disk that cannot be changed: what the tools that only read are given. Syncs do nothing, since nothing is built on what
 * is read; whatever would change a file or a name is refused. Files are opened for reading, whatever is asked for.
 *
 * Thread safety: as the disk below.
 */
import type { Disk, DiskFile } from './disk.ts'
import { type DiskOperation, ioError } from './file-error.ts'

function refuse(operation: DiskOperation, name: string): never {
  throw ioError(operation, name, 0, 'EROFS')
}

class ReadOnlyFile implements DiskFile {
  readonly name: string
  private readonly file: DiskFile

  constructor(file: DiskFile) {
    this.file = file
    this.name = file.name
  }

  get size(): number {
    return this.file.size
  }

  read(into: Uint8Array, at: number, length: number, offset: number): number {
    return this.file.read(into, at, length, offset)
  }

  write(): void {
    refuse('write', this.name)
  }

  append(): number {
    return refuse('write', this.name)
  }

  sync(): void {}

  truncate(): void {
    refuse('truncate', this.name)
  }

  preallocate(): void {
    refuse('preallocate', this.name)
  }

  close(): void {
    this.file.close()
  }
}

export class ReadOnlyDisk implements Disk {
  private readonly disk: Disk

  constructor(disk: Disk) {
    this.disk = disk
  }

  create(name: string): DiskFile {
    return refuse('create', name)
  }

  open(name: string): DiskFile {
    return new ReadOnlyFile(this.disk.open(name, 'read'))
  }

  rename(from: string): void {
    refuse('rename', from)
  }

  remove(name: string): void {
    refuse('remove', name)
  }

  list(): string[] {
    return this.disk.list()
  }

  sizeOf(name: string): number | undefined {
    return this.disk.sizeOf(name)
  }

  syncDirectory(): void {}
}
