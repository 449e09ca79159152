/**
 * Between what the catalog says of a version and what a manifest says of it.
 *
 * The order of a manifest's tables is that of the version's levels, so the newest table of level 0 comes first.
 *
 * Thread safety: pure but for writing to the disk.
 */
import type { Disk } from './disk.ts'
import type { Manifest, TableEntry } from './manifest.ts'
import { writeManifest } from './recovery.ts'
import type { TableMeta } from './table-writer.ts'
import type { VersionState } from './version-state.ts'

type Levels = readonly (readonly TableMeta[])[]

function entryOf(table: TableMeta, level: number): TableEntry {
  return {
    id: table.id,
    level,
    size: table.bytes,
    entries: table.entries,
    deletions: table.deletes,
    // Its blocks have checksums that bind id and generation; no other is noted.
    checksum: 0,
    smallestVersion: table.leastSequence,
    largestVersion: table.greatestSequence,
    smallestKey: table.smallest,
    largestKey: table.greatest,
  }
}

/** The levels that a manifest lists. */
export function levelsOf({ tables, generation }: Manifest): TableMeta[][] {
  const levels: TableMeta[][] = []
  for (const entry of tables) {
    while (levels.length <= entry.level) levels.push([])
    levels[entry.level].push({
      id: entry.id,
      generation,
      bytes: entry.size,
      entries: entry.entries,
      deletes: entry.deletions,
      leastSequence: entry.smallestVersion,
      greatestSequence: entry.largestVersion,
      smallest: entry.smallestKey,
      greatest: entry.largestKey,
    })
  }
  return levels
}

/** What the next manifest is to say, beside its id and the ids to come. */
export interface NextVersion {
  readonly flushedLsn: number
  /** Logs that hold what the tables do not. */
  readonly logs: readonly number[]
  readonly levels: Levels
}

/** Makes the next version the authority, durably. @throws as `writeManifest` */
export function writeNextManifest(disk: Disk, base: Manifest, next: NextVersion, takeId: () => number): Manifest {
  const id = takeId()
  const tables = next.levels.flatMap((level, index) => level.map((table) => entryOf(table, index)))
  const { generation, clock, settings, firstLog } = base
  const { flushedLsn, logs } = next
  const nextFileId = id + 1
  const manifest: Manifest = { id, generation, nextFileId, flushedLsn, clock, logs, firstLog, tables, settings }
  writeManifest(disk, manifest)
  return manifest
}

/** The version of the catalog that goes with a manifest. */
export function versionOf(manifest: Manifest, levels: Levels, logs: readonly number[]): VersionState {
  return { manifest: manifest.id, logs, windows: logs, levels }
}
