/** Entries of the durable tier as plain values, sorted, and what a source of them must answer. */
import { KIND_DELETE, KIND_PUT, type EntrySource } from '../../src/lsm/entry.ts'
import type { Disk } from '../../src/lsm/disk.ts'
import { TableReader } from '../../src/lsm/table-reader.ts'
import { type TableMeta, type TableOptions, TableWriter } from '../../src/lsm/table-writer.ts'
import type { Random } from './random.ts'

export interface Entry {
  readonly key: string
  readonly sequence: number
  /** Undefined for a delete. */
  readonly value: string | undefined
}

export const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'latin1')
const textOf = (bytes: Uint8Array, start: number, end: number): string =>
  Buffer.from(bytes.subarray(start, end)).toString('latin1')

/** By key, then the newest version first. */
export function compare(a: Entry, b: Entry): number {
  if (a.key !== b.key) return a.key < b.key ? -1 : 1
  return b.sequence - a.sequence
}

/** What stands first at or after a place. */
export function firstFrom(entries: readonly Entry[], key: string, sequence: number): Entry | undefined {
  return entries.find((entry) => compare(entry, { key, sequence, value: undefined }) >= 0)
}

/** The entry at which a source stands. */
export function entryAt(source: EntrySource): Entry | undefined {
  if (!source.valid) return undefined
  const { key, keyLength, kind, sequence, value, valueStart, valueEnd } = source
  return {
    key: textOf(key, 0, keyLength),
    sequence,
    value: kind === KIND_DELETE ? undefined : textOf(value, valueStart, valueEnd),
  }
}

export function forwards(source: EntrySource): Entry[] {
  const found: Entry[] = []
  for (source.seekFirst(); source.valid; source.next()) found.push(entryAt(source)!)
  return found
}

export function backwards(source: EntrySource): Entry[] {
  const found: Entry[] = []
  for (source.seekLast(); source.valid; source.previous()) found.push(entryAt(source)!)
  return found.reverse()
}

export function writeTable(disk: Disk, id: number, entries: readonly Entry[], options: TableOptions = {}): TableMeta {
  const writer = new TableWriter(disk, id, 1, options)
  for (const { key, sequence, value } of entries) {
    const bytes = bytesOf(key)
    const content = bytesOf(value ?? '')
    const kind = value === undefined ? KIND_DELETE : KIND_PUT
    writer.add(bytes, 0, bytes.length, kind, sequence, content, 0, content.length)
  }
  return writer.finish()
}

export function openTable(disk: Disk, id: number): TableReader {
  return new TableReader(disk, id, 1)
}

/** Entries with several versions of some keys, deletes among them; sorted, no two alike. */
export function randomEntries(random: Random, keys: number, valueBytes = 12): Entry[] {
  const entries = new Map<string, Entry>()
  for (let i = 0; i < keys; i++) {
    const key = 'k'.repeat(random.int(3)) + random.int(keys).toString(36) + (random.chance(5) ? '\u00ff' : '')
    for (let versions = random.chance(30) ? 3 : 1; versions > 0; versions--) {
      const sequence = random.chance(5) ? 2 ** 47 + random.int(99) : random.int(1000)
      const value = random.chance(20) ? undefined : String(random.int(1e9)).repeat(1 + random.int(valueBytes / 4))
      entries.set(`${key} ${sequence}`, { key, sequence, value })
    }
  }
  return [...entries.values()].sort(compare)
}
