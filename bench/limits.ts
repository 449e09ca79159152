/**
 * The limit that the machine sets: what a dependent load costs at different sizes of memory, and what a bare B+tree on
 * private memory takes for the operations of heddle, with heddle beside it as a fraction of that.
 *
 *   npm run bench:limits -- [--records 1000000] [--rounds 9] [--count 30000] [--hops 1000000] [--mib 8,16,...,512]
 *                           [--json file]
 *
 * One thread. Keys are those of load.ts, flat strings in the order of their use. Rounds of heddle and the bare tree take
 * turns; the fraction is the median of the paired ratios.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Store } from '../src/index.ts'
import { BareTree } from './bare-tree.ts'
import { drawStrings } from './draws.ts'
import { describeMachine } from './machine.ts'
import { VALUE_BYTES, keyOf, value } from './load.ts'
import { loadModule } from './modules.ts'
import { median, pairedRatio, spread } from './statistics.ts'
import { type Chase, chaseAtomically, chasePlainly, linkRandomly } from './pointer-chase.ts'
import type { Curve, Report, Row } from './report.ts'
import { formatTable, short } from './table.ts'

const { values: options } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '9' },
    count: { type: 'string', default: '30000' },
    hops: { type: 'string', default: '1000000' },
    mib: { type: 'string', default: '8,16,32,64,128,256,512' },
    json: { type: 'string' },
  },
})
const records = Number(options.records)
const rounds = Number(options.rounds)
const count = Number(options.count)
const hops = Number(options.hops)

const CHASE_ROUNDS = 5

interface Way {
  readonly name: string
  readonly isShared: boolean
  readonly chase: Chase
}

const WAYS: readonly Way[] = [
  { name: 'load', isShared: false, chase: chasePlainly },
  { name: 'load, shared memory', isShared: true, chase: chasePlainly },
  { name: 'Atomics.load, shared memory', isShared: true, chase: chaseAtomically },
]

function measureChase(): Curve {
  const series = WAYS.map(({ name }) => ({ name, points: [] as { x: number; y: number }[] }))
  const table: string[][] = []
  for (const mib of options.mib.split(',').map(Number)) {
    const bytes = mib * 2 ** 20
    const rings = new Map([false, true].map((isShared) => [isShared, linkRandomly(bytes, isShared)]))
    const taken = WAYS.map(() => [] as number[])
    for (let round = -1; round < CHASE_ROUNDS; round++) {
      for (const [i, { isShared, chase }] of WAYS.entries()) {
        const ns = chase(rings.get(isShared)!, hops)
        if (round >= 0) taken[i].push(ns)
      }
    }
    const medians = taken.map(median)
    for (const [i, { points }] of series.entries()) points.push({ x: mib, y: medians[i] })
    table.push([`${mib} MiB`, ...medians.map(short)])
  }
  console.log('A dependent load from a random cache line, ns:\n')
  console.log(formatTable(['', ...WAYS.map(({ name }) => name)], table))
  return { name: 'dependent loads', x: 'MiB', y: 'ns per hop', logarithmic: true, series }
}

const target = new Uint8Array(VALUE_BYTES)

/** Runs an operation over keys. @returns bytes read or written */
type Run<S> = (subject: S, keys: readonly string[]) => number

type Heddle = Store<string, Uint8Array>

/** Loops of its own for each engine: one that both share would call each as something that may be the other. */
interface Operation {
  readonly name: string
  readonly heddle: Run<Heddle>
  readonly bare: Run<BareTree>
}

const SCAN_ENTRIES = 50

const OPERATIONS: readonly Operation[] = [
  {
    name: 'get',
    heddle(store, keys) {
      let sum = 0
      for (const key of keys) sum += store.get(key)!.length
      return sum
    },
    bare(tree, keys) {
      let sum = 0
      for (const key of keys) sum += tree.get(key)!.length
      return sum
    },
  },
  {
    name: 'getInto',
    heddle(store, keys) {
      let sum = 0
      for (const key of keys) sum += store.getInto(key, target)
      return sum
    },
    bare(tree, keys) {
      let sum = 0
      for (const key of keys) sum += tree.getInto(key, target)
      return sum
    },
  },
  {
    name: `entry of a scan of ${SCAN_ENTRIES}`,
    heddle: scanHeddle,
    bare(tree, keys) {
      let sum = 0
      for (let i = 0; i < keys.length; i += SCAN_ENTRIES) sum += tree.scan(keys[i], SCAN_ENTRIES)
      return sum
    },
  },
  // Last: it moves records.
  {
    name: 'overwrite',
    heddle(store, keys) {
      for (const key of keys) store.set(key, value)
      return keys.length * VALUE_BYTES
    },
    bare(tree, keys) {
      for (const key of keys) tree.set(key, value)
      return keys.length * VALUE_BYTES
    },
  },
]

/** Begins at every 50th key, so that as many entries are read as there are keys. */
function scanHeddle(store: Heddle, keys: readonly string[]): number {
  let sum = 0
  for (let i = 0; i < keys.length; i += SCAN_ENTRIES) {
    for (const entry of store.entries({ gte: keys[i], limit: SCAN_ENTRIES })) sum += entry[1].length
  }
  return sum
}

function timed<S>(run: Run<S>, subject: S, keys: readonly string[]): number {
  const begin = process.hrtime.bigint()
  const sum = run(subject, keys)
  const ns = Number(process.hrtime.bigint() - begin)
  // A scan that begins near the end finds fewer entries.
  if (sum < 0.5 * keys.length * VALUE_BYTES) throw new Error('not every key was found')
  return ns / keys.length
}

function row(engine: string, workload: string, ns: readonly number[], ratio: number | null): Row {
  const perSecond = ns.map((each) => 1e9 / each)
  return {
    engine,
    workload,
    workers: 1,
    rounds: perSecond,
    median: median(perSecond),
    spread: spread(perSecond),
    ratio,
    latencyNs: null,
    cpuSecondsPerMillion: null,
    oversubscribed: false,
  }
}

/** How the records were written: where they lie follows from it. */
interface Filling {
  readonly name: string
  readonly keyAt: (i: number) => string
}

const SHUFFLED: Filling = { name: 'loaded in random order', keyAt: keyOf }

/** In order of the keys, so that neighbours in key order are neighbours in memory. */
function ascending(): Filling {
  const sorted = Array.from({ length: records }, (_, i) => keyOf(i)).sort()
  return { name: 'loaded in key order', keyAt: (i) => sorted[i] }
}

/** Fills an empty one. @returns ns for each record */
function fill(subject: { set(key: string, value: Uint8Array): void }, { keyAt }: Filling): number {
  let ns = 0
  const chunk: string[] = []
  for (let from = 0; from < records; from += 10_000) {
    chunk.length = 0
    for (let i = from; i < Math.min(records, from + 10_000); i++) chunk.push(Buffer.from(keyAt(i)).toString('latin1'))
    const begin = process.hrtime.bigint()
    for (const key of chunk) subject.set(key, value)
    ns += Number(process.hrtime.bigint() - begin)
  }
  return ns / records
}

async function measureTrees(filling: Filling): Promise<Row[]> {
  const { open } = await loadModule('index')
  const heddle = open({ memory: 2 ** 26 + records * 512, values: 'binary' })
  const bare = new BareTree(records)
  const filled = [[fill(heddle, filling)], [fill(bare, filling)]]
  const rows: Row[] = []
  const table: string[][] = []
  const add = (name: string, ours: number[], limit: number[]): void => {
    // Rates: bare ns over heddle ns is heddle's rate over that of the bare tree.
    const fraction = pairedRatio(limit, ours)!
    const workload = `${name}, ${filling.name}`
    rows.push(row('heddle', workload, ours, null), row('bare tree', workload, limit, fraction))
    const spreads = `${(spread(ours) * 100).toFixed(0)} %, ${(spread(limit) * 100).toFixed(0)} %`
    table.push([name, short(median(ours)), short(median(limit)), fraction.toFixed(2), spreads])
  }
  add('load', filled[0], filled[1])
  for (const operation of OPERATIONS) {
    const ours: number[] = []
    const limit: number[] = []
    // The first two rounds are not counted.
    for (let round = -2; round < rounds; round++) {
      const seed = (round + 3) * 7919
      const a = timed(operation.heddle, heddle, drawStrings(count, seed, records))
      const b = timed(operation.bare, bare, drawStrings(count, seed, records))
      if (round < 0) continue
      ours.push(a)
      limit.push(b)
    }
    add(operation.name, ours, limit)
  }
  console.log(
    `\n${records.toLocaleString('en')} records of a 16-byte key and a 100-byte value, ${filling.name}, one thread:\n`,
  )
  console.log(formatTable(['', 'heddle ns', 'bare tree ns', 'heddle / bare', 'spreads'], table))
  heddle.close()
  return rows
}

const rows = [...(await measureTrees(SHUFFLED)), ...(await measureTrees(ascending()))]
console.log('')
const curves = [measureChase()]
const report: Report = { machine: describeMachine([]), options, rows, footprints: [], curves }
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`)
