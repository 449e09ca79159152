import { compactDirectory } from '../../lsm/directory-compact.ts'
import type { CompactOptions } from '../compact.ts'
import { bytes, counted, grouped } from '../format.ts'
import { Screen } from '../screen.ts'
import { changing, storeOn, telling } from './directory.ts'

/** Compacts a store; the exit code. */
export function runCompact(options: CompactOptions, screen: Screen = new Screen()): Promise<number> {
  const { directory, tableBytes, compression } = options
  return telling('compact', () => {
    const report = changing(directory, ({ disk }) => {
      const reader = storeOn(disk, directory)
      const progress = screen.quietProgress('compacting', reader.tableEntries())
      try {
        const onProgress = (entries: number): void => progress.show(entries)
        return compactDirectory(reader, { tableBytes, table: { compression }, onProgress })
      } finally {
        progress.end()
      }
    })
    const { tables, entriesRead, dropped, deletesDropped, bytesBefore, bytesAfter } = report
    const kept = entriesRead - dropped - deletesDropped
    const entries = `${grouped(entriesRead)} entries read, ${grouped(kept)} kept in ${counted(tables.length, 'table')}`
    screen.line(`compact: ${entries}, ${bytes(bytesBefore)} became ${bytes(bytesAfter)}`)
    return 0
  })
}
