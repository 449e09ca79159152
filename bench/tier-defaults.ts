/**
 * What the defaults of the durable tier cost and gain: each setting with a few values, the others left as they are.
 *
 *   npm run bench:tier-defaults -- [--records 400000] [--settings memtable.bytes,blockBytes] [--directory folder] [--json file]
 *
 * For each value a process loads 16-byte keys with 100-byte values in random order, overwrites half as many, waits until the
 * background rests, and closes; another one opens the directory and reads keys at random. Rates are given beside the time
 * of the processor (of the writing thread, of all threads, of the reading thread): on a machine that others use as well, only
 * that compares. Where the system does not tell a thread's time (other than Linux), it is left out.
 */
import { fork } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeMachine } from './machine.ts'
import { formatTable, short } from './table.ts'

const { values: options } = parseArgs({
  options: {
    records: { type: 'string', default: '400000' },
    settings: { type: 'string' },
    directory: { type: 'string', default: tmpdir() },
    json: { type: 'string' },
  },
})
const records = Number(options.records)
const RECORD_BYTES = 116
const CHANGES = records + (records >>> 1)
const MIB = 2 ** 20

/** Options of a store, as JSON takes them. */
type Settings = Record<string, unknown>

/** The values tried; the first one of each is the default at these numbers of records. */
const TRIED: Record<string, readonly [string, Settings][]> = {
  default: [['', {}]],
  'memtable.bytes': [4, 8, 32, 64].map((mib) => [`${mib} MiB`, { memtable: { bytes: mib * MIB } }]),
  compactEvery: [100_000, 500_000].map((updates) => [String(updates), { compactEvery: updates }]),
  groupMs: [2, 50, 200].map((ms) => [String(ms), { groupMs: ms }]),
  cacheBytes: [1, 32].map((mib) => [`${mib} MiB`, { cacheBytes: mib * MIB }]),
  blockBytes: [1024, 2048, 8192, 16_384].map((bytes) => [String(bytes), { tuning: { blockBytes: bytes } }]),
  levelZeroTables: [2, 8].map((tables) => [String(tables), { tuning: { levelZeroTables: tables } }]),
  levelOneBytes: [16, 256].map((mib) => [`${mib} MiB`, { tuning: { levelOneBytes: mib * MIB } }]),
  tableBytes: [2, 32].map((mib) => [`${mib} MiB`, { tuning: { tableBytes: mib * MIB } }]),
  compression: [['deflate', { compression: 'deflate' }]],
}

/** Times in seconds; those of the processor are NaN (null in JSON) where they are not known. */
export interface Loaded {
  readonly seconds: number
  readonly writerSeconds: number | null
  readonly processSeconds: number
  readonly bytesWritten: number | null
  readonly tables: number
}

export interface Reopened {
  readonly reads: number
  readonly seconds: number
  readonly readerSeconds: number | null
}

function step<T>(name: 'load' | 'reopen', directory: string, settings: Settings): Promise<T> {
  const child = fork(
    new URL('./tier-process.ts', import.meta.url),
    [name, directory, String(records), JSON.stringify(settings)],
    { execArgv: ['--import', 'tsx'] },
  )
  return new Promise((resolve, reject) => {
    let report: T | undefined
    child.on('message', (message) => (report = message as T))
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      if (report !== undefined) resolve(report)
      else reject(new Error(`'${name}' ended with ${String(code ?? signal)}`))
    })
  })
}

function occupied(directory: string): number {
  let bytes = 0
  for (const name of readdirSync(directory)) {
    const stat = statSync(join(directory, name))
    if (name.endsWith('.table')) bytes += stat.size
  }
  return bytes
}

async function measure(settings: Settings): Promise<Record<string, number>> {
  const directory = mkdtempSync(join(options.directory, 'tier-'))
  try {
    const loaded = await step<Loaded>('load', directory, settings)
    const bytes = occupied(directory)
    const reopened = await step<Reopened>('reopen', directory, settings)
    return {
      changesPerSecond: CHANGES / loaded.seconds,
      writerMicroseconds: ((loaded.writerSeconds ?? NaN) * 1e6) / CHANGES,
      processMicroseconds: (loaded.processSeconds * 1e6) / CHANGES,
      writeAmplification: (loaded.bytesWritten ?? NaN) / (CHANGES * RECORD_BYTES),
      spaceAmplification: bytes / (records * RECORD_BYTES),
      tables: loaded.tables,
      readsPerSecond: reopened.reads / reopened.seconds,
      readMicroseconds: ((reopened.readerSeconds ?? NaN) * 1e6) / reopened.reads,
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const wanted = options.settings?.split(',')
const rows: { name: string; value: string; figures: Record<string, number> }[] = []
for (const [name, values] of Object.entries(TRIED)) {
  if (wanted !== undefined && !wanted.includes(name)) continue
  for (const [value, settings] of values) {
    process.stderr.write(`${name} ${value} ...\n`)
    rows.push({ name, value, figures: await measure(settings) })
  }
}
const header = [
  'setting',
  'changes M/s',
  'writer µs',
  'all µs',
  'written x',
  'tables x',
  'tables',
  'reads M/s',
  'read µs',
]
const cells = rows.map(({ name, value, figures }) => [
  `${name} ${value}`.trim(),
  short(figures.changesPerSecond / 1e6),
  short(figures.writerMicroseconds),
  short(figures.processMicroseconds),
  short(figures.writeAmplification),
  short(figures.spaceAmplification),
  String(figures.tables),
  short(figures.readsPerSecond / 1e6),
  short(figures.readMicroseconds),
])
console.log(
  `${records.toLocaleString('en')} records of a 16-byte key and a 100-byte value, half of them overwritten:\n`,
)
console.log(formatTable(header, cells))
if (options.json !== undefined) {
  writeFileSync(options.json, `${JSON.stringify({ machine: describeMachine([]), options, rows }, null, 2)}\n`)
}
