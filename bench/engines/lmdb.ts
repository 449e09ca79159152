/**
 * lmdb. Variants by their parts: `batch` puts 1,000 operations into a transaction, `single` is a transaction for each;
 * `nosync` leaves the writing to the system, `sync` waits for it. `async` is its default: puts that return promises and are
 * put together into transactions by a thread of its own, durable when `flushed` says so. Reads are getBinary and
 * getBinaryFast.
 */
import { join } from 'node:path'
import type * as lmdbPackage from 'lmdb'
import type { RootDatabase, RootDatabaseOptionsWithPath } from 'lmdb'
import { type Engine, type Key, NOTHING_DEFERRED, type Operation, type Session, type Setting } from './engine.ts'
import { importPackage } from './engine.ts'
import { DELETE, Pending, SET, UPDATE } from './pending.ts'

const BATCH = 1000
const WRITES: ReadonlySet<Operation> = new Set(['set', 'delete', 'update'])

type Database = RootDatabase<Buffer, Key>

type Way = 'nosync' | 'sync' | 'async'

/** What is told it about the disk. */
const WAYS = {
  nosync: { noSync: true, noMemInit: true },
  // Otherwise a transaction would return before it is on the disk.
  sync: { overlappingSync: false },
  async: {},
} as const

function options(setting: Setting, way: Way): RootDatabaseOptionsWithPath {
  return {
    path: join(setting.directory, 'data.mdb'),
    encoding: 'binary',
    ...(setting.keys === 'binary' ? { keyEncoding: 'binary' as const } : {}),
    mapSize: Math.max(2 ** 31, setting.capacity * (setting.keyBytes + setting.valueBytes + 64) * 6),
    ...WAYS[way],
  }
}

class LmdbSession implements Session<Buffer> {
  deferred: ReadonlySet<Operation>
  batch: number
  entries = 0
  protected readonly db: Database
  private readonly pending = new Pending<Buffer>(BATCH)
  private readonly single: boolean
  private key: Key = ''
  private value: Buffer = Buffer.alloc(0)
  private bulking = false
  scannedBytes = 0

  constructor(db: Database, single: boolean) {
    this.db = db
    this.single = single
    this.batch = single ? 0 : BATCH
    this.deferred = single ? NOTHING_DEFERRED : WRITES
  }

  bulk(on: boolean): void {
    if (!this.single) return
    this.bulking = on
    this.batch = on ? BATCH : 0
    this.deferred = on ? WRITES : NOTHING_DEFERRED
  }

  prepare(value: Buffer): Buffer {
    return value
  }

  read(key: Key): number {
    const value = this.db.getBinary(key)
    return value === undefined ? 0 : value.length
  }

  readInto(key: Key, _target: Buffer): number {
    const value = this.db.getBinaryFast(key)
    return value === undefined ? -1 : value.length
  }

  set(key: Key, value: Buffer): void {
    if (this.single && !this.bulking) this.db.putSync(key, value)
    else this.pending.add(SET, key, value)
  }

  delete(key: Key): void {
    if (this.single && !this.bulking) this.db.removeSync(key)
    else this.pending.add(DELETE, key, this.value)
  }

  update(key: Key, value: Buffer): void {
    if (this.single && !this.bulking) {
      this.key = key
      this.value = value
      this.db.transactionSync(this.change)
    } else this.pending.add(UPDATE, key, value)
  }

  private readonly change = (): void => {
    this.scannedBytes += this.db.getBinaryFast(this.key)?.length ?? 0
    this.db.putSync(this.key, this.value)
  }

  scan(from: Key | undefined, limit: number): void {
    const range = from === undefined ? {} : { start: from }
    for (const entry of this.db.getRange(limit === Infinity ? range : { ...range, limit })) {
      this.entries++
      this.scannedBytes += entry.value.length
    }
  }

  private readonly write = (): void => {
    const { db, pending } = this
    for (let i = 0; i < pending.count; i++) {
      const kind = pending.kinds[i]
      const key = pending.keys[i]
      if (kind === DELETE) db.removeSync(key)
      else {
        if (kind === UPDATE) this.scannedBytes += db.getBinaryFast(key)?.length ?? 0
        db.putSync(key, pending.values[i])
      }
    }
  }

  flush(): Promise<void> | void {
    if (this.pending.count > 0) {
      this.db.transactionSync(this.write)
      this.pending.count = 0
    }
    // Normally the event loop does it: see what others wrote, and hold no old pages.
    this.db.resetReadTxn()
  }

  lookup(key: Key): Buffer | undefined {
    return this.db.getBinary(key)
  }

  list(from: Key | undefined, limit: number): [Key, Buffer][] {
    const range = from === undefined ? {} : { start: from }
    return [...this.db.getRange({ ...range, limit })].map((entry) => [entry.key, Buffer.from(entry.value)])
  }

  async close(): Promise<void> {
    await this.db.close()
  }
}

/** Writes as promises: they are handed over at once, and waited for together. */
class AsyncSession extends LmdbSession {
  private last: Promise<unknown> = Promise.resolve()

  constructor(db: Database) {
    super(db, false)
  }

  override bulk(): void {}

  override set(key: Key, value: Buffer): void {
    this.last = this.db.put(key, value)
  }

  override delete(key: Key): void {
    this.last = this.db.remove(key)
  }

  override update(key: Key, value: Buffer): void {
    // Its transactions go before puts that were called earlier, so they would not do here.
    this.scannedBytes += this.db.getBinaryFast(key)?.length ?? 0
    this.last = this.db.put(key, value)
  }

  override async flush(): Promise<void> {
    await this.last
    await this.db.flushed
    this.db.resetReadTxn()
  }
}

export async function create(variant: string): Promise<Engine> {
  const lmdb = await importPackage<typeof lmdbPackage>('lmdb')
  const [way, batching] = variant.split('-') as [Way, string | undefined]
  const openDatabase = (setting: Setting) => lmdb.open<Buffer, Key>(options(setting, way))
  return {
    async open(setting) {
      const db = openDatabase(setting)
      return { share: () => ({ data: null }), close: () => db.close() }
    },
    attach(_data, setting) {
      const db = openDatabase(setting)
      return way === 'async' ? new AsyncSession(db) : new LmdbSession(db, batching === 'single')
    },
  }
}
