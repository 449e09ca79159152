/**
 * memory-level, in the thread that uses it. Reads are getSync, writes go in batches of 1,000, since each call is a promise.
 * With string keys it stores strings, so that nothing is converted on the way.
 */
import {
  type Engine,
  type Key,
  type Operation,
  type Session,
  type Setting,
  importPackage,
  numberBytes,
} from './engine.ts'

const BATCH = 1000
const DEFERRED: ReadonlySet<Operation> = new Set(['set', 'delete', 'update', 'scan'])

type Value = string | Buffer

interface Iterator {
  nextv(size: number): Promise<[Key, Value][]>
  close(): Promise<void>
}

interface Batched {
  type: 'put' | 'del'
  key: Key
  value?: Value
}

interface Database {
  open(): Promise<void>
  close(): Promise<void>
  getSync(key: Key): Value | undefined
  batch(operations: Batched[]): Promise<void>
  iterator(range: object): Iterator
}

type DatabaseClass = new (options: object) => Database

const SCAN_ENTRIES = 1000

class MemorySession implements Session<Value> {
  readonly deferred = DEFERRED
  readonly batch = BATCH
  entries = 0
  scannedBytes = 0
  private readonly db: Database
  private readonly numbers: boolean
  private readonly strings: boolean
  private pending: Batched[] = []
  private scans: { from: Key | undefined; limit: number }[] = []

  constructor(db: Database, setting: Setting, strings: boolean) {
    this.db = db
    this.numbers = setting.keys === 'number'
    this.strings = strings
  }

  private encode(key: Key): Key {
    return this.numbers ? numberBytes(key as number) : key
  }

  prepare(value: Buffer): Value {
    return this.strings ? value.toString('latin1') : value
  }

  read(key: Key): number {
    const value = this.db.getSync(this.encode(key))
    return value === undefined ? 0 : value.length
  }

  set(key: Key, value: Value): void {
    this.pending.push({ type: 'put', key: this.encode(key), value })
  }

  delete(key: Key): void {
    this.pending.push({ type: 'del', key: this.encode(key) })
  }

  update(key: Key, value: Value): void {
    this.scannedBytes += this.read(key)
    this.set(key, value)
  }

  scan(from: Key | undefined, limit: number): void {
    this.scans.push({ from, limit })
  }

  async flush(): Promise<void> {
    if (this.pending.length > 0) {
      const operations = this.pending
      this.pending = []
      await this.db.batch(operations)
    }
    const { scans } = this
    this.scans = []
    for (const scan of scans) await this.walk(scan.from, scan.limit)
  }

  private range(from: Key | undefined, limit: number): object {
    return { ...(from === undefined ? {} : { gte: this.encode(from) }), ...(limit === Infinity ? {} : { limit }) }
  }

  private async walk(from: Key | undefined, limit: number): Promise<void> {
    const iterator = this.db.iterator(this.range(from, limit))
    for (let left = limit; left > 0;) {
      const entries = await iterator.nextv(Math.min(left, SCAN_ENTRIES))
      if (entries.length === 0) break
      for (let i = 0; i < entries.length; i++) this.scannedBytes += entries[i][1].length
      this.entries += entries.length
      left -= entries.length
    }
    await iterator.close()
  }

  private bytes(value: Value): Buffer {
    return typeof value === 'string' ? Buffer.from(value, 'latin1') : value
  }

  lookup(key: Key): Buffer | undefined {
    const value = this.db.getSync(this.encode(key))
    return value === undefined ? undefined : this.bytes(value)
  }

  async list(from: Key | undefined, limit: number): Promise<[Key, Buffer][]> {
    const iterator = this.db.iterator(this.range(from, limit))
    const entries = await iterator.nextv(limit)
    await iterator.close()
    return entries.map(([key, value]) => [this.numbers ? (key as Buffer).readDoubleBE() : key, this.bytes(value)])
  }

  async close(): Promise<void> {
    await this.db.close()
  }
}

export async function create(): Promise<Engine> {
  const { MemoryLevel } = await importPackage<{ MemoryLevel: DatabaseClass }>('memory-level')
  return {
    open: () => ({ share: () => ({ data: null }), close: () => undefined }),
    async attach(_data, setting) {
      const strings = setting.keys === 'string' || setting.keys === 'url'
      const encoding = strings ? 'utf8' : 'buffer'
      const db = new MemoryLevel({ storeEncoding: encoding, keyEncoding: encoding, valueEncoding: encoding })
      await db.open()
      return new MemorySession(db, setting, strings)
    },
  }
}
