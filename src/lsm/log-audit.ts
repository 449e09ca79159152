/**
 * Reads a log file and lists everything that is wrong with it.
 *
 * Thread safety: belongs to one thread. Complexity: O(bytes).
 */
import { readChanges, type ChangeVisitor } from './change-record.ts'
import type { Disk } from './disk.ts'
import { MAX_KEY_BYTES } from './entry.ts'
import { fileName } from './file-name.ts'
import type { Findings } from './findings.ts'
import { LogReader } from './log-reader.ts'

const PIECE_BYTES = 65_536

class CountingVisitor implements ChangeVisitor {
  changes = 0
  longestKey = 0

  put(_bytes: Uint8Array, _keyAt: number, keyBytes: number): void {
    this.changes++
    this.longestKey = Math.max(this.longestKey, keyBytes)
  }

  remove(bytes: Uint8Array, keyAt: number, keyBytes: number): void {
    this.put(bytes, keyAt, keyBytes)
  }
}

/**
 * @param generation of the store; undefined to take the log's own word
 * @param limit LSN at which the next log begins; Infinity if none follows, NaN if that is not known
 */
export function auditLog(
  disk: Disk,
  id: number,
  generation: number | undefined,
  limit: number,
  findings: Findings,
): void {
  findings.attempt(() => {
    const { counts } = findings
    counts.logs++
    const reader = new LogReader(disk, id, generation ?? ownGeneration(disk, id))
    try {
      const visitor = new CountingVisitor()
      while (!(reader.end >= limit) && reader.next()) {
        if (!reader.isRecord) continue
        counts.records++
        const place = { name: reader.name, offset: reader.recordAt }
        findings.attempt(() =>
          readChanges(reader.type, reader.bytes, reader.payloadAt, reader.payloadLength, visitor, place),
        )
        if (visitor.longestKey > MAX_KEY_BYTES) findings.add(place.name, place.offset, 'a key is too long')
      }
      counts.changes += visitor.changes
      checkEnd(reader, limit, findings)
      noteRest(disk, reader, limit, findings)
    } finally {
      findings.read(disk.sizeOf(reader.name) ?? 0)
      reader.close()
    }
  })
}

function checkEnd(reader: LogReader, limit: number, findings: Findings): void {
  if (limit === Infinity || Number.isNaN(limit)) reader.checkTornEnd()
  else if (reader.end < limit) {
    findings.add(reader.name, reader.position, `it ends at ${reader.end}, and the next log begins at ${limit}`)
  } else if (reader.end > limit) findings.add(reader.name, reader.position, `a slot lies across ${limit}`)
}

/** Where a log that no other one follows has something behind its last whole record, that is cut at the next start. */
function noteRest(disk: Disk, reader: LogReader, limit: number, findings: Findings): void {
  if (limit < Infinity) return
  const file = disk.open(reader.name, 'read')
  try {
    const piece = new Uint8Array(PIECE_BYTES)
    for (let at = reader.position; at < file.size; at += PIECE_BYTES) {
      const count = file.read(piece, 0, PIECE_BYTES, at)
      if (!piece.subarray(0, count).some((byte) => byte !== 0)) continue
      findings.note(reader.name, reader.position, 'a torn end, which the next start cuts')
      return
    }
  } finally {
    file.close()
  }
}

function ownGeneration(disk: Disk, id: number): number {
  const file = disk.open(fileName(id, 'log'), 'read')
  try {
    const bytes = new Uint8Array(4)
    file.read(bytes, 0, 4, 16)
    return new DataView(bytes.buffer).getUint32(0, true)
  } finally {
    file.close()
  }
}
