/**
 * A backup of a store that is open, while others write to it: of what is durable at some moment of the copying.
 *
 * The version of the catalog that is held keeps its manifest and tables. Its logs, and those begun since, are copied first.
 * One that was begun since may be flushed and removed before it is copied, since the version held does not name it: then
 * all begins anew, with a newer version.
 *
 * Thread safety: by one thread, of any number that do; it holds the target's lock. Blocks on the disk.
 * Death: the reap gives the version back; the target has files and no manifest, so it is no store.
 */
import { type BackupOptions, type BackupReport, backupStore } from './backup.ts'
import type { Disk } from './disk.ts'
import { FileError } from './file-error.ts'
import { parseFileName } from './file-name.ts'
import { chainBehind } from './log-chain.ts'
import { type LogFile, logFile } from './log-committer.ts'
import { readManifest } from './recovery.ts'
import { distance } from './shared-log.ts'
import type { Tier } from './tier.ts'

/** Times that it begins anew because a log was gone. */
const MOST_TRIES = 20

/** What the logs hold durably: up to which LSN, and which of them ends there. */
interface Durable {
  readonly upTo: number
  readonly lastLog: number
}

/**
 * Copies a store to another directory.
 * @param from the store's own disk
 * @param to an empty directory, whose lock is held
 * @throws HeddleError HEDDLE_INVALID_OPTION if the target is not empty; FileError: then the target has no store
 * Complexity: O(bytes of what is copied)
 */
export function backupOnline(
  tier: Tier,
  from: Disk,
  to: Disk,
  options: Pick<BackupOptions, 'link' | 'onProgress'>,
): BackupReport {
  for (let tries = 1; ; tries++) {
    try {
      return tryBackup(tier, from, to, options)
    } catch (error) {
      const isGone = error instanceof FileError && error.errno === 'ENOENT'
      if (!isGone || tries === MOST_TRIES) throw error
      clear(to)
    }
  }
}

function tryBackup(
  tier: Tier,
  from: Disk,
  to: Disk,
  options: Pick<BackupOptions, 'link' | 'onProgress'>,
): BackupReport {
  const version = tier.catalog.acquire()
  try {
    const manifest = readManifest(from, version.state.manifest)
    const { upTo, lastLog } = durableIn(tier)
    const chain = lastLog === 0 ? [] : chainBehind(from, lastLog, manifest.generation, manifest.flushedLsn)
    return backupStore(from, to, { ...options, manifest, logs: chain.map(({ id }) => id), upTo })
  } finally {
    tier.catalog.release(version)
  }
}

function durableIn({ log }: Tier): Durable {
  for (;;) {
    const file = logFile(log)
    const stable = log.stable()
    // The log worker may have begun another one in between.
    if (file === undefined || !isSame(file, logFile(log))) continue
    // What has begun and was never synced holds nothing yet that counts.
    if (!file.synced) return { upTo: file.lsn, lastLog: file.previous }
    return { upTo: file.lsn + distance(file.position, stable), lastLog: file.id }
  }
}

function isSame(a: LogFile, b: LogFile | undefined): boolean {
  return b !== undefined && a.id === b.id && a.position === b.position && a.lsn === b.lsn && a.synced === b.synced
}

/** Removes what a try has left. */
function clear(disk: Disk): void {
  for (const name of disk.list()) if (parseFileName(name) !== undefined) disk.remove(name)
}
