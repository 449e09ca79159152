/**
 * What a version of the catalog refers to, and its form as bytes: in the shared slots of the catalog.
 *
 *   format 1, number of windows, of logs, of levels, manifest, window and log ids   varints
 *   for each level: number of tables; for each table:
 *     id, generation, bytes, entries, deletes, least and greatest sequence, length of the smallest key; that key; length
 *     of the greatest key; that key
 *
 * Thread safety: values are immutable once made; pure functions.
 */
import { MAX_VARINT_BYTES, VarintReader, writeVarint } from './byte-codec.ts'
import { assert } from '../memory/assert.ts'
import { type FileKind, fileName } from './file-name.ts'
import type { TableMeta } from './table-writer.ts'

const FORMAT = 1

export interface VersionState {
  /** File id of the manifest that says the same on disk; 0 if there is none. */
  readonly manifest: number
  /** File ids of the write-ahead logs that hold what no table holds yet, the oldest first. */
  readonly logs: readonly number[]
  /** The windows of the memtable that are not flushed yet, the oldest first: numbers that mean nothing to the catalog. */
  readonly windows: readonly number[]
  /**
   * Tables by level. Level 0: the newest first, their ranges may overlap; all entries of a table are newer than those of
   * the tables behind it. Below: by key, no two share a key. A key's versions in an upper level are newer than below.
   */
  readonly levels: readonly (readonly TableMeta[])[]
}

export const EMPTY_STATE: VersionState = Object.freeze({ manifest: 0, logs: [], windows: [], levels: [] })

/** Names of all files that a version refers to. */
export function filesOf(state: VersionState): string[] {
  const names: string[] = []
  const add = (id: number, kind: FileKind): void => void names.push(fileName(id, kind))
  if (state.manifest !== 0) add(state.manifest, 'manifest')
  for (const id of state.logs) add(id, 'log')
  for (const level of state.levels) for (const table of level) add(table.id, 'table')
  return names
}

function sizeOf(state: VersionState): number {
  let varints = 5 + state.logs.length + state.windows.length + state.levels.length
  let bytes = 0
  for (const level of state.levels) {
    for (const table of level) {
      varints += 9
      bytes += table.smallest.length + table.greatest.length
    }
  }
  return varints * MAX_VARINT_BYTES + bytes
}

export function encodeVersion(state: VersionState): Uint8Array {
  const bytes = new Uint8Array(sizeOf(state))
  let at = 0
  const put = (value: number): void => {
    at = writeVarint(bytes, at, value)
  }
  const putKey = (key: Uint8Array): void => {
    put(key.length)
    bytes.set(key, at)
    at += key.length
  }
  for (const value of [FORMAT, state.windows.length, state.logs.length, state.levels.length, state.manifest]) put(value)
  for (const value of [...state.windows, ...state.logs]) put(value)
  for (const level of state.levels) {
    put(level.length)
    for (const table of level) {
      const { id, generation, entries, deletes, leastSequence, greatestSequence } = table
      for (const value of [id, generation, table.bytes, entries, deletes, leastSequence, greatestSequence]) put(value)
      putKey(table.smallest)
      putKey(table.greatest)
    }
  }
  return bytes.subarray(0, at)
}

/** @throws HeddleError HEDDLE_INTERNAL if the bytes are not what `encodeVersion` gave: they never were on a disk */
export function decodeVersion(bytes: Uint8Array): VersionState {
  const varints = new VarintReader()
  varints.start(bytes, 0, bytes.length)
  const read = (): number => varints.next()
  const key = (): Uint8Array => {
    const length = read()
    const from = varints.at
    varints.start(bytes, from + length, bytes.length)
    return bytes.slice(from, from + length)
  }
  assert(read() === FORMAT, 'a version of an unknown format')
  const counts = [read(), read(), read()]
  const manifest = read()
  const windows = Array.from({ length: counts[0] }, read)
  const logs = Array.from({ length: counts[1] }, read)
  const levels: TableMeta[][] = []
  for (let level = 0; level < counts[2]; level++) {
    const tables: TableMeta[] = []
    for (let count = read(); count > 0; count--) {
      tables.push({
        id: read(),
        generation: read(),
        bytes: read(),
        entries: read(),
        deletes: read(),
        leastSequence: read(),
        greatestSequence: read(),
        smallest: key(),
        greatest: key(),
      })
    }
    levels.push(tables)
  }
  assert(varints.at === bytes.length, 'a version that does not end where it should')
  return { manifest, logs, windows, levels }
}
