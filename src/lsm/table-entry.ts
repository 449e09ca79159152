/**
 * A table as the manifest lists it, and as the catalog and the sources know it.
 *
 * Thread safety: pure but for reading the disk.
 */
import { compareRanges, readU32 } from './byte-codec.ts'
import type { Disk } from './disk.ts'
import { corruptFile } from './file-error.ts'
import { fileName } from './file-name.ts'
import type { Manifest, TableEntry } from './manifest.ts'
import { FOOTER_BYTES } from './table-format.ts'
import { levelsOf } from './tier-manifest.ts'
import type { TableMeta } from './table-writer.ts'

/** More levels than any store has: what a manifest says is checked before arrays are made by it. */
export const MOST_LEVELS = 64
const CHECKSUM_BYTES = 4

/** The checksum at the end of a table's footer. @throws FileError HEDDLE_CORRUPT if the file is too short */
export function footerChecksum(disk: Disk, id: number): number {
  const file = disk.open(fileName(id, 'table'), 'read')
  try {
    const bytes = new Uint8Array(CHECKSUM_BYTES)
    if (file.size < FOOTER_BYTES) throw corruptFile(file.name, 0, `a table of ${file.size} bytes`)
    file.read(bytes, 0, CHECKSUM_BYTES, file.size - CHECKSUM_BYTES)
    return readU32(bytes, 0)
  } finally {
    file.close()
  }
}

/** What a manifest says about a table that is there. */
export function entryOfTable(disk: Disk, meta: TableMeta, level: number): TableEntry {
  return {
    id: meta.id,
    level,
    size: meta.bytes,
    entries: meta.entries,
    deletions: meta.deletes,
    checksum: footerChecksum(disk, meta.id),
    smallestVersion: meta.leastSequence,
    largestVersion: meta.greatestSequence,
    smallestKey: meta.smallest,
    largestKey: meta.greatest,
  }
}

/**
 * The tables of a manifest by level: of level 0 the newest first, below by key.
 * @throws FileError HEDDLE_CORRUPT if two tables of a level below 0 overlap, or a level cannot be
 */
export function checkedLevelsOf(manifest: Manifest): TableMeta[][] {
  const name = fileName(manifest.id, 'manifest')
  const tooDeep = manifest.tables.find(({ level }) => level >= MOST_LEVELS)
  if (tooDeep !== undefined) throw corruptFile(name, 0, `table ${tooDeep.id} is in level ${tooDeep.level}`)
  const levels = levelsOf(manifest)
  for (const [level, tables] of levels.entries()) {
    if (level === 0) tables.sort((a, b) => b.greatestSequence - a.greatestSequence || b.id - a.id)
    else tables.sort((a, b) => compareKeys(a.smallest, b.smallest))
    for (let i = 1; level > 0 && i < tables.length; i++) {
      if (compareKeys(tables[i - 1].greatest, tables[i].smallest) < 0) continue
      throw corruptFile(name, 0, `tables ${tables[i - 1].id} and ${tables[i].id} of level ${level} overlap`)
    }
  }
  return levels
}

export function compareKeys(a: Uint8Array, b: Uint8Array): number {
  return compareRanges(a, 0, a.length, b, 0, b.length)
}
