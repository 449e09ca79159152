/**
 * What it takes to keep data: loading and overwriting until everything is durable, what that writes, what it occupies, and
 * how long the first answer takes after a crash and after an orderly end.
 *
 *   npm run bench:durable -- [--records 1000000] [--engines heddle-group,lmdb-sync,classic-level,rocksdb]
 *                            [--directory folder] [--json file]
 *
 * A process for each step, one after the other. Loaded are 16-byte keys with 100-byte values in random order, then half as
 * many are overwritten; then the process is killed. Rates of single durable writes and their latencies are for the suite:
 * `npm run bench -- --engines heddle-sync,lmdb-sync-single --workloads overwrite`.
 */
import { fork } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeMachine } from './machine.ts'
import { installPeers } from './peers.ts'
import { formatTable, short } from './table.ts'

const { values: options } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    engines: { type: 'string', default: 'heddle-group,lmdb,lmdb-sync,classic-level,rocksdb' },
    directory: { type: 'string', default: tmpdir() },
    json: { type: 'string' },
  },
})
const records = Number(options.records)
const RECORD_BYTES = 116

interface Loaded {
  readonly loadSeconds: number
  readonly overwriteSeconds: number
  readonly bytesWritten: number
}

interface Reopened {
  readonly openSeconds: number
  readonly readsPerSecond: number
}

function step<T>(engine: string, name: 'load' | 'reopen', directory: string): Promise<T> {
  const child = fork(new URL('./durable-process.ts', import.meta.url), [engine, name, directory, String(records)], {
    execArgv: ['--import', 'tsx'],
  })
  return new Promise((resolve, reject) => {
    let report: T | undefined
    child.on('message', (message) => (report = message as T))
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      if (report !== undefined) resolve(report)
      else reject(new Error(`${engine} ended in '${name}' with ${String(code ?? signal)}`))
    })
  })
}

function occupied(directory: string): number {
  let bytes = 0
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    // What is really taken: files may have holes.
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).blocks * 512
  }
  return bytes
}

async function measure(engine: string): Promise<Row> {
  const directory = mkdtempSync(join(options.directory, 'durable-'))
  try {
    const loaded = await step<Loaded>(engine, 'load', directory)
    const afterKill = await step<Reopened>(engine, 'reopen', directory)
    const bytes = occupied(directory)
    const afterClose = await step<Reopened>(engine, 'reopen', directory)
    return {
      engine,
      loadsPerSecond: records / loaded.loadSeconds,
      overwritesPerSecond: (records >>> 1) / loaded.overwriteSeconds,
      writeAmplification: loaded.bytesWritten / ((records + (records >>> 1)) * RECORD_BYTES),
      spaceAmplification: bytes / (records * RECORD_BYTES),
      openAfterKillSeconds: afterKill.openSeconds,
      openAfterCloseSeconds: afterClose.openSeconds,
      readsPerSecond: afterClose.readsPerSecond,
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

interface Row {
  readonly engine: string
  readonly loadsPerSecond: number
  readonly overwritesPerSecond: number
  readonly writeAmplification: number
  readonly spaceAmplification: number
  readonly openAfterKillSeconds: number
  readonly openAfterCloseSeconds: number
  readonly readsPerSecond: number
}

const engines = options.engines.split(',')
installPeers(engines, (text) => console.error(text))
const rows: Row[] = []
for (const engine of engines) {
  process.stderr.write(`${engine} ...\n`)
  rows.push(await measure(engine))
}
const table = rows.map((row) => [
  row.engine,
  short(row.loadsPerSecond / 1e6),
  short(row.overwritesPerSecond / 1e6),
  short(row.writeAmplification),
  short(row.spaceAmplification),
  short(row.openAfterKillSeconds),
  short(row.openAfterCloseSeconds),
  short(row.readsPerSecond / 1e6),
])
const header = [
  '',
  'load M/s',
  'overwrite M/s',
  'written x',
  'space x',
  'open after kill s',
  'after close s',
  'reads M/s',
]
console.log(`${records.toLocaleString('en')} records of a 16-byte key and a 100-byte value, one thread:\n`)
console.log(formatTable(header, table))
if (options.json !== undefined) {
  writeFileSync(options.json, `${JSON.stringify({ machine: describeMachine([]), options, rows }, null, 2)}\n`)
}
