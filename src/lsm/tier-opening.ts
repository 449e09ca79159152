/**
 * The opener's part: from a directory to a tier that can take changes.
 *
 * Two steps, since the arena is made in between: `inspect` reads what is there and makes a new store's first manifest;
 * `begin` gives the contents to a visitor, makes the catalog's first version and says where the log goes on. The logs that
 * are there stay what holds the changes since the last flush, and the first change that is committed begins a new file behind
 * them. After a crash the end of the last one is written again (log-tail.ts).
 *
 * Thread safety: one thread, which holds the directory's lock; before there are others. Death: as a crash at that moment.
 */
import { HeddleError } from '../memory/error.ts'
import { type ChangeVisitor, readChanges } from './change-record.ts'
import { BURYING, PARTIAL } from '../tree/residence.ts'
import type { Disk } from './disk.ts'
import { NEWEST } from './entry.ts'
import { replayChain } from './log-chain.ts'
import { initLog } from './log-committer.ts'
import { renewTail } from './log-tail.ts'
import type { Manifest } from './manifest.ts'
import { type RecoveryPlan, clearAway, planRecovery, surveyDirectory, writeManifest } from './recovery.ts'
import { TableReaders, mergedTables } from './table-levels.ts'
import type { Tier } from './tier.ts'
import { levelsOf, versionOf } from './tier-manifest.ts'
import { VisibleSource } from './visible-source.ts'

const POSITIONS = 2 ** 31

/** What was found in a directory, ready to be loaded. */
export interface Inspected {
  readonly manifest: Manifest
  readonly plan: RecoveryPlan
  readonly nextFileId: number
}

/** Of the contents: how many changes came from logs. */
export interface Loaded {
  readonly entriesOfTables: number
  readonly changesOfLogs: number
}

/**
 * Reads what is in a directory, removes what belongs to nothing, and makes a store there if there is none.
 * @param settings of the store, to be kept in its manifest: those of a store that is there must be the same
 * @param generation of a new store
 * @throws FileError HEDDLE_CORRUPT, HEDDLE_IO, HEDDLE_NO_SPACE; HeddleError HEDDLE_INVALID_OPTION if the settings differ
 */
export function inspect(disk: Disk, settings: string, generation: number): Inspected {
  const survey = surveyDirectory(disk)
  const found = planRecovery(survey)
  if (found.manifest !== undefined) {
    const kept = Buffer.from(found.manifest.settings).toString('utf8')
    if (kept !== settings) {
      throw new HeddleError('HEDDLE_INVALID_OPTION', `the store was made with ${kept}, not ${settings}; open it so`)
    }
  }
  const plan = clearAway(disk, survey, found)
  const { manifest } = plan
  if (manifest !== undefined) return { manifest, plan, nextFileId: plan.nextFileId }
  const id = plan.nextFileId
  const first: Manifest = {
    id,
    generation,
    nextFileId: id + 1,
    flushedLsn: 0,
    clock: 0,
    logs: [],
    firstLog: 0,
    tables: [],
    settings: Buffer.from(settings, 'utf8'),
  }
  writeManifest(disk, first)
  return { manifest: first, plan, nextFileId: id + 1 }
}

/**
 * Gives all contents to a visitor, tables first, and makes the tier ready.
 * @param loads false if what is in tables stays there: if there are any, the tree is partial from the beginning
 * @throws FileError HEDDLE_CORRUPT, HEDDLE_IO; what the visitor throws
 */
export function begin(
  tier: Tier,
  disk: Disk,
  { manifest, plan }: Inspected,
  visitor: ChangeVisitor,
  loads = true,
): Loaded {
  const levels = levelsOf(manifest)
  const chain = plan.chain.map(({ id }) => id)
  const logs = [...new Set([...manifest.logs, ...chain])].sort((a, b) => a - b)
  // Before the logs are replayed: what they delete may have to be looked for in tables.
  tier.catalog.createFirst(versionOf(manifest, levels, logs))
  let entriesOfTables = 0
  if (loads) entriesOfTables = visitTables(disk, levels, visitor)
  else if (levels.some((tables) => tables.length > 0)) beginPartial(tier)
  let changesOfLogs = 0
  const { generation, flushedLsn } = manifest
  const { words } = tier
  let last = chain.at(-1) ?? 0
  const end = replayChain(
    disk,
    plan.chain,
    generation,
    flushedLsn,
    (type, _lsn, bytes, at, length, { name, recordAt }) => {
      changesOfLogs += readChanges(type, bytes, at, length, visitor, { name, offset: recordAt })
    },
    Infinity,
    (reader) => (last = renewTail(disk, reader, generation, flushedLsn, () => words.takeFileId())),
  )
  initLog(tier.log, end, last)
  words.setFlushed((tier.log.stable() - (end - flushedLsn)) & (POSITIONS - 1), -changesOfLogs)
  words.setTables(levels)
  return { entriesOfTables, changesOfLogs }
}

/** The tree is empty, and everything that was ever stamped is in tables: what is stamped from now on is not. */
function beginPartial({ residence }: Tier): void {
  residence.enterMode(BURYING)
  residence.setClean(residence.turn())
  residence.enterMode(PARTIAL)
}

/** All that is visible in the tables, in the order of the keys. */
function visitTables(disk: Disk, levels: ReturnType<typeof levelsOf>, visitor: ChangeVisitor): number {
  const readers = new TableReaders(disk)
  let entries = 0
  // One piece, as a visitor takes it: the key, then the value.
  let piece = new Uint8Array(4096)
  try {
    const source = new VisibleSource(mergedTables(levels[0] ?? [], levels.slice(1), readers), NEWEST)
    for (source.seekFirst(); source.valid; source.next()) {
      const valueBytes = source.valueEnd - source.valueStart
      if (piece.length < source.keyLength + valueBytes) piece = new Uint8Array(2 * (source.keyLength + valueBytes))
      piece.set(source.key.subarray(0, source.keyLength))
      piece.set(source.value.subarray(source.valueStart, source.valueEnd), source.keyLength)
      visitor.put(piece, 0, source.keyLength, valueBytes, isAscii(piece, source.keyLength, valueBytes))
      entries++
    }
    return entries
  } finally {
    readers.close()
  }
}

/** Tables do not keep what the codec had said of a value, so it is looked at again. */
function isAscii(bytes: Uint8Array, at: number, length: number): boolean {
  for (let i = at; i < at + length; i++) if (bytes[i] > 127) return false
  return true
}
