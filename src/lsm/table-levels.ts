/**
 * All tables of a version as one source, and the readers that are open for it.
 *
 * Thread safety: belongs to one thread. Death: Node closes its files.
 */
import type { BlockCache } from './block-cache.ts'
import type { Disk } from './disk.ts'
import type { EntrySource } from './entry.ts'
import { LevelSource } from './level-source.ts'
import { MergingSource } from './merging-source.ts'
import { TableIterator } from './table-iterator.ts'
import { TableReader } from './table-reader.ts'
import type { TableMeta } from './table-writer.ts'

/** Readers of tables, each opened when it is first asked for. */
export class TableReaders {
  private readonly disk: Disk
  private readonly cache: BlockCache | undefined
  private readonly readers = new Map<number, TableReader>()

  constructor(disk: Disk, cache?: BlockCache) {
    this.disk = disk
    this.cache = cache
  }

  /** @throws FileError HEDDLE_CORRUPT, HEDDLE_IO */
  readonly open = (table: TableMeta): TableReader => {
    const found = this.readers.get(table.id)
    if (found !== undefined) return found
    const reader = new TableReader(this.disk, table.id, table.generation, this.cache)
    this.readers.set(table.id, reader)
    return reader
  }

  close(): void {
    for (const reader of this.readers.values()) reader.close()
    this.readers.clear()
  }
}

/** Tables that may overlap, each a source, in their order; then each level below as one. */
export function mergedTables(
  overlapping: readonly TableMeta[],
  levels: readonly (readonly TableMeta[])[],
  readers: TableReaders,
): EntrySource {
  const sources: EntrySource[] = overlapping.map((table) => new TableIterator(readers.open(table), false))
  for (const tables of levels) if (tables.length > 0) sources.push(new LevelSource(tables, readers.open, false))
  return new MergingSource(sources)
}
