/**
 * lmdb. Variants by their parts: `batch` puts 1,000 operations into a transaction, `single` is a transaction for each;
 * `nosync` leaves the writing to the system, `sync` waits for it. Reads are getBinary and getBinaryFast.
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

function options(setting: Setting, sync: boolean): RootDatabaseOptionsWithPath {
  return {
    path: join(setting.directory, 'data.mdb'),
    encoding: 'binary',
    ...(setting.keys === 'binary' ? { keyEncoding: 'binary' as const } : {}),
    mapSize: Math.max(2 ** 31, setting.capacity * (setting.keyBytes + setting.valueBytes + 64) * 6),
    // Otherwise a transaction would return before it is on the disk.
    ...(sync ? { overlappingSync: false } : { noSync: true, noMemInit: true }),
  }
}

class LmdbSession implements Session<Buffer> {
  deferred: ReadonlySet<Operation>
  batch: number
  entries = 0
  private readonly db: Database
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

  flush(): void {
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

export async function create(variant: string): Promise<Engine> {
  const lmdb = await importPackage<typeof lmdbPackage>('lmdb')
  const parts = variant.split('-')
  const sync = parts.includes('sync')
  const single = parts.includes('single')
  return {
    async open(setting) {
      const db = lmdb.open<Buffer, Key>(options(setting, sync))
      return { share: () => ({ data: null }), close: () => db.close() }
    },
    attach: (_data, setting) => new LmdbSession(lmdb.open<Buffer, Key>(options(setting, sync)), single),
  }
}
