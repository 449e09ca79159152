/**
 * From a directory to a plan: which manifest holds, which files belong to it, which are orphans.
 *
 * The authority is the manifest of the highest id. A manifest gets its name only after it was synced, so *an invalid file
 * named `.manifest` was complete once, and is corrupt*: a crash never leaves one. What a crash leaves is a `.temp`, or
 * nothing. So the newest manifest is never passed by for an older one, whose logs may be gone: that would be a wrong
 * answer. Older ones are not even read; they are orphans, as their removal was interrupted.
 *
 * Order in which a version is made, each step durable before the next one begins:
 *   1. the tables: written as `.temp`, synced, renamed; the directory synced
 *   2. the manifest: likewise. From here on the new version holds
 *   3. what only older manifests name is removed; no sync is needed, since removing is tried again at the next start
 *
 * What a crash leaves after each step: a `.temp`, or tables that no manifest names (orphans, removed); an older manifest
 * beside the new one, and files that only it names (orphans). The same is left if the last sync of 2 has failed, and then
 * the new one need not survive the next crash: see `clearAway`.
 *
 * Thread safety: planning is pure; the rest belongs to the one thread that holds the directory's lock.
 */
import type { Disk } from './disk.ts'
import { corruptFile, isNoSpace } from './file-error.ts'
import { fileName, parseFileName } from './file-name.ts'
import { type LogHead, chainOf, readLogHead } from './log-chain.ts'
import { type Manifest, decodeManifest, encodeManifest, firstLogOf } from './manifest.ts'

/** What there is. */
export interface Survey {
  /** Every name that is one of ours, with its length in bytes. */
  readonly sizes: ReadonlyMap<string, number>
  /** The one of the highest id, if there is any. */
  readonly manifest: Manifest | undefined
  /** Of each log that the manifest may need. */
  readonly logs: readonly LogHead[]
}

/** What to do about it. */
export interface RecoveryPlan {
  /** Undefined if there is no store here yet. */
  readonly manifest: Manifest | undefined
  /** Logs to replay, in order. */
  readonly chain: readonly LogHead[]
  /** Files to remove. */
  readonly orphans: readonly string[]
  /** An id that no file here has or had. */
  readonly nextFileId: number
}

/**
 * Reads what a plan needs. Makes the directory durable first: entries that only a killed process knew of must not be
 * relied on before.
 * @throws FileError HEDDLE_CORRUPT if the newest manifest is not valid, or a log's header is not
 */
export function surveyDirectory(disk: Disk): Survey {
  disk.syncDirectory()
  const sizes = new Map<string, number>()
  let newest = 0
  for (const name of disk.list()) {
    const parsed = parseFileName(name)
    const size = parsed === undefined ? undefined : disk.sizeOf(name)
    if (parsed === undefined || size === undefined) continue
    sizes.set(name, size)
    if (parsed.kind === 'manifest') newest = Math.max(newest, parsed.id)
  }
  if (newest === 0) return { sizes, manifest: undefined, logs: [] }
  const manifest = readManifest(disk, newest)
  const oldest = firstLogOf(manifest)
  const logs: LogHead[] = []
  for (const name of sizes.keys()) {
    const { id, kind } = parseFileName(name)!
    if (kind === 'log' && id >= oldest) logs.push(readLogHead(disk, id, manifest.generation))
  }
  return { sizes, manifest, logs }
}

/**
 * Decides. Pure.
 * @throws FileError HEDDLE_CORRUPT if a file that the manifest names is missing or has another length, or if there are
 *   tables or logs without a manifest
 */
export function planRecovery({ sizes, manifest, logs }: Survey): RecoveryPlan {
  let highest = 0
  for (const name of sizes.keys()) highest = Math.max(highest, parseFileName(name)!.id)
  if (manifest === undefined) return { manifest, chain: [], orphans: withoutManifest(sizes), nextFileId: highest + 1 }
  for (const table of manifest.tables) {
    const name = fileName(table.id, 'table')
    const size = sizes.get(name)
    if (size === undefined) throw corruptFile(name, 0, `it is missing; manifest ${manifest.id} names it`)
    if (size !== table.size) throw corruptFile(name, size, `it has ${size} bytes instead of ${table.size}`)
  }
  const chain = chainOf(logs, manifest.flushedLsn)
  for (const id of manifest.logs) {
    const name = fileName(id, 'log')
    if (!sizes.has(name)) throw corruptFile(name, 0, `it is missing; manifest ${manifest.id} names it`)
  }
  return {
    manifest,
    chain,
    orphans: orphansOf(sizes, manifest, chain),
    nextFileId: Math.max(highest + 1, manifest.nextFileId),
  }
}

/** Before the first manifest there is nothing but files under construction. */
function withoutManifest(sizes: ReadonlyMap<string, number>): string[] {
  const orphans: string[] = []
  for (const name of sizes.keys()) {
    if (parseFileName(name)!.kind !== 'temp') throw corruptFile(name, 0, 'it is there, but no manifest is')
    orphans.push(name)
  }
  return orphans
}

function orphansOf(sizes: ReadonlyMap<string, number>, manifest: Manifest, chain: readonly LogHead[]): string[] {
  const needed = new Set<string>([fileName(manifest.id, 'manifest')])
  for (const { id } of manifest.tables) needed.add(fileName(id, 'table'))
  for (const { id } of chain) needed.add(fileName(id, 'log'))
  // A log that the manifest names stays until another manifest does not, even if it never began: it would be missed.
  for (const id of manifest.logs) needed.add(fileName(id, 'log'))
  const orphans: string[] = []
  for (const name of sizes.keys()) if (!needed.has(name)) orphans.push(name)
  return orphans
}

/** @throws FileError HEDDLE_CORRUPT if it is not what was written */
export function readManifest(disk: Disk, id: number): Manifest {
  const file = disk.open(fileName(id, 'manifest'), 'read')
  try {
    const bytes = new Uint8Array(file.size)
    return decodeManifest(bytes.subarray(0, file.read(bytes, 0, bytes.length, 0)), id)
  } finally {
    file.close()
  }
}

/**
 * Makes a manifest the authority, durably. Everything that it names must be durable before.
 * @throws FileError if it may not have become the authority: whether it has is found by the next start. Nothing that the
 *   one before names may be removed then, and nothing that only this one names may be relied on; another one, of a higher
 *   id, may be written.
 */
export function writeManifest(disk: Disk, manifest: Manifest): void {
  publishFile(disk, manifest.id, 'manifest', encodeManifest(manifest))
}

/** Writes a whole file under a temporary name, and gives it its own when it is durable. */
export function publishFile(disk: Disk, id: number, kind: 'manifest' | 'table', bytes: Uint8Array): void {
  const temporary = fileName(id, 'temp')
  const file = disk.create(temporary)
  try {
    try {
      file.append(bytes, 0, bytes.length)
      file.sync()
    } finally {
      file.close()
    }
    disk.rename(temporary, fileName(id, kind))
  } catch (error) {
    removeQuietly(disk, temporary)
    throw error
  }
  disk.syncDirectory()
}

/** Removes what a failure has left, which would keep the room that others lack. If it cannot, it is an orphan. */
export function removeQuietly(disk: Disk, name: string): void {
  try {
    removeOrphans(disk, [name])
  } catch {
    // The next start tries again.
  }
}

/**
 * Removes what belongs to nothing, at the beginning of whatever changes a directory.
 *
 * The newest manifest may be there and not be durable: it has its name before the directory is synced, and a sync that has
 * failed tells it to one process, once; what it should have made durable no later sync need bring to the disk. Who wrote it
 * has removed nothing then. So if there is an older manifest still, or nothing yet that could not be missed, the newest is
 * written again under another id before anything goes.
 * Where there is no room for that nothing goes: the older one holds again if the newest is lost, with all that it names.
 * @returns the plan without orphans, and with the manifest that holds now
 * @throws FileError as `writeManifest`
 */
export function clearAway(disk: Disk, { sizes }: Survey, plan: RecoveryPlan): RecoveryPlan {
  const { manifest, orphans, nextFileId } = plan
  if (manifest === undefined || !isDoubtful(sizes, manifest)) {
    removeOrphans(disk, orphans)
    return { ...plan, orphans: [] }
  }
  const again: Manifest = { ...manifest, id: nextFileId, nextFileId: nextFileId + 1 }
  try {
    writeManifest(disk, again)
  } catch (error) {
    if (!isNoSpace(error)) throw error
    return { ...plan, nextFileId: again.nextFileId }
  }
  removeOrphans(disk, [...orphans, fileName(manifest.id, 'manifest')])
  return { ...plan, manifest: again, orphans: [], nextFileId: again.nextFileId }
}

function isDoubtful(sizes: ReadonlyMap<string, number>, manifest: Manifest): boolean {
  let isAlone = true
  for (const name of sizes.keys()) {
    const { id, kind } = parseFileName(name)!
    if (kind === 'manifest' && id !== manifest.id) return true
    if (kind === 'table' || kind === 'log') isAlone = false
  }
  return isAlone
}

/** Removes orphans. One that is gone already is no error. */
export function removeOrphans(disk: Disk, orphans: readonly string[]): void {
  for (const name of orphans) if (disk.sizeOf(name) !== undefined) disk.remove(name)
}
