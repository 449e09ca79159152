/**
 * What is in a store's directory, as figures.
 *
 * Thread safety: belongs to the one thread that holds the directory's lock. Complexity: O(files), and the logs are read.
 */
import type { DirectoryReader } from './directory-reader.ts'
import { fileName, parseFileName, type FileKind } from './file-name.ts'
import { bytesOf } from './picking.ts'
import { compareKeys } from './table-entry.ts'

/** Of a table, or of a level's tables together. `deletes` are among the entries. */
export interface TableFigures {
  readonly entries: number
  readonly deletes: number
  readonly bytes: number
  readonly smallest: Uint8Array
  readonly greatest: Uint8Array
}

export interface TableStat extends TableFigures {
  readonly file: string
  readonly level: number
  readonly leastSequence: number
  readonly greatestSequence: number
}

export interface LevelStat extends TableFigures {
  readonly level: number
  readonly tables: number
}

export interface LogStat {
  readonly file: string
  readonly bytes: number
  /** LSN of its first slot. */
  readonly base: number
}

/** LSNs: of what is in tables, and of the logs' end. */
export interface DirectoryStat {
  readonly manifest: { readonly file: string; readonly bytes: number; readonly settings: Uint8Array }
  readonly generation: number
  readonly nextFileId: number
  readonly clock: number
  readonly flushedLsn: number
  readonly endLsn: number
  readonly logs: readonly LogStat[]
  /** In the logs, and in no table yet. */
  readonly records: number
  readonly puts: number
  readonly deletes: number
  readonly levels: readonly LevelStat[]
  readonly tables: readonly TableStat[]
  /** Bytes of files by their kind; orphans are not among the others. */
  readonly space: Readonly<Record<FileKind | 'orphans' | 'total', number>>
  readonly orphans: readonly string[]
}

/** @throws FileError HEDDLE_CORRUPT */
export function statDirectory(reader: DirectoryReader): DirectoryStat {
  const { manifest, levels, sizes, chain, orphans } = reader
  const { records, puts, deletes, end } = reader.readLogs()
  const tables: TableStat[] = []
  const perLevel: LevelStat[] = []
  for (const [level, list] of levels.entries()) {
    for (const table of list) tables.push({ ...table, file: fileName(table.id, 'table'), level })
    if (list.length === 0) continue
    perLevel.push({
      level,
      tables: list.length,
      entries: list.reduce((sum, table) => sum + table.entries, 0),
      deletes: list.reduce((sum, table) => sum + table.deletes, 0),
      bytes: bytesOf(list),
      smallest: list.map((table) => table.smallest).reduce((a, b) => (compareKeys(a, b) <= 0 ? a : b)),
      greatest: list.map((table) => table.greatest).reduce((a, b) => (compareKeys(a, b) >= 0 ? a : b)),
    })
  }
  const file = fileName(manifest.id, 'manifest')
  return {
    manifest: { file, bytes: sizes.get(file)!, settings: manifest.settings },
    generation: manifest.generation,
    nextFileId: reader.nextFileId,
    clock: manifest.clock,
    flushedLsn: manifest.flushedLsn,
    endLsn: end,
    logs: chain.map(({ id, base }) => ({ file: fileName(id, 'log'), bytes: sizes.get(fileName(id, 'log'))!, base })),
    records,
    puts,
    deletes,
    levels: perLevel,
    tables,
    space: spaceOf(reader),
    orphans: [...orphans].sort(),
  }
}

function spaceOf({ sizes, orphans }: DirectoryReader): DirectoryStat['space'] {
  const space = { log: 0, table: 0, manifest: 0, temp: 0, orphans: 0, total: 0 }
  const unneeded = new Set(orphans)
  for (const [name, size] of sizes) {
    space.total += size
    space[unneeded.has(name) ? 'orphans' : parseFileName(name)!.kind] += size
  }
  return space
}
