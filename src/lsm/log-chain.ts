/**
 * The logs of a store in their order, and their replay.
 *
 * Each log names the one before it and the LSN it begins with. What a log says counts up to the beginning of the next;
 * behind that it may hold records that were written again to the next one after a failed sync, or a torn end.
 *
 * The rule that makes holes visible: a log begins at an LSN only when everything before was durable. So a log whose valid
 * records end before the next one begins is corrupt; only the last log may have a torn end. And since a chain is followed
 * by names, a log that is missing is noticed, and one that nobody names (prepared, or given up after a failed sync before
 * anything in it was durable) counts for nothing.
 *
 * Thread safety: pure but for reading the disk.
 */
import type { Disk } from './disk.ts'
import { corruptFile } from './file-error.ts'
import { fileName } from './file-name.ts'
import { LogReader } from './log-reader.ts'

/** What a log says about itself. */
export interface LogHead {
  readonly id: number
  /** LSN of its first slot, or -1 if it never began. */
  readonly base: number
  /** Id of the log before, or 0. */
  readonly previous: number
}

/** Receives a record. The payload is valid during the call. The reader says in which file it stands, and where. */
export type LogVisitor = (
  type: number,
  lsn: number,
  bytes: Uint8Array,
  payloadAt: number,
  payloadLength: number,
  reader: LogReader,
) => void

/**
 * The logs that end at a log, oldest first, by what each says about the one before.
 * @param last id of the newest of them
 * @param from LSN below which everything is in tables
 * @throws FileError HEDDLE_CORRUPT if one is missing or not valid
 */
export function chainBehind(disk: Disk, last: number, generation: number, from: number): LogHead[] {
  const chain: LogHead[] = []
  for (let id = last; ;) {
    const head = readLogHead(disk, id, generation)
    chain.unshift(head)
    if (head.base >= 0 && head.base <= from) return chain
    if (head.base < 0 || head.previous === 0 || head.previous >= id) {
      throw corruptFile(fileName(id, 'log'), 0, `it begins at ${head.base}, but ${from} is needed`)
    }
    id = head.previous
  }
}

/** @throws FileError HEDDLE_CORRUPT if the header is invalid, or if it began and its beginning is not valid any more */
export function readLogHead(disk: Disk, id: number, generation: number): LogHead {
  const reader = new LogReader(disk, id, generation)
  try {
    if (reader.base < 0) reader.checkTornEnd()
    return { id, base: reader.base, previous: reader.previous }
  } finally {
    reader.close()
  }
}

/**
 * The logs to replay, oldest first: from the newest one back to the one that holds `from`.
 * @param heads of all logs there are
 * @param from LSN below which everything is in tables
 * @throws FileError HEDDLE_CORRUPT if one is missing
 */
export function chainOf(heads: readonly LogHead[], from: number): LogHead[] {
  const chain: LogHead[] = []
  let head = newestOf(heads)
  while (head !== undefined) {
    chain.unshift(head)
    if (head.base <= from) return chain
    const { id, base, previous } = head
    if (previous === 0) throw corruptFile(fileName(id, 'log'), 0, `it begins at ${base}, but ${from} is needed`)
    head = heads.find((other) => other.id === previous)
    if (head === undefined) throw corruptFile(fileName(previous, 'log'), 0, `it is missing; ${id} follows on it`)
    if (head.id >= id || head.base < 0 || head.base > base) {
      throw corruptFile(fileName(previous, 'log'), 0, `it does not come before log ${id}`)
    }
  }
  return chain
}

function newestOf(heads: readonly LogHead[]): LogHead | undefined {
  let newest: LogHead | undefined
  for (const head of heads) if (head.base >= 0 && head.id > (newest?.id ?? 0)) newest = head
  return newest
}

/**
 * Reads a chain in order and makes it durable.
 * @param from records that end at or before this LSN are passed by
 * @param visit is given the records in order, each once; aborted and padding slots are left out
 * @param to LSN at which the log behind the last one begins; Infinity if there is none
 * @param ended is given the last log, at its end
 * @returns the LSN at which the logs end, at least `from`
 * @throws FileError HEDDLE_CORRUPT naming file and offset; whatever `visit` throws
 */
export function replayChain(
  disk: Disk,
  chain: readonly LogHead[],
  generation: number,
  from: number,
  visit: LogVisitor,
  to = Infinity,
  ended: (reader: LogReader) => void = () => {},
): number {
  let end = from
  for (let i = 0; i < chain.length; i++) {
    const reader = new LogReader(disk, chain[i].id, generation)
    try {
      const limit = i + 1 < chain.length ? chain[i + 1].base : to
      while (reader.end < limit && reader.next()) {
        if (!reader.isRecord || reader.lsn < from) continue
        visit(reader.type, reader.lsn, reader.bytes, reader.payloadAt, reader.payloadLength, reader)
      }
      if (reader.end < limit && limit < Infinity) {
        throw corruptFile(reader.name, reader.position, `it ends at ${reader.end}, and the next log begins at ${limit}`)
      }
      if (limit === Infinity) reader.checkTornEnd()
      else if (reader.end > limit) throw corruptFile(reader.name, reader.position, `a slot lies across ${limit}`)
      // Whoever says where it ends knows that it is durable up to there; and it may have been given up after a failed sync.
      if (to === Infinity) reader.sync()
      end = Math.max(end, reader.end)
      if (i === chain.length - 1) ended(reader)
    } finally {
      reader.close()
    }
  }
  return end
}
