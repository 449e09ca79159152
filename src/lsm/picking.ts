/**
 * What is to be compacted next: a pure function of the tables and the options, so that the same state always gives the
 * same answer. Leveled, in parts: a compaction takes some tables of a level and what overlaps them in the next one.
 *
 * Level 0 is due by the number of its tables, since each of them costs every reader a look; the others by their bytes,
 * each level holding `growth` times what the one above may. `updates` make a compaction due although no level is.
 * In level 0 all tables go, since they overlap. Elsewhere the table goes that costs least: the one with the fewest bytes
 * below it for each of its own, the first one by key if there are several.
 *
 * Thread safety: pure functions. Complexity: O(tables log tables).
 */
import { compareRanges } from './byte-codec.ts'
import { firstTableFrom } from './level-source.ts'
import type { TableMeta } from './table-writer.ts'

export interface PickingOptions {
  /** Tables of level 0 that make it due; 4 by default. */
  readonly levelZeroTables?: number
  /** Bytes of level 1 that make it due; 64 MiB by default. */
  readonly levelOneBytes?: number
  /** How many times as much each level may hold as the one above; 10 by default. */
  readonly growth?: number
  /** Levels altogether; 7 by default. */
  readonly levels?: number
  /** Updates since the last compaction that make one due; none by default. */
  readonly compactEvery?: number
}

export interface Pick {
  /** The level whose tables go down, and the one they go to. */
  readonly from: number
  readonly to: number
  /** Of `from`: for level 0 the newest first. */
  readonly upper: readonly TableMeta[]
  /** Of `to`, by key: what overlaps the upper ones. */
  readonly lower: readonly TableMeta[]
  /** Levels below `to`, where deletes may have something to hide. */
  readonly below: readonly (readonly TableMeta[])[]
  /** Whether the tables can just change their level: nothing to merge them with, and no two that overlap. */
  readonly isMove: boolean
  readonly reason: 'tables' | 'bytes' | 'updates'
}

type Levels = readonly (readonly TableMeta[])[]

export function bytesOf(tables: readonly TableMeta[]): number {
  let bytes = 0
  for (const table of tables) bytes += table.bytes
  return bytes
}

/** How full a level is: due from 1 on. The last level is never due. */
export function fullness(levels: Levels, level: number, options: PickingOptions): number {
  const { levelZeroTables = 4, levelOneBytes = 64 * 2 ** 20, growth = 10, levels: most = 7 } = options
  if (level >= most - 1) return 0
  const tables = levels[level] ?? []
  if (level === 0) return tables.length / levelZeroTables
  return bytesOf(tables) / (levelOneBytes * growth ** (level - 1))
}

/** Orders two keys that are whole arrays. */
function compareKeys(a: Uint8Array, b: Uint8Array): number {
  return compareRanges(a, 0, a.length, b, 0, b.length)
}

/** Tables of a level below 0 that have keys from `smallest` to `greatest`. */
export function overlapping(
  tables: readonly TableMeta[],
  smallest: Uint8Array,
  greatest: Uint8Array,
): readonly TableMeta[] {
  const first = firstTableFrom(tables, smallest, 0, smallest.length)
  let end = first
  while (end < tables.length && compareKeys(tables[end].smallest, greatest) <= 0) end++
  return tables.slice(first, end)
}

function rangeOf(tables: readonly TableMeta[]): { smallest: Uint8Array; greatest: Uint8Array } {
  let { smallest, greatest } = tables[0]
  for (const table of tables) {
    if (compareKeys(table.smallest, smallest) < 0) smallest = table.smallest
    if (compareKeys(table.greatest, greatest) > 0) greatest = table.greatest
  }
  return { smallest, greatest }
}

/** The table of a level whose way down costs least. */
function cheapest(tables: readonly TableMeta[], below: readonly TableMeta[]): TableMeta {
  let best = tables[0]
  let least = Infinity
  for (const table of tables) {
    const cost = bytesOf(overlapping(below, table.smallest, table.greatest)) / table.bytes
    if (cost < least) {
      least = cost
      best = table
    }
  }
  return best
}

/**
 * @param levels as in a version
 * @param updates since the last compaction
 * @returns undefined if there is nothing to do
 */
export function pickCompaction(levels: Levels, updates: number, options: PickingOptions = {}): Pick | undefined {
  const { compactEvery = Infinity } = options
  let from = -1
  let most = 0
  for (let level = 0; level < levels.length; level++) {
    const full = fullness(levels, level, options)
    if (full > most) {
      most = full
      from = level
    }
  }
  if (from < 0 || (most < 1 && updates < compactEvery)) return undefined
  const reason = most < 1 ? 'updates' : from === 0 ? 'tables' : 'bytes'
  return pickFrom(levels, from, reason)
}

/** The compaction of a level that is not empty, whether or not it is due. */
export function pickFrom(levels: Levels, from: number, reason: Pick['reason']): Pick {
  const tables = levels[from]
  const next = levels[from + 1] ?? []
  const upper = from === 0 ? tables : [cheapest(tables, next)]
  const { smallest, greatest } = rangeOf(upper)
  const lower = overlapping(next, smallest, greatest)
  const isMove = upper.length === 1 && lower.length === 0
  return { from, to: from + 1, upper, lower, below: levels.slice(from + 2), isMove, reason }
}

/** The levels after a compaction: its inputs are gone, its tables are in their place. */
export function applyPick(levels: Levels, pick: Pick, tables: readonly TableMeta[]): TableMeta[][] {
  const gone = new Set([...pick.upper, ...pick.lower].map((table) => table.id))
  const result: TableMeta[][] = []
  for (let level = 0; level < Math.max(levels.length, pick.to + 1); level++) {
    const kept = (levels[level] ?? []).filter((table) => !gone.has(table.id))
    if (level === pick.to) kept.push(...tables)
    result.push(level === pick.to ? kept.sort((a, b) => compareKeys(a.smallest, b.smallest)) : kept)
  }
  return result
}

/** Bytes written to tables for each byte that a flush wrote: 1 if nothing was ever compacted. */
export function writeAmplification(flushedBytes: number, compactedBytes: number): number {
  return flushedBytes === 0 ? 1 : (flushedBytes + compactedBytes) / flushedBytes
}
