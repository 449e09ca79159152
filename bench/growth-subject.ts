/** What grows: one engine with one kind of records, loaded step by step and measured at each. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { open as openLmdb } from 'lmdb'
import type { Store } from '../src/index.ts'
import { VALUE_BYTES, keyOf } from './load.ts'
import { drawNumbers, drawStrings, numberOf } from './draws.ts'
import { loadModule } from './modules.ts'

export const ENGINES = ['heddle', 'lmdb', 'Map'] as const
export type EngineName = (typeof ENGINES)[number]
export const KINDS = ['strings', 'numbers'] as const
export type Kind = (typeof KINDS)[number]
export const OPERATIONS = ['get', 'overwrite', 'scan'] as const
export type Operation = (typeof OPERATIONS)[number]
/** Entries of a scan: enough that the search for the first one does not count. */
export const SCAN_ENTRIES = 1000

/** Records inserted in one lmdb transaction: a transaction for each would be all that is measured. */
const TRANSACTION_RECORDS = 1000
/** What heddle reserves for a record; what is not touched is never committed. */
const RESERVED_BYTES = 260

/** An engine with keys and values of one kind. `insert` and `overwrite` differ only where the engine has batches. */
interface Engine<K> {
  insert(keys: readonly K[]): void
  overwrite(keys: readonly K[]): void
  /** Each gives a sum over what was read, so that it cannot be left out. */
  get(keys: readonly K[]): number
  /** Null if the engine has no order. */
  scan: ((keys: readonly K[]) => number) | null
  sizes(): { liveBytes: number; segmentBytes: number } | null
  close(): Promise<void>
}

function sizeOf(value: unknown): number {
  return typeof value === 'number' ? 1 : (value as Uint8Array).length
}

/** Reads and writes of a heddle store. */
function heddleEngine<K, V>(store: Store<K, V>, value: V): Engine<K> {
  const write = (keys: readonly K[]): void => {
    for (const key of keys) store.set(key, value)
  }
  return {
    insert: write,
    overwrite: write,
    get(keys) {
      let sum = 0
      for (const key of keys) sum += sizeOf(store.get(key))
      return sum
    },
    scan(keys) {
      let sum = 0
      for (const key of keys) {
        for (const entry of store.entries({ gte: key, limit: SCAN_ENTRIES })) sum += sizeOf(entry[1])
      }
      return sum
    },
    sizes() {
      const { bytesLive, segmentsInUse, segmentWords } = store.stats()
      return { liveBytes: bytesLive, segmentBytes: segmentsInUse * segmentWords * 4 }
    },
    close: async () => store.close(),
  }
}

function mapEngine<K, V>(value: () => V): Engine<K> {
  const map = new Map<K, V>()
  const write = (keys: readonly K[]): void => {
    for (const key of keys) map.set(key, value())
  }
  return {
    insert: write,
    overwrite: write,
    get(keys) {
      let sum = 0
      for (const key of keys) sum += sizeOf(map.get(key))
      return sum
    },
    scan: null,
    sizes: () => null,
    close: async () => map.clear(),
  }
}

function lmdbEngine<K extends string | number, V>(value: V, most: number): Engine<K> {
  const directory = mkdtempSync(join(tmpdir(), 'heddle-growth-'))
  const db = openLmdb<V, K>({
    path: join(directory, 'data.mdb'),
    noSync: true,
    encoding: typeof value === 'number' ? 'ordered-binary' : 'binary',
    mapSize: 2 ** 28 + most * 512,
  })
  const isBinary = typeof value !== 'number'
  return {
    insert(keys) {
      for (let from = 0; from < keys.length; from += TRANSACTION_RECORDS) {
        db.transactionSync(() => {
          for (const key of keys.slice(from, from + TRANSACTION_RECORDS)) db.putSync(key, value)
        })
      }
    },
    overwrite(keys) {
      for (const key of keys) db.putSync(key, value)
    },
    get(keys) {
      let sum = 0
      if (isBinary) for (const key of keys) sum += db.getBinary(key)!.length
      else for (const key of keys) sum += sizeOf(db.get(key))
      return sum
    },
    scan(keys) {
      let sum = 0
      for (const key of keys) {
        for (const entry of db.getRange({ start: key, limit: SCAN_ENTRIES })) sum += sizeOf(entry.value)
      }
      return sum
    },
    sizes: () => null,
    async close() {
      await db.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function openEngine<K extends string | number>(name: EngineName, kind: Kind, most: number): Promise<Engine<K>> {
  const bytes = Buffer.alloc(VALUE_BYTES, 'v')
  if (name === 'Map') {
    // A Map keeps what it is given: without a copy all its records would be one and the same buffer.
    return kind === 'numbers' ? mapEngine(() => 0.5) : mapEngine(() => Buffer.from(bytes))
  }
  if (name === 'lmdb') return kind === 'numbers' ? lmdbEngine<K, number>(0.5, most) : lmdbEngine<K, Buffer>(bytes, most)
  const { open } = await loadModule('index')
  const memory = Math.min(2 ** 32, 2 ** 26 + most * RESERVED_BYTES)
  return kind === 'numbers'
    ? (heddleEngine(open({ memory, keys: 'number', values: 'number' }), 0.5) as unknown as Engine<K>)
    : (heddleEngine(open({ memory, values: 'binary' }), bytes) as unknown as Engine<K>)
}

/** Least number of inserts whose time is taken, if there are as many: at the end of a step, so that it is that size's. */
const INSERTS_COUNTED = 20_000
/** Keys made at a time. */
const CHUNK = 10_000
/** Few, since what the engine that is thrown away leaves behind in the process would blur what is resident. */
const WARM_RECORDS = 5_000
const WARM_ROUNDS = 20
/** Below it, the 10 MB by which a process of Node grows and shrinks by itself would hide what the records take. */
const RESIDENT_RECORDS = 300_000
/** Within which a store's cleaner has started, or has ended. */
const START_MS = 500

// By a flag set late: as an argument of the process it would be passed on to heddle's threads, which may not have it.
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function collectGarbage(): void {
  collect()
  collect()
}

/** One engine and what has been loaded into it. */
export class Subject<K extends string | number> {
  private readonly engine: Engine<K>
  private readonly keyAt: (i: number) => K
  private readonly draw: (count: number, seed: number, records: number) => K[]
  private readonly residentBefore: number
  private records = 0

  private constructor(engine: Engine<K>, kind: Kind, residentBefore: number) {
    this.engine = engine
    this.residentBefore = residentBefore
    this.keyAt = (kind === 'numbers' ? numberOf : keyOf) as (i: number) => K
    this.draw = (kind === 'numbers' ? drawNumbers : drawStrings) as typeof this.draw
  }

  /** An empty engine. What it takes when it is empty, its threads included, is not counted as the records'. */
  static async open(name: EngineName, kind: Kind, most: number): Promise<Subject<string | number>> {
    const engine = await openEngine(name, kind, most)
    await sleep(START_MS)
    collectGarbage()
    return new Subject(engine, kind, process.memoryUsage.rss())
  }

  /** Has everything compiled, on an engine that is thrown away: otherwise the first sizes would pay for it. */
  static async warmUp(name: EngineName, kind: Kind): Promise<void> {
    const subject = await Subject.open(name, kind, WARM_RECORDS)
    subject.grow(WARM_RECORDS)
    for (const operation of OPERATIONS) {
      for (let seed = 1; seed <= WARM_ROUNDS; seed++) subject.measure(operation, WARM_RECORDS, seed)
    }
    await subject.close()
    await sleep(START_MS)
  }

  /** Inserts new records in random order until there are so many. @returns ns per insert, of the last ones */
  grow(to: number): number {
    const countFrom = to - Math.max(INSERTS_COUNTED, Math.floor((to - this.records) / 10))
    let ns = 0
    let counted = 0
    while (this.records < to) {
      // Keys are made right before they are used, a few at a time (see load.ts).
      const end = Math.min(
        to,
        this.records < countFrom ? Math.min(countFrom, this.records + CHUNK) : this.records + CHUNK,
      )
      const keys: K[] = []
      for (let i = this.records; i < end; i++) keys.push(this.keyAt(i))
      const begin = process.hrtime.bigint()
      this.engine.insert(keys)
      const took = Number(process.hrtime.bigint() - begin)
      if (this.records >= countFrom) {
        ns += took
        counted += keys.length
      }
      this.records = end
    }
    return ns / counted
  }

  /** @returns ns per operation, for a scan per entry; null if the engine has no such operation */
  measure(operation: Operation, count: number, seed: number): number | null {
    const { engine } = this
    if (operation === 'scan' && engine.scan === null) return null
    const size = operation === 'scan' ? Math.ceil(count / SCAN_ENTRIES) : count
    const keys = this.draw(size, seed, this.records)
    let sum = keys.length
    const begin = process.hrtime.bigint()
    if (operation === 'get') sum = engine.get(keys)
    else if (operation === 'scan') sum = engine.scan!(keys)
    else engine.overwrite(keys)
    const ns = Number(process.hrtime.bigint() - begin)
    const bytes = typeof keys[0] === 'number' ? 1 : VALUE_BYTES
    if (operation === 'get' && sum !== bytes * size) throw new Error('not every key was found')
    // A scan from near the end of the keys has fewer entries than it was asked for.
    return operation === 'scan' ? ns / (sum / bytes) : ns / size
  }

  /** Bytes for each record: live, in segments in use (heddle only), and resident beyond what was before the load. */
  footprint(): { live: number | null; segments: number | null; resident: number | null } {
    collectGarbage()
    const sizes = this.engine.sizes()
    return {
      live: sizes === null ? null : sizes.liveBytes / this.records,
      segments: sizes === null ? null : sizes.segmentBytes / this.records,
      resident:
        this.records < RESIDENT_RECORDS ? null : (process.memoryUsage.rss() - this.residentBefore) / this.records,
    }
  }

  async close(): Promise<void> {
    await this.engine.close()
  }
}
