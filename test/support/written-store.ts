/**
 * The store that `programs/write-durably.ts` and `workers/write-while-killed.ts` write to: flushed and compacted all the time;
 * much is more than its memory.
 */
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

/** What a writer of `workers/write-while-killed.ts` is told. */
export interface WriterData {
  readonly writer: string
  readonly seed: number
  readonly amount: Amount
  /** A call that returns has made its change durable; else `flushSync` does, now and then. */
  readonly sync: boolean
  /** Of PROGRESS words. */
  readonly progress: SharedArrayBuffer
}

/** Words: the last change that has returned; 1 to stop. */
export const PROGRESS = { made: 0, stop: 1 } as const
