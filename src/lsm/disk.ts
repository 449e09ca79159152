/**
 * The only door to files: one directory, through an interface that tests replace by a simulated disk.
 *
 * A disk is bound to one directory. All names are those of `file-name.ts`, checked before use. Every call is synchronous
 * and either does all of what it says or throws a FileError (HEDDLE_IO or HEDDLE_NO_SPACE) that names file, offset,
 * operation and reason; a failed `write` may have written any part of its range.
 *
 * What survives a crash of the machine, and therefore what callers may build on:
 *   - bytes written are durable after a later `sync` of the same file that did not throw; before that they may be lost,
 *     written in any order, torn at 512 bytes, or replaced by zeros or garbage. So may a change of length.
 *   - `create`, `rename` and `remove` are durable after a later `syncDirectory` that did not throw; before that each may
 *     have happened or not, in any order.
 *   - after a `sync` that threw, nothing that was written since the last good `sync` of that file can be trusted, and no
 *     later `sync` of the file can make it so: abandon the file. After a `syncDirectory` that threw, its entries likewise.
 *
 * What survives a crash of the process or the end of a thread: every call that returned.
 *
 * Thread safety: a Disk and its files belong to the thread that made them. Several threads may have disks on the same
 * directory; the file system orders their calls. A file that one thread appends to is read by others only below a length
 * that was published to them.
 * Death: Node closes the files of a worker that ends, however it ends. What it had written stays, unsynced.
 */

/** An open file. */
export interface DiskFile {
  /** Its name in the directory when it was opened. */
  readonly name: string

  /** Length in bytes, as this handle knows it: measured by `open`, moved by the handle's own writes and truncations. */
  readonly size: number

  /**
   * Reads `length` bytes at `offset` into `into`, from `at` on.
   * @returns bytes read; fewer than `length` only where the file ends
   */
  read(into: Uint8Array, at: number, length: number, offset: number): number

  /** Writes `length` bytes of `from`, from `at` on, at `offset`. All of them or an error. Shared memory is accepted. */
  write(from: Uint8Array, at: number, length: number, offset: number): void

  /** Writes at the end. @returns the offset at which the bytes now begin */
  append(from: Uint8Array, at: number, length: number): number

  /** Makes what was written durable, lengths included (fdatasync). Never call it again after it threw. */
  sync(): void

  /** Cuts the file, or extends it by zeros, to `length` bytes. */
  truncate(length: number): void

  /**
   * Extends the file to `length` bytes that the file system has really set aside (zeros are written), so that writing
   * there later neither lacks room nor changes metadata. Shorter than the file: nothing happens. Not synced.
   */
  preallocate(length: number): void

  /** Idempotent. Does not sync. */
  close(): void
}

export interface Disk {
  /** A new, empty file, open for reading and writing. @throws FileError EEXIST if the name is taken */
  create(name: string): DiskFile

  /** Opens a file that exists. @throws FileError ENOENT if it does not, ELOOP if it is a link */
  open(name: string, access: 'read' | 'write'): DiskFile

  /** Gives a file another name, replacing what had it. Durable after `syncDirectory`. */
  rename(from: string, to: string): void

  /** Removes a file. Durable after `syncDirectory`. @throws FileError ENOENT if there is none */
  remove(name: string): void

  /** All names in the directory, foreign ones included, in no order. */
  list(): string[]

  /** Length of a file in bytes, or undefined if there is none of that name. */
  sizeOf(name: string): number | undefined

  /** Makes creations, renamings and removals durable. */
  syncDirectory(): void
}
