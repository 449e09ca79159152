/**
 * A flush: what closed logs say becomes one sorted table. Of each key the newest change counts; its sequence is the LSN of
 * its record.
 *
 * Thread safety: belongs to one thread. Memory: the keys and values of the logs.
 * Death: leaves a table that no manifest names.
 */
import { grown } from './byte-codec.ts'
import { type ChangeVisitor, readChanges } from './change-record.ts'
import type { Disk } from './disk.ts'
import { KIND_DELETE, KIND_PUT } from './entry.ts'
import { chainBehind, replayChain } from './log-chain.ts'
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

interface Newest {
  sequence: number
  kind: number
  at: number
  length: number
}

/** The newest change of each key. */
class Memtable implements ChangeVisitor {
  changes = 0
  sequence = 0
  readonly keys = new Map<string, Newest>()
  values: Uint8Array = new Uint8Array(65536)
  private end = 0

  put(bytes: Uint8Array, keyAt: number, keyBytes: number, valueBytes: number): void {
    const newest = this.newest(bytes, keyAt, keyBytes)
    newest.kind = KIND_PUT
    // A value that is not longer takes the place of the one before.
    if (valueBytes > newest.length) {
      newest.at = this.end
      this.end += valueBytes
      this.values = grown(this.values, newest.at, this.end)
    }
    newest.length = valueBytes
    const valueAt = keyAt + keyBytes
    this.values.set(bytes.subarray(valueAt, valueAt + valueBytes), newest.at)
  }

  remove(bytes: Uint8Array, keyAt: number, keyBytes: number): void {
    this.newest(bytes, keyAt, keyBytes).kind = KIND_DELETE
  }

  private newest(bytes: Uint8Array, keyAt: number, keyBytes: number): Newest {
    this.changes++
    const key = Buffer.from(bytes.buffer, bytes.byteOffset + keyAt, keyBytes).toString('latin1')
    let newest = this.keys.get(key)
    if (newest === undefined) {
      newest = { sequence: 0, kind: KIND_DELETE, at: 0, length: 0 }
      this.keys.set(key, newest)
    }
    newest.sequence = this.sequence
    return newest
  }
}

/**
 * Writes the table. It is durable then, and in no version yet.
 * @throws FileError HEDDLE_IO, HEDDLE_NO_SPACE, HEDDLE_CORRUPT; nothing of it is left then, as far as the disk allows
 */
export function flushLogs(options: FlushOptions): Flushed {
  const { disk, generation, lastLog, from, to } = options
  const memtable = new Memtable()
  if (to > from) {
    const chain = chainBehind(disk, lastLog, generation, from)
    replayChain(
      disk,
      chain,
      generation,
      from,
      (type, lsn, bytes, at, length, { name, recordAt }) => {
        memtable.sequence = lsn
        readChanges(type, bytes, at, length, memtable, { name, offset: recordAt })
      },
      to,
    )
  }
  return { table: writeMemtable(memtable, options), changes: memtable.changes }
}

function writeMemtable({ keys, values }: Memtable, options: FlushOptions): TableMeta | undefined {
  const { disk, generation, takeId, keepDeletes, table } = options
  let writer: TableWriter | undefined
  let key: Uint8Array = new Uint8Array(256)
  try {
    // One UTF-16 unit for each byte: the order of strings is that of the bytes.
    for (const name of [...keys.keys()].sort()) {
      const { kind, sequence, at, length } = keys.get(name)!
      if (kind === KIND_DELETE && !keepDeletes) continue
      key = grown(key, 0, name.length)
      for (let i = 0; i < name.length; i++) key[i] = name.charCodeAt(i)
      writer ??= new TableWriter(disk, takeId(), generation, table)
      const valueEnd = kind === KIND_PUT ? at + length : at
      writer.add(key, 0, name.length, kind, sequence, values, at, valueEnd)
    }
    return writer?.finish()
  } catch (error) {
    writer?.abandon()
    throw error
  }
}
