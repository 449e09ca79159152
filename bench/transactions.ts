/**
 * What snapshots, batches and transactions cost beside the plain operations that they stand in for.
 *
 *   npm run bench:transactions -- [--records 1000000] [--rounds 31] [--count 20000] [--json file]
 *
 * One thread; rounds of both sides take turns, with the same random keys; the ratio is the median of the paired ratios of
 * their times.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { BatchOperation, Store } from '../src/index.ts'
import { drawStrings } from './draws.ts'
import { describeMachine } from './machine.ts'
import { keyOf, value } from './load.ts'
import { MEASURES_SOURCES, loadModule } from './modules.ts'
import { median, pairedRatio, spread } from './statistics.ts'
import { formatTable, short } from './table.ts'

const { values: options } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '31' },
    count: { type: 'string', default: '20000' },
    json: { type: 'string' },
  },
})
const records = Number(options.records)
const rounds = Number(options.rounds)
const count = Number(options.count)

/** Rounds that are not counted: it takes some 500,000 operations until all of their way has been compiled for good. */
const warmUp = MEASURES_SOURCES ? 1 : Math.ceil(500_000 / count)

const BATCH = 100
const SCAN = 50

type Subject = Store<string, Uint8Array>
type Run = (store: Subject, keys: readonly string[]) => number

interface Pair {
  readonly name: string
  readonly against: string
  readonly aim: string
  readonly ours: Run
  readonly plain: Run
}

function gets(reads: Pick<Subject, 'get'>, keys: readonly string[]): number {
  let sum = 0
  for (const key of keys) sum += reads.get(key)!.length
  return sum
}

/** A function of its own for each side, so that neither sees the other's objects. */
function snapshotGets(reads: Pick<Subject, 'get'>, keys: readonly string[]): number {
  let sum = 0
  for (const key of keys) sum += reads.get(key)!.length
  return sum
}

function scans(reads: Pick<Subject, 'entries'>, keys: readonly string[]): number {
  let sum = 0
  for (let i = 0; i < keys.length; i += SCAN) {
    for (const entry of reads.entries({ gte: keys[i], limit: SCAN })) sum += entry[1].length
  }
  return sum
}

function snapshotScans(reads: Pick<Subject, 'entries'>, keys: readonly string[]): number {
  let sum = 0
  for (let i = 0; i < keys.length; i += SCAN) {
    for (const entry of reads.entries({ gte: keys[i], limit: SCAN })) sum += entry[1].length
  }
  return sum
}

function updates(store: Subject, keys: readonly string[]): number {
  for (const key of keys) store.update(key, (old) => old)
  return keys.length
}

function transactions(store: Subject, keys: readonly string[]): number {
  for (const key of keys) store.transaction((tx) => tx.set(key, tx.get(key)!))
  return keys.length
}

function transactionsOfTwo(store: Subject, keys: readonly string[]): number {
  for (let i = 0; i + 1 < keys.length; i += 2) {
    store.transaction((tx) => {
      const one = tx.get(keys[i])!
      tx.set(keys[i], tx.get(keys[i + 1])!)
      tx.set(keys[i + 1], one)
    })
  }
  return keys.length
}

function sets(store: Subject, keys: readonly string[]): number {
  for (const key of keys) store.set(key, value)
  return keys.length
}

function batches(store: Subject, keys: readonly string[]): number {
  for (let i = 0; i < keys.length; i += BATCH) {
    const operations: BatchOperation<string, Uint8Array>[] = []
    for (let j = i; j < i + BATCH; j++) operations.push({ type: 'set', key: keys[j], value })
    store.batch(operations)
  }
  return keys.length
}

function ofSnapshot(run: (reads: ReturnType<Subject['snapshot']>, keys: readonly string[]) => number): Run {
  return (store, keys) => {
    const snapshot = store.snapshot()
    const sum = run(snapshot, keys)
    snapshot.close()
    return sum
  }
}

const PAIRS: readonly Pair[] = [
  { name: 'get of a snapshot', against: 'get', aim: '1.3', ours: ofSnapshot(snapshotGets), plain: gets },
  { name: 'scan of 50 of a snapshot', against: 'scan of 50', aim: '', ours: ofSnapshot(snapshotScans), plain: scans },
  { name: 'transaction of one key', against: 'update', aim: '2.5', ours: transactions, plain: updates },
  { name: 'transaction of two keys', against: '2 updates', aim: '', ours: transactionsOfTwo, plain: updates },
  { name: 'batch of 100', against: '100 sets', aim: '1', ours: batches, plain: sets },
]

function timed(run: Run, store: Subject, keys: readonly string[]): number {
  const begin = process.hrtime.bigint()
  if (run(store, keys) === 0) throw new Error('nothing was done')
  return Number(process.hrtime.bigint() - begin) / keys.length
}

const { open } = await loadModule('index')
const store = open({ memory: 2 ** 26 + records * 512, values: 'binary' }) as Subject
for (let i = 0; i < records; i++) store.set(keyOf(i), value)
const table: string[][] = []
const rows: { name: string; ours: number; plain: number; ratio: number }[] = []
for (const { name, against, aim, ours, plain } of PAIRS) {
  const mine: number[] = []
  const theirs: number[] = []
  for (let round = -warmUp; round < rounds; round++) {
    const seed = (round + warmUp + 1) * 7919
    const first = (round + warmUp) % 2 === 0
    const before = first ? timed(ours, store, drawStrings(count, seed, records)) : 0
    const other = timed(plain, store, drawStrings(count, seed + 1, records))
    const own = first ? before : timed(ours, store, drawStrings(count, seed, records))
    if (round < 0) continue
    mine.push(own)
    theirs.push(other)
  }
  const ratio = pairedRatio(mine, theirs)!
  rows.push({ name, ours: median(mine), plain: median(theirs), ratio })
  const spreads = `${(spread(mine) * 100).toFixed(0)} %, ${(spread(theirs) * 100).toFixed(0)} %`
  table.push([name, short(median(mine)), against, short(median(theirs)), ratio.toFixed(2), aim, spreads])
}
console.log(`${records.toLocaleString('en')} records of a 16-byte key and a 100-byte value, ns for each key:\n`)
console.log(formatTable(['', 'ns', 'against', 'ns', 'ratio', 'at most', 'spreads'], table))
store.close()
if (options.json !== undefined) {
  writeFileSync(options.json, `${JSON.stringify({ machine: describeMachine([]), options, rows }, null, 2)}\n`)
}
