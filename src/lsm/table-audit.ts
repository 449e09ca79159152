/**
 * Reads a whole table and lists everything that is wrong with it, going on after each finding: what `verifyTable` checks,
 * and that blocks touch, that the index separates them, and that the manifest says the same.
 *
 * If the index cannot be used, blocks are followed by their own lengths instead, as far as these lead.
 *
 * Thread safety: belongs to one thread. Complexity: O(bytes).
 */
import { BlockCursor } from './block-cursor.ts'
import { FRAME_HEADER_BYTES, openBlock, type TableIdentity } from './block-frame.ts'
import { compareRanges, grown, readU32 } from './byte-codec.ts'
import { ContentDigest } from './content-digest.ts'
import type { Disk, DiskFile } from './disk.ts'
import { compareEntries, KIND_DELETE } from './entry.ts'
import { fileName } from './file-name.ts'
import type { Findings } from './findings.ts'
import type { TableEntry } from './manifest.ts'
import { compareKeys } from './table-entry.ts'
import { decodeFooter, FOOTER_BYTES, type Footer, MAX_TABLE_BYTES } from './table-format.ts'
import { TableReader } from './table-reader.ts'

const GENERATION_AT = 16
const CHECKSUM_AT = 48

/**
 * @param generation of the store; undefined to take the table's own word
 * @param expected what the manifest says, if it could be read
 * @returns whether nothing is wrong
 */
export function auditTable(
  disk: Disk,
  id: number,
  generation: number | undefined,
  expected: TableEntry | undefined,
  findings: Findings,
): boolean {
  const before = findings.wrong.length
  const name = fileName(id, 'table')
  findings.attempt(() => {
    const file = disk.open(name, 'read')
    try {
      findings.counts.tables++
      findings.read(file.size)
      if (file.size < FOOTER_BYTES || file.size > MAX_TABLE_BYTES) {
        findings.add(name, 0, `a table of ${file.size} bytes`)
        return
      }
      if (expected !== undefined && file.size !== expected.size) {
        findings.add(name, Math.min(file.size, expected.size), `it has ${file.size} bytes instead of ${expected.size}`)
      }
      new TableAudit(disk, file, id, generation, findings).run(expected)
    } finally {
      file.close()
    }
  })
  return findings.wrong.length === before
}

class TableAudit {
  private readonly disk: Disk
  private readonly file: DiskFile
  private readonly table: TableIdentity
  private readonly findings: Findings
  private readonly footerBytes = new Uint8Array(FOOTER_BYTES)

  constructor(disk: Disk, file: DiskFile, id: number, generation: number | undefined, findings: Findings) {
    this.disk = disk
    this.file = file
    this.findings = findings
    file.read(this.footerBytes, 0, FOOTER_BYTES, file.size - FOOTER_BYTES)
    this.table = { name: file.name, id, generation: generation ?? readU32(this.footerBytes, GENERATION_AT) }
  }

  run(expected: TableEntry | undefined): void {
    const { findings, table, file } = this
    const footer = findings.attempt(() => decodeFooter(this.footerBytes, file.size, table))
    if (footer === undefined) {
      this.followFrames(file.size - FOOTER_BYTES)
      return
    }
    const before = findings.wrong.length
    const reader = findings.attempt(() => new TableReader(this.disk, table.id, table.generation))
    if (reader === undefined) {
      this.rest(footer, before)
      return
    }
    try {
      if (expected !== undefined) this.compareWithManifest(reader, expected)
      new ContentAudit(reader, footer, findings).run()
    } finally {
      reader.close()
    }
  }

  /** The reader has found one part that is wrong: looks at all others. */
  private rest(footer: Footer, before: number): void {
    const { findings } = this
    const known = findings.wrong[before].offset
    this.followFrames(footer.index.offset)
    for (const { offset, length } of [footer.index, footer.filter, footer.properties]) {
      if (length > 0 && offset !== known) findings.attempt(() => this.checkFrame(offset, length))
    }
  }

  /** Checks frames one after the other, each as long as its header says, up to `end`. */
  private followFrames(end: number): void {
    const { findings, file, table } = this
    const header = new Uint8Array(FRAME_HEADER_BYTES)
    for (let at = 0; at < end;) {
      const room = end - at
      const there = findings.attempt(() => file.read(header, 0, Math.min(FRAME_HEADER_BYTES, room), at))
      if (there === undefined) return
      const length = FRAME_HEADER_BYTES + readU32(header, 4)
      if (there < FRAME_HEADER_BYTES || length > room) {
        findings.add(table.name, at, 'a block of an impossible length: what follows cannot be told apart')
        return
      }
      findings.attempt(() => this.checkFrame(at, length))
      at += length
    }
  }

  private checkFrame(offset: number, length: number): void {
    const bytes = new Uint8Array(length)
    const count = this.file.read(bytes, 0, length, offset)
    this.findings.counts.blocks++
    openBlock(bytes, 0, count, bytes[13], this.table, offset)
  }

  private compareWithManifest(reader: TableReader, expected: TableEntry): void {
    const { findings, table, footerBytes } = this
    const { properties } = reader
    const differ = (what: string, is: number | string, said: number | string): void => {
      if (is !== said) findings.add(table.name, 0, `${what} is ${is}, and the manifest says ${said}`)
    }
    differ('the number of entries', properties.entries, expected.entries)
    differ('the number of deletes', properties.deletes, expected.deletions)
    differ('the least version', properties.leastSequence, expected.smallestVersion)
    differ('the greatest version', properties.greatestSequence, expected.largestVersion)
    // 0 is what a manifest has whose writer did not note it.
    if (expected.checksum !== 0) {
      differ('the checksum of the footer', readU32(footerBytes, CHECKSUM_AT), expected.checksum)
    }
    if (compareKeys(properties.smallest, expected.smallestKey) !== 0) {
      findings.add(table.name, 0, 'the smallest key is not the one the manifest says')
    }
    if (compareKeys(properties.greatest, expected.largestKey) !== 0) {
      findings.add(table.name, 0, 'the greatest key is not the one the manifest says')
    }
  }
}

/** A copy of a place in the order of entries. */
class Place {
  key: Uint8Array = new Uint8Array(256)
  length = -1
  sequence = 0

  set({ key, keyLength, sequence }: BlockCursor): void {
    this.key = grown(this.key, 0, keyLength)
    for (let i = 0; i < keyLength; i++) this.key[i] = key[i]
    this.length = keyLength
    this.sequence = sequence
  }

  /** Order against a cursor: negative if this comes first, as it does when it is not set. */
  compare({ key, keyLength, sequence }: BlockCursor): number {
    if (this.length < 0) return -1
    return compareEntries(this.key, 0, this.length, this.sequence, key, 0, keyLength, sequence)
  }

  isKeyOf({ key, keyLength }: BlockCursor): boolean {
    return this.length >= 0 && compareRanges(this.key, 0, this.length, key, 0, keyLength) === 0
  }
}

/** Walks all blocks in the order of the index. */
class ContentAudit {
  private readonly reader: TableReader
  private readonly footer: Footer
  private readonly findings: Findings
  private readonly index = new BlockCursor()
  private readonly block = new BlockCursor()
  private buffer: Uint8Array = new Uint8Array(0)
  private readonly last = new Place()
  private readonly separator = new Place()
  private readonly digest = new ContentDigest()
  private readonly counts = { entries: 0, deletes: 0, keys: 0, keyBytes: 0, valueBytes: 0, dataBlocks: 0 }
  private leastSequence = Number.MAX_SAFE_INTEGER
  private greatestSequence = 0
  private smallestDiffers = false
  /** Whether a block could not be read, so that what is counted says nothing. */
  private broken = false

  constructor(reader: TableReader, footer: Footer, findings: Findings) {
    this.reader = reader
    this.footer = footer
    this.findings = findings
  }

  private add(offset: number, what: string): void {
    this.findings.add(this.reader.table.name, offset, what)
  }

  run(): void {
    const { findings, index, footer } = this
    let next = 0
    findings.attempt(() => {
      this.reader.openIndex(index)
      for (index.seekFirst(); index.valid; index.next()) {
        const offset = readU32(index.value, index.valueStart)
        if (offset !== next) this.add(next, `the next block begins at ${offset}: they do not touch`)
        next = offset + readU32(index.value, index.valueStart + 4)
        if (this.separator.compare(index) >= 0) this.add(footer.index.offset, 'the index is out of order')
        if (findings.attempt(() => (this.checkBlock(offset), true)) === undefined) this.broken = true
        this.separator.set(index)
      }
    })
    if (next !== footer.index.offset) this.add(next, `the index begins at ${footer.index.offset}: they do not touch`)
    if (!this.broken) this.compare()
  }

  private checkBlock(offset: number): void {
    const { block, index, counts, findings, last } = this
    findings.counts.blocks++
    counts.dataBlocks++
    this.buffer = this.reader.openData(block, index, this.buffer, false)
    let told = false
    const tell = (what: string): void => {
      if (!told) this.add(offset, what)
      told = true
    }
    for (block.seekFirst(); block.valid; block.next()) {
      if (last.compare(block) >= 0) tell('entries out of order')
      if (this.separator.compare(block) >= 0) tell('an entry that belongs to the block before')
      if (index.compare(block.key, 0, block.keyLength, block.sequence) < 0) tell('an entry behind its separator')
      if (!last.isKeyOf(block)) {
        counts.keys++
        if (!this.reader.mayContain(block.key, 0, block.keyLength)) tell('a key is not in the filter')
      }
      this.take()
    }
  }

  private take(): void {
    const { block, counts, last } = this
    const { key, keyLength, kind, sequence, value, valueStart, valueEnd } = block
    if (counts.entries === 0) {
      const { smallest } = this.reader.properties
      this.smallestDiffers = compareRanges(key, 0, keyLength, smallest, 0, smallest.length) !== 0
    }
    this.findings.counts.entries++
    counts.entries++
    counts.keyBytes += keyLength
    counts.valueBytes += valueEnd - valueStart
    if (kind === KIND_DELETE) counts.deletes++
    this.leastSequence = Math.min(this.leastSequence, sequence)
    this.greatestSequence = Math.max(this.greatestSequence, sequence)
    this.digest.add(key, 0, keyLength, kind, sequence, value, valueStart, valueEnd)
    last.set(block)
  }

  private compare(): void {
    const { properties } = this.reader
    const { leastSequence, greatestSequence, last, counts } = this
    const found = { ...counts, leastSequence, greatestSequence, digest: this.digest.value() }
    for (const field of Object.keys(found) as (keyof typeof found)[]) {
      if (found[field] === properties[field]) continue
      this.add(
        this.footer.properties.offset,
        `${field} are ${properties[field]} there, and ${found[field]} in the blocks`,
      )
    }
    if (this.smallestDiffers) this.add(0, 'the first key is not the one the properties name')
    const { greatest } = properties
    if (compareRanges(last.key, 0, Math.max(0, last.length), greatest, 0, greatest.length) !== 0) {
      this.add(0, 'the last key is not the one the properties name')
    }
  }
}
