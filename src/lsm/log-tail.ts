/**
 * The end of the last log, written again at an opening.
 *
 * What was found in a log need not be on the disk, and a sync need not bring it there: if one has failed before, in a process
 * that has ended, the kernel has told that process, and takes the pages for clean. The next log would say that everything
 * before it is durable, and a crash could show that it is not. So what no MARK vouches for goes to a log of its own first,
 * which begins where the doubt begins. After a crash that is the group that was on its way, and what came after the sync before;
 * with durability 'none', where nothing is synced for its own sake, it may be the whole log.
 *
 * The new log gets its name when all of it is durable. So a crash leaves the old log as the last one, or both, of which the
 * newer one counts. When the name is durable too, a MARK is added, so that the next opening has nothing to copy. Not before: a
 * copy whose name may be lost must not pass for durable.
 *
 * Thread safety: belongs to the one thread that opens the store. Death: leaves a temporary file, or a copy that is copied again.
 * Complexity: O(bytes of what is copied).
 */
import type { Disk } from './disk.ts'
import { FileError, isNoSpace } from './file-error.ts'
import { fileName } from './file-name.ts'
import {
  BEGIN_BYTES,
  FILE_HEADER_BYTES,
  MARK_BYTES,
  RECORD_HEADER_BYTES,
  fileSeed,
  recordBytes,
  recordSeed,
  writeMark,
} from './log-format.ts'
import type { LogReader } from './log-reader.ts'
import { LogWriter } from './log-writer.ts'

/** Records are handed to the system together, as many as fit. */
const PIECE_BYTES = 2 ** 17

/**
 * Makes what is doubtful in a log durable in another one.
 * @param reader of the last log, at its end
 * @param from LSN below which everything is in tables
 * @param takeId gives an id above those of all logs
 * @returns id of the log that the next one may follow on, 0 for none
 * @throws FileError HEDDLE_IO. Where there is no room for it, it is left undone: a full disk keeps nobody from reading
 */
export function renewTail(
  disk: Disk,
  reader: LogReader,
  generation: number,
  from: number,
  takeId: () => number,
): number {
  const { vouched, end, position } = reader
  // Of a log that never says that something is durable not even the beginning may be, so nothing may follow on it. The one
  // before may be gone, if everything before this one is in tables.
  const sure = vouched > reader.base ? reader.id : reader.base > from ? reader.previous : 0
  if (vouched === end) return sure
  reader.rewind()
  const room = FILE_HEADER_BYTES + BEGIN_BYTES + position - reader.position + MARK_BYTES
  const id = takeId()
  let size = 0
  try {
    LogWriter.publish(disk, id, generation, room, (writer) => {
      writer.begin(vouched, sure)
      copyRecords(reader, writer)
      size = writer.size
    })
  } catch (error) {
    if (!isNoSpace(error)) throw error
    for (const kind of ['temp', 'log'] as const) {
      if (disk.sizeOf(fileName(id, kind)) !== undefined) disk.remove(fileName(id, kind))
    }
    return reader.id
  }
  vouchFor(disk, id, generation, size, end)
  return id
}

function copyRecords(reader: LogReader, writer: LogWriter): void {
  let piece = new Uint8Array(PIECE_BYTES)
  let used = 0
  while (reader.next()) {
    const { type, granules } = reader
    if (!reader.isRecord) {
      writer.addEmpty(type, granules)
      continue
    }
    const length = recordBytes(type, granules)
    if (used + length > piece.length) {
      writer.flush()
      used = 0
      if (length > piece.length) piece = new Uint8Array(length)
    }
    // The reader's bytes are others after the next record.
    const from = reader.payloadAt - RECORD_HEADER_BYTES
    piece.set(reader.bytes.subarray(from, from + length), used)
    writer.addSlot(piece, used, type, granules, reader.payloadLength)
    used += length
  }
  writer.flush()
}

/** Says in a log that is durable, its name included, that it is. If that fails, it is copied again some day: no harm. */
function vouchFor(disk: Disk, id: number, generation: number, size: number, lsn: number): void {
  const mark = new Uint8Array(MARK_BYTES)
  writeMark(mark, 0, lsn, lsn, recordSeed(fileSeed(id, generation), size))
  try {
    const file = disk.open(fileName(id, 'log'), 'write')
    try {
      file.write(mark, 0, MARK_BYTES, size)
      file.sync()
    } finally {
      file.close()
    }
  } catch (error) {
    if (!(error instanceof FileError)) throw error
  }
}
