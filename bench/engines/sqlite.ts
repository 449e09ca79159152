/**
 * better-sqlite3 with a write-ahead log. Variants by their parts: `batch` puts 1,000 operations into a transaction,
 * `single` commits each; `off` leaves the writing to the system, `normal` waits for it at checkpoints.
 */
import { join } from 'node:path'
import { type Engine, type Key, NOTHING_DEFERRED, type Operation, type Session, type Setting } from './engine.ts'
import { importPackage } from './engine.ts'
import { DELETE, Pending, SET, UPDATE } from './pending.ts'

const BATCH = 1000
const WRITES: ReadonlySet<Operation> = new Set(['set', 'delete', 'update'])

interface Statement {
  run(...values: unknown[]): unknown
  get(...values: unknown[]): unknown
  all(...values: unknown[]): unknown[]
  iterate(...values: unknown[]): IterableIterator<unknown>
  pluck(): Statement
  raw(): Statement
}

interface Database {
  pragma(text: string): unknown
  exec(text: string): void
  prepare(text: string): Statement
  close(): void
}

type DatabaseClass = new (path: string, options: object) => Database

/** Rows over this are better off in a table with row ids, says SQLite's manual: a 20th of a page. */
const LARGE_ROW_BYTES = 200
const COLLECT_ENTRIES = 2000

function openDatabase(Database: DatabaseClass, setting: Setting, normal: boolean): Database {
  const db = new Database(join(setting.directory, 'data.sqlite'), { timeout: 60_000 })
  db.pragma('page_size = 4096')
  db.pragma('journal_mode = WAL')
  db.pragma(`synchronous = ${normal ? 'NORMAL' : 'OFF'}`)
  db.pragma('cache_size = -1048576')
  db.pragma('mmap_size = 17179869184')
  db.pragma('temp_store = MEMORY')
  db.pragma('wal_autocheckpoint = 4000')
  const small = setting.keyBytes + setting.valueBytes <= LARGE_ROW_BYTES
  const type = { number: 'INTEGER', binary: 'BLOB', string: 'TEXT', url: 'TEXT' }[setting.keys]
  const without = small && type !== 'INTEGER' ? ' WITHOUT ROWID' : ''
  db.exec(`CREATE TABLE IF NOT EXISTS entries (key ${type} PRIMARY KEY NOT NULL, value BLOB NOT NULL)${without}`)
  return db
}

class SqliteSession implements Session<Buffer> {
  deferred: ReadonlySet<Operation>
  batch: number
  entries = 0
  readBytes = 0
  private readonly db: Database
  private readonly single: boolean
  private bulking = false
  private readonly pending = new Pending<Buffer>(BATCH)
  private readonly selectOne: Statement
  private readonly upsert: Statement
  private readonly remove: Statement
  private readonly range: Statement
  private readonly first: Statement
  private readonly begin: Statement
  private readonly commit: Statement
  private readonly none = Buffer.alloc(0)

  constructor(db: Database, single: boolean) {
    this.db = db
    this.single = single
    this.batch = single ? 0 : BATCH
    this.deferred = single ? NOTHING_DEFERRED : WRITES
    this.selectOne = db.prepare('SELECT value FROM entries WHERE key = ?').pluck()
    this.upsert = db.prepare('INSERT INTO entries VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value')
    this.remove = db.prepare('DELETE FROM entries WHERE key = ?')
    this.range = db.prepare('SELECT key, value FROM entries WHERE key >= ? ORDER BY key LIMIT ?').raw()
    this.first = db.prepare('SELECT key, value FROM entries ORDER BY key LIMIT ?').raw()
    this.begin = db.prepare('BEGIN IMMEDIATE')
    this.commit = db.prepare('COMMIT')
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
    const value = this.selectOne.get(key) as Buffer | undefined
    return value === undefined ? 0 : value.length
  }

  set(key: Key, value: Buffer): void {
    if (this.single && !this.bulking) this.upsert.run(key, value)
    else this.pending.add(SET, key, value)
  }

  delete(key: Key): void {
    if (this.single && !this.bulking) this.remove.run(key)
    else this.pending.add(DELETE, key, this.none)
  }

  update(key: Key, value: Buffer): void {
    if (this.single && !this.bulking) {
      this.begin.run()
      this.readBytes += this.read(key)
      this.upsert.run(key, value)
      this.commit.run()
    } else this.pending.add(UPDATE, key, value)
  }

  scan(from: Key | undefined, limit: number): void {
    const statement = from === undefined ? this.first : this.range
    const values = [...(from === undefined ? [] : [from]), limit === Infinity ? -1 : limit]
    const rows = limit > COLLECT_ENTRIES ? statement.iterate(...values) : statement.all(...values)
    for (const row of rows) {
      this.entries++
      this.readBytes += (row as [Key, Buffer])[1].length
    }
  }

  flush(): void {
    const { pending } = this
    if (pending.count === 0) return
    this.begin.run()
    for (let i = 0; i < pending.count; i++) {
      const kind = pending.kinds[i]
      if (kind === DELETE) this.remove.run(pending.keys[i])
      else {
        if (kind === UPDATE) this.readBytes += this.read(pending.keys[i])
        this.upsert.run(pending.keys[i], pending.values[i])
      }
    }
    this.commit.run()
    pending.count = 0
  }

  lookup(key: Key): Buffer | undefined {
    return this.selectOne.get(key) as Buffer | undefined
  }

  list(from: Key | undefined, limit: number): [Key, Buffer][] {
    const rows = from === undefined ? this.first.all(limit) : this.range.all(from, limit)
    return rows as [Key, Buffer][]
  }

  close(): void {
    this.db.close()
  }
}

export async function create(variant: string): Promise<Engine> {
  const Database = (await importPackage<{ default: DatabaseClass }>('better-sqlite3')).default
  const parts = variant.split('-')
  const normal = parts.includes('normal')
  return {
    open(setting) {
      const db = openDatabase(Database, setting, normal)
      return { share: () => ({ data: null }), close: () => db.close() }
    },
    attach: (_data, setting) => new SqliteSession(openDatabase(Database, setting, normal), parts.includes('single')),
  }
}
