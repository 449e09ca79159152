/**
 * A process of the durable measurement: opens an engine in a directory, does one step there, tells what it took.
 *
 *   durable-process.ts engine step directory records
 *
 * Steps: `load` fills an empty directory, overwrites half of it, and dies by SIGKILL when everything is durable; `reopen`
 * opens what is there, reads, closes in order.
 */
import { readFileSync } from 'node:fs'
import { keyOf, value } from './load.ts'
import { drawIndices, drawStrings } from './draws.ts'
import { loadEngine } from './engines/catalog.ts'
import type { Session, Setting } from './engines/engine.ts'

export type Step = 'load' | 'reopen'

export interface Loaded {
  readonly loadSeconds: number
  readonly overwriteSeconds: number
  readonly bytesWritten: number
}

export interface Reopened {
  readonly openSeconds: number
  readonly readsPerSecond: number
}

const [name, step, directory, count] = process.argv.slice(2) as [string, Step, string, string]
const records = Number(count)
const shape = { keys: 'string', keyBytes: 16, valueBytes: 100, memoryBytes: null } as const
const setting: Setting = { ...shape, records, capacity: records, directory }
const READS = 20_000

/** What the process had written to the disk, by the kernel's count. */
function bytesWritten(): number {
  return Number(/^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? NaN)
}

function seconds(from: number): number {
  return (performance.now() - from) / 1000
}

async function write(session: Session, indices: Iterable<number>): Promise<void> {
  const prepared = session.prepare(Buffer.from(value))
  let pending = 0
  for (const index of indices) {
    session.set(keyOf(index), prepared)
    if (session.batch > 0 && ++pending >= session.batch) {
      await session.flush!()
      pending = 0
    }
  }
  await session.flush?.()
}

function* upTo(end: number): Generator<number> {
  for (let i = 0; i < end; i++) yield i
}

async function load(): Promise<void> {
  const engine = await loadEngine(name)
  const shared = await engine.open(setting)
  const session = await engine.attach(shared.share().data, setting)
  session.bulk?.(true)
  const from = performance.now()
  await write(session, upTo(records))
  await session.settle?.()
  const loadSeconds = seconds(from)
  const again = performance.now()
  await write(session, drawIndices(records >>> 1, 7, records))
  await session.settle?.()
  const report: Loaded = { loadSeconds, overwriteSeconds: seconds(again), bytesWritten: bytesWritten() }
  process.send!(report, () => process.kill(process.pid, 'SIGKILL'))
}

async function reopen(): Promise<void> {
  const engine = await loadEngine(name)
  const from = performance.now()
  const shared = await engine.open(setting)
  const session = await engine.attach(shared.share().data, setting)
  if ((await session.lookup(keyOf(records >>> 1)))?.length !== value.length)
    throw new Error(`${name} has lost a record`)
  const openSeconds = seconds(from)
  const keys = drawStrings(READS, 5, records)
  const begun = performance.now()
  let read = 0
  for (const key of keys) {
    session.read(key)
    if (session.deferred.has('read') && ++read % session.batch === 0) await session.flush!()
  }
  await session.flush?.()
  const readSeconds = seconds(begun)
  await session.close()
  await shared.close()
  const report: Reopened = { openSeconds, readsPerSecond: READS / readSeconds }
  process.send!(report, () => process.exit(0))
}

await (step === 'load' ? load() : reopen())
