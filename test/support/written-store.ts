/** The store that `programs/write-durably.ts` writes to: flushed and compacted all the time; much is more than its memory. */
import type { OpenOptions } from '../../src/index.ts'
import { type Extent, LITTLE, MUCH } from './numbered-changes.ts'

export type Amount = 'little' | 'much'

export function extentOf(amount: Amount): Extent {
  return amount === 'much' ? MUCH : LITTLE
}

export function writtenOptions(path: string, amount: Amount): OpenOptions<'utf8', 'utf8'> {
  if (amount === 'little') {
    return {
      path,
      memory: 32 * 2 ** 20,
      memtable: { entries: 150, bytes: 16_384 },
      tuning: { levelZeroTables: 2, levelOneBytes: 8192, tableBytes: 4096 },
    }
  }
  return {
    path,
    memory: 1.5 * 2 ** 20,
    maxThreads: 8,
    memtable: { bytes: 128 * 1024 },
    tuning: { levelZeroTables: 3, levelOneBytes: 2 ** 20, tableBytes: 128 * 1024, segmentWords: 4096, leafEntries: 32 },
  }
}
