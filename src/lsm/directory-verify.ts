/**
 * Reads and checks everything in a store's directory, and lists all that is wrong, going on after each finding.
 *
 * Wrong is what would keep the store from opening, or might make it answer wrongly. Files that nobody needs, and the torn
 * end of the last log, are what a crash leaves: they are noted. What cannot be told from a torn end is in README.md.
 *
 * Nothing is changed, if the disk is a ReadOnlyDisk. Thread safety: belongs to the one thread that holds the directory's
 * lock. Complexity: O(bytes), and a merge of all tables.
 */
import { compareRanges, grown } from './byte-codec.ts'
import type { Disk } from './disk.ts'
import { corruptFile } from './file-error.ts'
import { fileName, parseFileName } from './file-name.ts'
import { type CheckCounts, type Finding, Findings } from './findings.ts'
import { auditLog } from './log-audit.ts'
import { type LogHead, chainOf, readLogHead } from './log-chain.ts'
import { type Manifest, firstLogOf } from './manifest.ts'
import { MergingSource } from './merging-source.ts'
import { readManifest } from './recovery.ts'
import { OneReader } from './run-sorter.ts'
import { auditTable } from './table-audit.ts'
import { compareKeys, checkedLevelsOf } from './table-entry.ts'

export interface VerifyReport {
  /** What is wrong, file by file. */
  readonly wrong: readonly Finding[]
  /** What is not wrong, but worth knowing. */
  readonly notes: readonly Finding[]
  readonly counts: CheckCounts
}

/** @param onProgress is called with the bytes of files that have been read */
export function verifyDirectory(disk: Disk, onProgress?: (bytes: number) => void): VerifyReport {
  const findings = new Findings(onProgress)
  new DirectoryAudit(disk, findings).run()
  return findings
}

class DirectoryAudit {
  private readonly disk: Disk
  private readonly findings: Findings
  private readonly sizes = new Map<string, number>()
  /** Files that the store needs. */
  private readonly needed = new Set<string>()

  constructor(disk: Disk, findings: Findings) {
    this.disk = disk
    this.findings = findings
  }

  run(): void {
    const { disk, findings, sizes } = this
    let newest = 0
    for (const name of disk.list()) {
      const parsed = parseFileName(name)
      const size = parsed === undefined ? undefined : disk.sizeOf(name)
      if (parsed === undefined || size === undefined) continue
      sizes.set(name, size)
      if (parsed.kind === 'manifest') newest = Math.max(newest, parsed.id)
    }
    if (newest === 0) {
      this.withoutManifest('it is there, but no manifest is')
      return
    }
    const name = fileName(newest, 'manifest')
    this.needed.add(name)
    findings.counts.manifests++
    findings.read(sizes.get(name)!)
    const manifest = findings.attempt(() => readManifest(disk, newest))
    if (manifest === undefined) {
      this.withoutManifest(undefined)
      return
    }
    this.checkManifest(manifest)
    const sound = this.checkTables(manifest)
    this.checkLogs(manifest)
    if (sound) findings.attempt(() => this.checkVersions(manifest))
    for (const file of sizes.keys()) {
      if (!this.needed.has(file)) findings.note(file, 0, 'nobody needs it: the next start removes it')
    }
  }

  /** Looks at every table and every log by itself. @param fault of their being there, if that is one */
  private withoutManifest(fault: string | undefined): void {
    const { disk, findings } = this
    for (const file of this.sizes.keys()) {
      const { id, kind } = parseFileName(file)!
      if (kind === 'temp') findings.note(file, 0, 'nobody needs it: the next start removes it')
      if (kind !== 'table' && kind !== 'log') continue
      if (fault !== undefined) findings.add(file, 0, fault)
      if (kind === 'table') auditTable(disk, id, undefined, undefined, findings)
      else auditLog(disk, id, undefined, NaN, findings)
    }
  }

  /** What the manifest says, by itself. */
  private checkManifest(manifest: Manifest): void {
    const { findings } = this
    const name = fileName(manifest.id, 'manifest')
    const ids = [...manifest.logs, ...manifest.tables.map(({ id }) => id), manifest.id]
    if (new Set(ids).size !== ids.length) findings.add(name, 0, 'it names a file twice')
    for (const id of ids) {
      if (id >= manifest.nextFileId) findings.add(name, 24, `it names file ${id}, and says that it was not made yet`)
    }
    for (let i = 1; i < manifest.logs.length; i++) {
      if (manifest.logs[i - 1] >= manifest.logs[i]) findings.add(name, 64, 'its logs are out of order')
    }
    for (const table of manifest.tables) {
      const { id, entries, deletions, smallestVersion, largestVersion, smallestKey, largestKey } = table
      const isPossible =
        entries > 0 &&
        deletions <= entries &&
        smallestVersion <= largestVersion &&
        compareKeys(smallestKey, largestKey) <= 0
      if (!isPossible) findings.add(name, 0, `what it says of table ${id} cannot be`)
      if (largestVersion >= manifest.flushedLsn) {
        findings.add(name, 32, `table ${id} has version ${largestVersion}, which was not flushed yet`)
      }
    }
    findings.attempt(() => checkedLevelsOf(manifest))
  }

  /** @returns whether nothing is wrong with any of them */
  private checkTables(manifest: Manifest): boolean {
    const { disk, findings } = this
    let sound = true
    for (const table of manifest.tables) {
      const name = fileName(table.id, 'table')
      this.needed.add(name)
      if (!this.sizes.has(name)) {
        findings.add(name, 0, `it is missing; manifest ${manifest.id} names it`)
        sound = false
      } else if (!auditTable(disk, table.id, manifest.generation, table, findings)) sound = false
    }
    return sound
  }

  private checkLogs(manifest: Manifest): void {
    const { disk, findings, sizes } = this
    const { generation, flushedLsn } = manifest
    const oldest = firstLogOf(manifest)
    const heads: LogHead[] = []
    for (const name of sizes.keys()) {
      const { id, kind } = parseFileName(name)!
      if (kind !== 'log' || id < oldest) continue
      const head = findings.attempt(() => readLogHead(disk, id, generation))
      if (head === undefined) this.needed.add(name)
      else heads.push(head)
    }
    for (const id of manifest.logs) {
      const name = fileName(id, 'log')
      this.needed.add(name)
      if (!sizes.has(name)) findings.add(name, 0, `it is missing; manifest ${manifest.id} names it`)
    }
    const chain = findings.attempt(() => chainOf(heads, flushedLsn))
    if (chain === undefined) {
      // Where one ends cannot be told, so each is read to its own end.
      for (const { id } of heads) this.checkLog(id, generation, NaN)
      return
    }
    for (const [i, { id }] of chain.entries()) this.checkLog(id, generation, chain[i + 1]?.base ?? Infinity)
  }

  private checkLog(id: number, generation: number, limit: number): void {
    this.needed.add(fileName(id, 'log'))
    auditLog(this.disk, id, generation, limit, this.findings)
  }

  /** Of each key, versions in an upper level must be newer than those below. */
  private checkVersions(manifest: Manifest): void {
    const { disk } = this
    const levels = checkedLevelsOf(manifest)
    const runs = [...levels.slice(0, 1).flatMap((tables) => tables.map((table) => [table])), ...levels.slice(1)]
    const readers = runs.map(() => new OneReader(disk))
    try {
      const merged = new MergingSource(runs.map((tables, i) => readers[i].walk(tables)))
      let last: Uint8Array = new Uint8Array(256)
      let lastLength = -1
      let from = 0
      for (merged.seekFirst(); merged.valid; merged.next()) {
        const { key, keyLength, at } = merged
        if (lastLength >= 0 && compareRanges(last, 0, lastLength, key, 0, keyLength) === 0) {
          if (at < from) throw wrongOrder(manifest, runs[from][0].id, runs[at][0].id)
        } else {
          last = grown(last, 0, keyLength)
          for (let i = 0; i < keyLength; i++) last[i] = key[i]
          lastLength = keyLength
        }
        from = at
      }
    } finally {
      for (const reader of readers) reader.close()
    }
  }
}

function wrongOrder(manifest: Manifest, below: number, above: number): Error {
  const what = `a key's version near table ${below} is newer than one above it, near table ${above}`
  return corruptFile(fileName(manifest.id, 'manifest'), 0, what)
}
