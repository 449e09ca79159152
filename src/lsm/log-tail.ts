/**
 * The end of the last log, written again at an opening.
 *
 * What was found in a log need not be on the disk, and a sync need not bring it there: if one has failed before, in a process
 * that has ended, the kernel has told that process, and takes the pages for clean. The next log would say that everything
 * before it is durable, and a crash could show that it is not. So what no MARK vouches for goes to a log of its own first,
 * which begins where the doubt begins; that is the last group, at most, that was on its way when the process ended.
 *
 * The new log gets its name when all of it is durable. So a crash leaves the old log as the last one, or both, of which the
 * newer one counts.
 *
 * Thread safety: belongs to the one thread that opens the store. Death: leaves a temporary file.
 */
import type { Disk } from './disk.ts'
import { isNoSpace } from './file-error.ts'
import { fileName } from './file-name.ts'
import { BEGIN_BYTES, FILE_HEADER_BYTES, MARK_BYTES, RECORD_HEADER_BYTES } from './log-format.ts'
import type { LogReader } from './log-reader.ts'
import { LogWriter } from './log-writer.ts'

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
  try {
    LogWriter.publish(disk, id, generation, room, (writer) => {
      writer.begin(vouched, sure)
      while (reader.next()) copyRecord(reader, writer)
    })
  } catch (error) {
    if (!isNoSpace(error)) throw error
    for (const kind of ['temp', 'log'] as const) {
      if (disk.sizeOf(fileName(id, kind)) !== undefined) disk.remove(fileName(id, kind))
    }
    return reader.id
  }
  return id
}

function copyRecord(reader: LogReader, writer: LogWriter): void {
  const { type, granules } = reader
  if (!reader.isRecord) writer.addEmpty(type, granules)
  else writer.addSlot(reader.bytes, reader.payloadAt - RECORD_HEADER_BYTES, type, granules, reader.payloadLength)
  // The reader's bytes are others after the next record.
  writer.flush()
}
