/**
 * The cost of growth: ns per operation and bytes per record over the number of records, from one power of ten to another
 * in half steps.
 *
 *   npm run bench:growth -- [--from 1e4] [--to 1e6] [--rounds 5] [--count 20000] [--engines heddle,lmdb,Map]
 *                           [--kinds strings,numbers] [--map-most 1e6] [--json file]
 *
 * Each engine has a process of its own, so that what is resident is its own; the engines take turns in short rounds. All
 * are one thread. Records come in random order: 16-byte string keys with 100-byte values, and number keys with number
 * values. lmdb: noSync; inserts in transactions of 1,000, overwrites one by one, values as bytes, or as ordered-binary
 * numbers. A Map stops at `--map-most`, since the heap of V8 is limited. What is resident is told from 300,000 records on,
 * and is good to some 10 MB altogether.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Request } from './growth-process.ts'
import { ENGINES, type EngineName, KINDS, type Kind, OPERATIONS, type Subject } from './growth-subject.ts'
import { describeMachine } from './machine.ts'
import { median } from './statistics.ts'
import type { Curve, Report } from './report.ts'
import { formatTable, short } from './table.ts'

const { values: options } = parseArgs({
  options: {
    from: { type: 'string', default: '1e4' },
    to: { type: 'string', default: '1e6' },
    rounds: { type: 'string', default: '5' },
    count: { type: 'string', default: '20000' },
    engines: { type: 'string', default: ENGINES.join() },
    kinds: { type: 'string', default: KINDS.join() },
    'map-most': { type: 'string', default: '1e6' },
    json: { type: 'string' },
  },
})

/** Time for heddle's cleaner and V8's collector to come to rest before anything is measured. */
const REST_MS = 300

function chosen<T extends string>(option: string, known: readonly T[]): T[] {
  const names = option.split(',').map((name) => name.trim())
  for (const name of names) {
    if (!known.includes(name as T)) throw new Error(`${name} is not known; give some of ${known.join()}`)
  }
  return names as T[]
}

function sizesBetween(from: number, to: number): number[] {
  if (!(from >= 1000 && to >= from && to <= 1e7)) throw new Error('give --from and --to between 1e3 and 1e7')
  const sizes: number[] = []
  for (let step = Math.round(2 * Math.log10(from)); step <= 2 * Math.log10(to) + 1e-9; step++) {
    sizes.push(Math.round(10 ** (step / 2)))
  }
  return sizes
}

/** The process of an engine. */
class Peer {
  readonly name: EngineName
  private readonly child: ChildProcess

  private constructor(name: EngineName, child: ChildProcess) {
    this.name = name
    this.child = child
  }

  static async start(name: EngineName, kind: Kind, most: number): Promise<Peer> {
    const child = fork(new URL('./growth-process.ts', import.meta.url), [name, kind, String(most)])
    const peer = new Peer(name, child)
    await peer.answer()
    return peer
  }

  private async answer(): Promise<unknown> {
    const stop = new AbortController()
    try {
      const ended = once(this.child, 'exit', stop).then(([code]) => {
        throw new Error(`the process of ${this.name} ended with ${code}`)
      })
      const [message] = await Promise.race([once(this.child, 'message', stop), ended])
      return message
    } finally {
      stop.abort()
    }
  }

  ask<T>(request: Request): Promise<T> {
    this.child.send(request)
    return this.answer() as Promise<T>
  }
}

/** Curves by name, made as points come in; a curve of one engine is a series. */
class Curves {
  private readonly curves = new Map<string, { y: string; series: Map<string, { x: number; y: number }[]> }>()

  add(name: string, y: string, series: string, x: number, value: number | null): void {
    if (value === null) return
    let curve = this.curves.get(name)
    if (curve === undefined) this.curves.set(name, (curve = { y, series: new Map() }))
    const points = curve.series.get(series)
    if (points === undefined) curve.series.set(series, [{ x, y: value }])
    else points.push({ x, y: value })
  }

  list(): Curve[] {
    return [...this.curves].map(([name, { y, series }]) => ({
      name,
      x: 'records',
      y,
      logarithmic: true,
      series: [...series].map(([engine, points]) => ({ name: engine, points })),
    }))
  }
}

const sizes = sizesBetween(Number(options.from), Number(options.to))
const rounds = Number(options.rounds)
const count = Number(options.count)
const mapMost = Number(options['map-most'])
const curves = new Curves()
const table: string[][] = []

async function measureAt(size: number, kind: Kind, peers: readonly Peer[]): Promise<void> {
  const results = new Map(peers.map((peer) => [peer, new Map<string, number | null>()]))
  for (const peer of peers) results.get(peer)!.set('insert', await peer.ask<number>({ what: 'grow', to: size }))
  await sleep(REST_MS)
  for (const operation of OPERATIONS) {
    const taken = new Map<Peer, number[]>(peers.map((peer) => [peer, []]))
    // The first round is not counted.
    for (let round = -1; round < rounds; round++) {
      for (const peer of peers) {
        const seed = size + (round + 2) * 7919
        const ns = await peer.ask<number | null>({ what: 'measure', operation, count, seed })
        if (round >= 0 && ns !== null) taken.get(peer)!.push(ns)
      }
    }
    for (const [peer, all] of taken) results.get(peer)!.set(operation, all.length === 0 ? null : median(all))
  }
  for (const peer of peers) {
    const { live, segments, resident } = await peer.ask<ReturnType<Subject<string>['footprint']>>({ what: 'footprint' })
    const result = results.get(peer)!
    for (const operation of ['get', 'overwrite', 'insert', 'scan']) {
      const y = operation === 'scan' ? 'ns per entry' : 'ns per operation'
      curves.add(`${operation}, ${kind}`, y, peer.name, size, result.get(operation) ?? null)
    }
    curves.add(`memory, ${kind}`, 'bytes per record', `${peer.name}, resident`, size, resident)
    curves.add(`memory, ${kind}`, 'bytes per record', `${peer.name}, in segments`, size, segments)
    curves.add(`memory, ${kind}`, 'bytes per record', `${peer.name}, live`, size, live)
    const ns = ['get', 'overwrite', 'insert', 'scan'].map((operation) => short(result.get(operation) ?? null))
    table.push([
      `${kind}, ${peer.name}`,
      size.toLocaleString('en'),
      ...ns,
      short(live),
      short(segments),
      short(resident),
    ])
  }
}

for (const kind of chosen(options.kinds, KINDS)) {
  const peers: Peer[] = []
  for (const name of chosen(options.engines, ENGINES)) peers.push(await Peer.start(name, kind, sizes[sizes.length - 1]))
  for (const size of sizes) {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${kind}: ${size.toLocaleString('en')} records`)
    const fitting = peers.filter(({ name }) => name !== 'Map' || size <= mapMost)
    await measureAt(size, kind, fitting)
  }
  for (const peer of peers) await peer.ask({ what: 'close' })
}
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
table.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0))
const header = [
  '',
  'records',
  'get ns',
  'overwrite ns',
  'insert ns',
  'scan ns/entry',
  'live B',
  'segments B',
  'resident B',
]
console.log(formatTable(header, table))
const report: Report = { machine: describeMachine(['lmdb']), options, rows: [], footprints: [], curves: curves.list() }
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`)
