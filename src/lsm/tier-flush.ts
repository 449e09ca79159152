/**
 * A flush: what closed logs say becomes one sorted table. Of each key the newest change counts; its sequence is the LSN of
 * its record.
 *
 * All changes are collected and sorted at once (memory-run.ts): a map of keys costs several times as much, since it makes a
 * string and an object of each.
 *
 * Thread safety: belongs to one thread. Memory: the keys and values of the logs, overwritten ones too.
 * Death: leaves a table that no manifest names.
 */
import { compareRanges, grown } from './byte-codec.ts'
import { type ChangeVisitor, readChanges } from './change-record.ts'
import type { Disk } from './disk.ts'
import { KIND_DELETE, KIND_PUT } from './entry.ts'
import { chainBehind, replayChain } from './log-chain.ts'
import { MemoryRun } from './memory-run.ts'
import { type TableMeta, type TableOptions, TableWriter } from './table-writer.ts'

export interface FlushOptions {
  readonly disk: Disk
  readonly generation: number
  /** The newest log that is closed; 0 if there is none. */
  readonly lastLog: number
  /** LSN below which everything is in tables, and the one at which the next log begins. */
  readonly from: number
  readonly to: number
  readonly takeId: () => number
  /** Whether deletes must be kept, since there are tables that may have what they delete. */
  readonly keepDeletes: boolean
  readonly table: TableOptions
}

export interface Flushed {
  /** Undefined if there was nothing to keep. */
  readonly table: TableMeta | undefined
  /** Changes read. */
  readonly changes: number
}

/** All changes of the logs, to be sorted. */
class Changes implements ChangeVisitor {
  count = 0
  sequence = 0
  readonly run = new MemoryRun()

  put(bytes: Uint8Array, keyAt: number, keyBytes: number, valueBytes: number): void {
    this.count++
    const valueAt = keyAt + keyBytes
    this.run.add(bytes, keyAt, valueAt, KIND_PUT, this.sequence, bytes, valueAt, valueAt + valueBytes)
  }

  remove(bytes: Uint8Array, keyAt: number, keyBytes: number): void {
    this.count++
    this.run.add(bytes, keyAt, keyAt + keyBytes, KIND_DELETE, this.sequence, bytes, keyAt, keyAt)
  }
}

/**
 * Writes the table. It is durable then, and in no version yet.
 * @throws FileError HEDDLE_IO, HEDDLE_NO_SPACE, HEDDLE_CORRUPT; nothing of it is left then, as far as the disk allows
 */
export function flushLogs(options: FlushOptions): Flushed {
  const { disk, generation, lastLog, from, to } = options
  const changes = new Changes()
  if (to > from) {
    const chain = chainBehind(disk, lastLog, generation, from)
    replayChain(
      disk,
      chain,
      generation,
      from,
      (type, lsn, bytes, at, length, { name, recordAt }) => {
        changes.sequence = lsn
        readChanges(type, bytes, at, length, changes, { name, offset: recordAt })
      },
      to,
    )
  }
  changes.run.sort()
  return { table: writeNewest(changes.run, options), changes: changes.count }
}

/** Of each key the change that comes first in the run, which is the newest. */
function writeNewest(run: MemoryRun, options: FlushOptions): TableMeta | undefined {
  const { disk, generation, takeId, keepDeletes, table } = options
  let writer: TableWriter | undefined
  let last: Uint8Array = new Uint8Array(256)
  let lastLength = -1
  try {
    for (run.seekFirst(); run.valid; run.next()) {
      const { key, keyLength, kind } = run
      if (lastLength >= 0 && compareRanges(key, 0, keyLength, last, 0, lastLength) === 0) continue
      last = grown(last, 0, keyLength)
      for (let i = 0; i < keyLength; i++) last[i] = key[i]
      lastLength = keyLength
      if (kind === KIND_DELETE && !keepDeletes) continue
      writer ??= new TableWriter(disk, takeId(), generation, table)
      writer.add(key, 0, keyLength, kind, run.sequence, run.value, run.valueStart, run.valueEnd)
    }
    return writer?.finish()
  } catch (error) {
    writer?.abandon()
    throw error
  }
}
