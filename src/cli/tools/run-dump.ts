import { closeSync, fsyncSync, openSync } from 'node:fs'
import { compareRanges } from '../../lsm/byte-codec.ts'
import type { DirectoryReader } from '../../lsm/directory-reader.ts'
import { NEWEST } from '../../lsm/entry.ts'
import { Scratch } from '../../lsm/offline.ts'
import { RunSorter } from '../../lsm/run-sorter.ts'
import { VisibleSource } from '../../lsm/visible-source.ts'
import type { DumpOptions } from '../dump.ts'
import type { Screen } from '../screen.ts'
import { UsageError } from '../usage-error.ts'
import { writeAll } from '../write-all.ts'
import { barsOnStderr, reading, storeOn, telling } from './directory.ts'
import { lineOf } from './json-lines.ts'

const STDOUT = 1
/** Characters that are collected before they are written. */
const PIECE = 1 << 16

/** Prints entries; the exit code. */
export function runDump(options: DumpOptions, screen: Screen = barsOnStderr()): Promise<number> {
  const { directory, out } = options
  return telling('dump', () =>
    reading(directory, ({ disk }) => {
      const reader = storeOn(disk, directory)
      const to = out === undefined ? STDOUT : create(out)
      try {
        dump(reader, to, options, screen)
        if (out !== undefined) fsyncSync(to)
      } finally {
        reader.close()
        if (out !== undefined) closeSync(to)
      }
      return 0
    }),
  )
}

function create(file: string): number {
  try {
    return openSync(file, 'wx', 0o600)
  } catch (error) {
    throw new UsageError(`cannot write '${file}': ${(error as Error).message}`)
  }
}

function dump(reader: DirectoryReader, to: number, options: DumpOptions, screen: Screen): void {
  const scratch = new Scratch()
  let nextRun = 1
  const { generation } = reader.manifest
  const sorter = new RunSorter({ disk: scratch.disk, generation, newId: () => nextRun++ })
  const counts = reader.readLogs(sorter)
  const total = Math.min(options.limit, reader.tableEntries() + counts.puts + counts.deletes)
  const progress = screen.quietProgress('dumping', total)
  try {
    const source = new VisibleSource(reader.merged([sorter.source()]), NEWEST)
    writeEntries(source, to, options, (entries) => progress.show(entries))
  } finally {
    progress.end()
    sorter.close()
    scratch.close()
  }
}

function writeEntries(
  source: VisibleSource,
  out: number,
  { from, to, limit }: DumpOptions,
  onProgress: (entries: number) => void,
): void {
  let piece = ''
  let entries = 0
  if (from === undefined) source.seekFirst()
  else source.seek(from, 0, from.length)
  for (; source.valid && entries < limit; source.next()) {
    const { key, keyLength, value, valueStart, valueEnd } = source
    if (to !== undefined && compareRanges(key, 0, keyLength, to, 0, to.length) >= 0) break
    piece += lineOf(key.subarray(0, keyLength), value.subarray(valueStart, valueEnd))
    entries++
    if (piece.length < PIECE) continue
    if (!writeAll(out, piece)) return
    piece = ''
    onProgress(entries)
  }
  writeAll(out, piece)
}
