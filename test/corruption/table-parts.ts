/** A table file taken apart, changed and put together again, with checksums that fit or do not. */
import { expect } from 'vitest'
import { placedChecksum } from '../../src/lsm/block-checksum.ts'
import { readU32, writeU32 } from '../../src/lsm/byte-codec.ts'
import { KIND_DELETE, ValueBuffer } from '../../src/lsm/entry.ts'
import { FileError } from '../../src/lsm/file-error.ts'
import { FOOTER_BYTES } from '../../src/lsm/table-format.ts'
import { TableIterator } from '../../src/lsm/table-iterator.ts'
import { ABSENT, TableReader } from '../../src/lsm/table-reader.ts'
import { verifyTable } from '../../src/lsm/table-verify.ts'
import { backwards, bytesOf, type Entry, entryAt, firstFrom, forwards } from '../support/entries.ts'
import { MemoryDisk } from '../support/memory-disk.ts'

export const NAME = '000007.table'
export const ID = 7

export interface Frame {
  readonly offset: number
  readonly length: number
}

/** The frames of a sound file, in order, by walking it. */
export function framesOf(file: Uint8Array): Frame[] {
  const frames: Frame[] = []
  for (let offset = 0; offset < file.length - FOOTER_BYTES;) {
    const length = 16 + readU32(file, offset + 4)
    frames.push({ offset, length })
    offset += length
  }
  return frames
}

export function fixFrame(file: Uint8Array, { offset, length }: Frame): void {
  writeU32(file, offset, placedChecksum(file, offset + 4, offset + length, ID, 1, offset))
}

export function fixFooter(file: Uint8Array): void {
  const at = file.length - FOOTER_BYTES
  writeU32(file, at + 48, placedChecksum(file, at, at + 48, ID, 1, at))
}

/** Whether something was refused as corrupt, with the file's name and an offset within reach of it. */
function isCorrupt(error: unknown): boolean {
  if (!(error instanceof FileError) || error.code !== 'HEDDLE_CORRUPT') return false
  expect(error.file).toBe(NAME)
  expect(error.message).toContain(NAME)
  expect(Number.isInteger(error.offset) && error.offset >= 0).toBe(true)
  return true
}

/** @returns what it gave, or undefined if that was refused as corrupt; anything else that is thrown comes through */
function attempt<T>(run: () => T): { readonly value: T } | undefined {
  try {
    return { value: run() }
  } catch (error) {
    if (!isCorrupt(error)) throw error
    return undefined
  }
}

export function lookup(reader: TableReader, key: string, bound: number): Entry | undefined {
  const into = new ValueBuffer()
  const bytes = bytesOf(key)
  const kind = reader.get(bytes, 0, bytes.length, bound, into)
  if (kind === ABSENT) return undefined
  const value = Buffer.from(into.bytes.subarray(0, into.length)).toString('latin1')
  return { key, sequence: into.sequence, value: kind === KIND_DELETE ? undefined : value }
}

/**
 * Does everything with a file that can be done with a table.
 * @param right what it held before it was changed: what is not refused must be the same; undefined if anything may come
 * @returns how many of the things done were refused
 */
export function tryAll(file: Uint8Array, right: readonly Entry[] | undefined, probes: readonly Entry[]): number {
  const disk = new MemoryDisk()
  disk.put(NAME, file)
  const open = attempt(() => new TableReader(disk, ID, 1))
  if (open === undefined) return 1
  const reader = open.value
  let refused = 0
  const check = <T>(run: () => T, expected: T | undefined): void => {
    const outcome = attempt(run)
    if (outcome === undefined) refused++
    else if (right !== undefined) expect(outcome.value).toEqual(expected)
  }
  check(() => verifyTable(reader), right?.length)
  const walk = new TableIterator(reader)
  check(() => forwards(walk), right as Entry[])
  check(() => backwards(walk), right as Entry[])
  for (const { key, sequence } of probes) {
    const first = right === undefined ? undefined : firstFrom(right, key, sequence)
    check(() => lookup(reader, key, sequence), first?.key === key ? first : undefined)
    const bytes = bytesOf(key)
    check(() => (walk.seek(bytes, 0, bytes.length, sequence), entryAt(walk)), first)
  }
  return refused
}
