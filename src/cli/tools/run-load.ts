import { isUtf8 } from 'node:buffer'
import { createReadStream, fstatSync, openSync } from 'node:fs'
import { Loader, type LoadReport } from '../../lsm/directory-load.ts'
import { type Offline, openForWriting } from '../../lsm/offline.ts'
import { HeddleError } from '../../memory/error.ts'
import { MAX_KEY_BYTES } from '../../store/codec.ts'
import { bytes, counted, grouped, seconds } from '../format.ts'
import type { LoadOptions } from '../load.ts'
import { Screen } from '../screen.ts'
import { UsageError } from '../usage-error.ts'
import { telling } from './directory.ts'
import { LineCutter, LineError, parseLine } from './json-lines.ts'

const PIECE_BYTES = 1 << 18
const STDIN = 0

interface Input {
  readonly fd: number
  /** 0 if it is not known. */
  readonly size: number
  readonly name: string
}

/** Loads entries; the exit code. */
export function runLoad(options: LoadOptions, screen: Screen = new Screen()): Promise<number> {
  return telling('load', async () => {
    const input = inputOf(options.file)
    const from = performance.now()
    const report = await loadInto(openForWriting(options.directory), input, options, screen)
    const elapsed = (performance.now() - from) / 1000
    const { added, dropped, sorted, tables, bytesAfter } = report
    const lines = `${counted(added, 'line')}${sorted ? '' : ', sorted'}, ${grouped(dropped)} replaced`
    const rate = `${seconds(elapsed)} s, ${grouped(added / elapsed)} lines/s`
    screen.line(`load: ${lines}, ${counted(tables.length, 'table')}, ${bytes(bytesAfter)}, ${rate}`)
    return 0
  })
}

function inputOf(file: string | undefined): Input {
  if (file === undefined) return { fd: STDIN, size: 0, name: 'stdin' }
  try {
    const fd = openSync(file, 'r')
    return { fd, size: fstatSync(fd).size, name: file }
  } catch (error) {
    throw new UsageError(`cannot read '${file}': ${(error as Error).message}`)
  }
}

async function loadInto(to: Offline, input: Input, options: LoadOptions, screen: Screen): Promise<LoadReport> {
  let loader: Loader | undefined
  try {
    loader = loaderFor(to, options)
    await readInto(loader, input, options, screen)
    return loader.finish()
  } catch (error) {
    if (error instanceof LineError) throw new UsageError(`${input.name}, ${error.message}`)
    throw error
  } finally {
    loader?.abandon()
    to.close()
  }
}

function loaderFor({ disk }: Offline, options: LoadOptions): Loader {
  const { directory, into, memory, tableBytes, compression } = options
  try {
    // What a store that is opened on the directory compares with its own codecs.
    const settings = Buffer.from(JSON.stringify({ keys: options.keys, values: options.values }))
    return new Loader(disk, { into, settings, memoryBytes: memory, tableBytes, table: { compression } })
  } catch (error) {
    if (!(error instanceof HeddleError) || error.code !== 'HEDDLE_INVALID_OPTION') throw error
    throw new UsageError(`there is a store in '${directory}' that holds something: give --into to add to it`)
  }
}

async function readInto(loader: Loader, { fd, size }: Input, options: LoadOptions, screen: Screen): Promise<void> {
  const progress = screen.quietProgress('loading', size)
  const cutter = new LineCutter()
  const take = (line: Buffer, number: number): void => {
    const { key, value } = parseLine(line, number)
    if (key.length > MAX_KEY_BYTES) {
      throw new LineError(number, `the key takes ${key.length} bytes, the most is ${MAX_KEY_BYTES}`)
    }
    if (options.keys === 'utf8' && !isUtf8(key)) throw new LineError(number, 'the key is not UTF-8: say --keys binary')
    if (options.values === 'utf8' && !isUtf8(value)) {
      throw new LineError(number, 'the value is not UTF-8: say --values binary')
    }
    loader.add(key, value)
  }
  try {
    let done = 0
    const stream = createReadStream('', { fd, highWaterMark: PIECE_BYTES })
    for await (const piece of stream as AsyncIterable<Buffer>) {
      cutter.push(piece, take)
      done += piece.length
      if (size > 0) progress.show(Math.min(done / size, 1) * size)
    }
    cutter.end(take)
  } finally {
    progress.end()
  }
}
