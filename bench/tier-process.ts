/**
 * A process of the measurement of the tier's defaults: does one step in a directory, tells what it took.
 *
 *   tier-process.ts step directory records options
 *
 * Steps: `load` fills an empty directory, overwrites half, waits until flushes and compactions rest, and closes; `reopen`
 * opens what is there and reads keys at random.
 */
import { readFileSync } from 'node:fs'
import { type Store, open } from '../dist/src/index.js'
import { drawIndices, drawStrings } from './draws.ts'
import { heddleMemory } from './engines/heddle.ts'
import { keyOf, value } from './load.ts'
import type { Loaded, Reopened } from './tier-defaults.ts'

const [step, directory, count, settings] = process.argv.slice(2) as ['load' | 'reopen', string, string, string]
const records = Number(count)
const READS = 40_000
/** How long nothing may have happened in the background for it to rest, and how long that is waited for. */
const REST_MS = 1000
const MOST_REST_MS = 120_000

/** Seconds of the processor that this thread has had; NaN if the system does not tell. */
function threadSeconds(): number {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e9
  } catch {
    return NaN
  }
}

function bytesWritten(): number {
  try {
    return Number(/^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? NaN)
  } catch {
    return NaN
  }
}

function openStore(): Store<string, Uint8Array> {
  const shape = { keys: 'string', keyBytes: 16, valueBytes: 100, memoryBytes: null } as const
  const memory = heddleMemory({ ...shape, records, capacity: records, directory })
  return open({ path: directory, memory, keys: 'utf8', values: 'binary', ...(JSON.parse(settings) as object) })
}

async function rest(store: Store<string, Uint8Array>): Promise<void> {
  const done = (): string => {
    const { bytesFlushed, bytesCompacted, tables } = store.stats()
    return `${bytesFlushed} ${bytesCompacted} ${tables} ${bytesWritten()}`
  }
  const until = performance.now() + MOST_REST_MS
  let last = done()
  for (let since = performance.now(); performance.now() < Math.min(until, since + REST_MS);) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    const now = done()
    if (now === last) continue
    last = now
    since = performance.now()
  }
}

async function load(): Promise<Loaded> {
  const store = openStore()
  const again = drawIndices(records >>> 1, 7, records)
  const cpu = process.cpuUsage()
  const thread = threadSeconds()
  const from = performance.now()
  for (let i = 0; i < records; i++) store.set(keyOf(i), value)
  for (const index of again) store.set(keyOf(index), value)
  store.flushSync()
  const seconds = (performance.now() - from) / 1000
  const writerSeconds = threadSeconds() - thread
  await rest(store)
  const { user, system } = process.cpuUsage(cpu)
  const written = bytesWritten()
  const { tables } = store.stats()
  store.close()
  return { seconds, writerSeconds, processSeconds: (user + system) / 1e6, bytesWritten: written, tables: tables ?? 0 }
}

function reopen(): Reopened {
  const keys = drawStrings(READS, 5, records)
  const store = openStore()
  const thread = threadSeconds()
  const from = performance.now()
  let bytes = 0
  for (const key of keys) bytes += store.get(key)?.length ?? 0
  const seconds = (performance.now() - from) / 1000
  const readerSeconds = threadSeconds() - thread
  store.close()
  if (bytes !== READS * value.length) throw new Error('records are lost')
  return { reads: READS, seconds, readerSeconds }
}

const report = step === 'load' ? await load() : reopen()
process.send!(report, () => process.exit(0))
