/**
 * rocksdb (the binding of the Level project), in the thread that uses it. It has callbacks only: reads are getMany of up to 1,000,
 * writes are batches of 1,000 or what came between two reads, scans are iterators, 20 at a time. With `sync` each batch
 * waits for the disk.
 */
import { promisify } from 'node:util'
import {
  type Engine,
  type Key,
  type Operation,
  type Session,
  type Setting,
  cachesOf,
  importPackage,
  numberBytes,
} from './engine.ts'

const BATCH = 1000
const DEFERRED: ReadonlySet<Operation> = new Set(['read', 'set', 'delete', 'update', 'scan'])

type Done = (error: Error | null) => void

interface Iterator {
  next(callback: (error: Error | null, key?: Buffer | string, value?: Buffer) => void): void
  end(callback: Done): void
}

interface Batched {
  type: 'put' | 'del'
  key: Key
  value?: Buffer
}

interface Database {
  open(options: object, callback: Done): void
  close(callback: Done): void
  getMany(keys: Key[], callback: (error: Error | null, values?: (Buffer | undefined)[]) => void): void
  batch(operations: Batched[], options: { sync: boolean }, callback: Done): void
  iterator(range: object): Iterator
}

const CACHE_BYTES = 2 ** 30
const BUFFER_BYTES = 2 ** 26

class RocksSession implements Session<Buffer> {
  readonly deferred = DEFERRED
  readonly batch = BATCH
  entries = 0
  readBytes = 0
  private readonly db: Database
  private readonly setting: Setting
  private readonly writing: { sync: boolean }
  private writes: Batched[] = []
  private reads: Key[] = []
  private scans: { from: Key | undefined; limit: number }[] = []

  constructor(db: Database, setting: Setting, sync: boolean) {
    this.db = db
    this.writing = { sync }
    this.setting = setting
  }

  private encode(key: Key): Key {
    return this.setting.keys === 'number' ? numberBytes(key as number) : key
  }

  prepare(value: Buffer): Buffer {
    return value
  }

  read(key: Key): number {
    this.reads.push(this.encode(key))
    return 0
  }

  set(key: Key, value: Buffer): void {
    this.writes.push({ type: 'put', key: this.encode(key), value })
  }

  delete(key: Key): void {
    this.writes.push({ type: 'del', key: this.encode(key) })
  }

  update(key: Key, value: Buffer): void {
    this.read(key)
    this.set(key, value)
  }

  scan(from: Key | undefined, limit: number): void {
    this.scans.push({ from, limit })
  }

  async flush(): Promise<void> {
    const { reads, writes, scans } = this
    this.reads = []
    this.writes = []
    this.scans = []
    if (reads.length > 0) for (const value of await this.getMany(reads)) this.readBytes += value?.length ?? 0
    if (writes.length > 0) {
      await new Promise<void>((resolve, reject) => {
        this.db.batch(writes, this.writing, (error) =>
          error === null || error === undefined ? resolve() : reject(error),
        )
      })
    }
    if (scans.length > 0) await Promise.all(scans.map((scan) => this.walk(scan.from, scan.limit)))
  }

  private getMany(keys: Key[]): Promise<(Buffer | undefined)[]> {
    return new Promise((resolve, reject) => {
      this.db.getMany(keys, (error, values) => (values === undefined ? reject(error) : resolve(values)))
    })
  }

  private walk(from: Key | undefined, limit: number, found?: [Key, Buffer][]): Promise<void> {
    const range = {
      keyAsBuffer: this.setting.keys === 'number' || this.setting.keys === 'binary',
      highWaterMark: 2 ** 20,
      ...(from === undefined ? {} : { gte: this.encode(from) }),
      ...(limit === Infinity ? {} : { limit }),
    }
    const iterator = this.db.iterator(range)
    return new Promise((resolve, reject) => {
      const take = (error: Error | null, key?: Buffer | string, value?: Buffer): void => {
        if (error !== null && error !== undefined) return reject(error)
        if (value === undefined) return iterator.end(() => resolve())
        this.entries++
        this.readBytes += value.length
        found?.push([this.setting.keys === 'number' ? (key as Buffer).readDoubleBE() : key!, value])
        iterator.next(take)
      }
      iterator.next(take)
    })
  }

  async lookup(key: Key): Promise<Buffer | undefined> {
    return (await this.getMany([this.encode(key)]))[0]
  }

  async list(from: Key | undefined, limit: number): Promise<[Key, Buffer][]> {
    const found: [Key, Buffer][] = []
    await this.walk(from, limit, found)
    return found
  }

  async close(): Promise<void> {
    await promisify((callback: Done) => this.db.close(callback))()
  }
}

export async function create(variant: string): Promise<Engine> {
  const rocksdb = (await importPackage<{ default: (path: string) => Database }>('rocksdb')).default
  return {
    open: () => ({ share: () => ({ data: null }), close: () => undefined }),
    async attach(_data, setting) {
      const db = rocksdb(setting.directory)
      const { cacheBytes, bufferBytes } = cachesOf(setting.memoryBytes, CACHE_BYTES, BUFFER_BYTES)
      const sizes = { cacheSize: cacheBytes, writeBufferSize: bufferBytes }
      const options = { createIfMissing: true, compression: false, ...sizes }
      await promisify((callback: Done) => db.open(options, callback))()
      return new RocksSession(db, setting, variant === 'sync')
    },
  }
}
