/**
 * classic-level (LevelDB), opened by several threads at once. Reads are getSync; writes go in batches of 1,000, since a
 * write by itself is a round through the thread pool; scans are iterators, 20 at a time. With `sync` each batch waits for
 * the disk.
 */
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
const DEFERRED: ReadonlySet<Operation> = new Set(['set', 'delete', 'update', 'scan'])

interface Iterator {
  nextv(size: number): Promise<[Key, Buffer][]>
  close(): Promise<void>
}

interface Batched {
  type: 'put' | 'del'
  key: Key
  value?: Buffer
}

interface Database {
  open(): Promise<void>
  close(): Promise<void>
  getSync(key: Key): Buffer | undefined
  batch(operations: Batched[], options: { sync: boolean }): Promise<void>
  iterator(range: object): Iterator
}

type DatabaseClass = new (path: string, options: object) => Database

const SCAN_ENTRIES = 1000
const CACHE_BYTES = 2 ** 30
const BUFFER_BYTES = 2 ** 26

class LevelSession implements Session<Buffer> {
  readonly deferred = DEFERRED
  readonly batch = BATCH
  entries = 0
  scannedBytes = 0
  private readonly db: Database
  private readonly numbers: boolean
  private readonly writing: { sync: boolean }
  private pending: Batched[] = []
  private scans: { from: Key | undefined; limit: number }[] = []

  constructor(db: Database, setting: Setting, sync: boolean) {
    this.db = db
    this.writing = { sync }
    this.numbers = setting.keys === 'number'
  }

  private encode(key: Key): Key {
    return this.numbers ? numberBytes(key as number) : key
  }

  prepare(value: Buffer): Buffer {
    return value
  }

  read(key: Key): number {
    const value = this.db.getSync(this.encode(key))
    return value === undefined ? 0 : value.length
  }

  set(key: Key, value: Buffer): void {
    this.pending.push({ type: 'put', key: this.encode(key), value })
  }

  delete(key: Key): void {
    this.pending.push({ type: 'del', key: this.encode(key) })
  }

  update(key: Key, value: Buffer): void {
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
      await this.db.batch(operations, this.writing)
    }
    if (this.scans.length > 0) {
      const { scans } = this
      this.scans = []
      await Promise.all(scans.map((scan) => this.walk(scan.from, scan.limit)))
    }
  }

  private range(from: Key | undefined, limit: number): object {
    return {
      ...(from === undefined ? {} : { gte: this.encode(from) }),
      ...(limit === Infinity ? {} : { limit }),
      highWaterMarkBytes: 2 ** 20,
    }
  }

  private async walk(from: Key | undefined, limit: number): Promise<void> {
    const iterator = this.db.iterator(this.range(from, limit))
    // It may give fewer than it was asked for, if the values are large.
    for (let left = limit; left > 0;) {
      const entries = await iterator.nextv(Math.min(left, SCAN_ENTRIES))
      if (entries.length === 0) break
      for (let i = 0; i < entries.length; i++) this.scannedBytes += entries[i][1].length
      this.entries += entries.length
      left -= entries.length
    }
    await iterator.close()
  }

  lookup(key: Key): Buffer | undefined {
    return this.db.getSync(this.encode(key))
  }

  async list(from: Key | undefined, limit: number): Promise<[Key, Buffer][]> {
    const iterator = this.db.iterator(this.range(from, limit))
    const found: [Key, Buffer][] = []
    while (found.length < limit) {
      const entries = await iterator.nextv(limit - found.length)
      if (entries.length === 0) break
      for (const [key, value] of entries) found.push([this.numbers ? (key as Buffer).readDoubleBE() : key, value])
    }
    await iterator.close()
    return found
  }

  async close(): Promise<void> {
    await this.db.close()
  }
}

export async function create(variant: string): Promise<Engine> {
  const { ClassicLevel } = await importPackage<{ ClassicLevel: DatabaseClass }>('classic-level')
  const openDatabase = async (setting: Setting) => {
    const { cacheBytes, bufferBytes } = cachesOf(setting.memoryBytes, CACHE_BYTES, BUFFER_BYTES)
    const db = new ClassicLevel(setting.directory, {
      keyEncoding: setting.keys === 'number' || setting.keys === 'binary' ? 'buffer' : 'utf8',
      valueEncoding: 'buffer',
      compression: false,
      cacheSize: cacheBytes,
      writeBufferSize: bufferBytes,
      maxFileSize: 2 ** 26,
      multithreading: true,
    })
    await db.open()
    return db
  }
  return {
    async open(setting) {
      const db = await openDatabase(setting)
      return { share: () => ({ data: null }), close: () => db.close() }
    },
    attach: async (_data, setting) => new LevelSession(await openDatabase(setting), setting, variant === 'sync'),
  }
}
