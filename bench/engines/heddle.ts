/** heddle itself, as it is built. */
import { join } from 'node:path'
import type { BatchOperation, Store, StoreHandle } from '../../src/index.ts'
import { loadModule } from '../modules.ts'
import { type Engine, type Key, NOTHING_DEFERRED, type Operation, type Session, type Setting } from './engine.ts'

type Durability = 'sync' | 'group' | 'none'

/** What a record takes beside its key and value, generously, with room for the cleaner. */
const OVERHEAD_BYTES = 48
const ROOM = 2.5
const LEAST_MEMORY = 2 ** 20
/** Of a batch while it is loaded with each write waiting for the disk: it has to fit into the smallest store's log. */
const BULK_BYTES = 12 * 1024
const WRITES: ReadonlySet<Operation> = new Set(['set'])

export function heddleMemory(setting: Setting): number {
  if (setting.memoryBytes !== null) return Math.max(LEAST_MEMORY, setting.memoryBytes)
  const bytes = setting.capacity * (setting.keyBytes + setting.valueBytes + OVERHEAD_BYTES) * ROOM
  return Math.min(2 ** 32, Math.ceil(bytes / 2 ** 20) * 2 ** 20 + 2 ** 26)
}

class HeddleSession implements Session<Buffer> {
  deferred = NOTHING_DEFERRED
  batch = 0
  entries = 0
  settle?: () => Promise<void>
  private readonly store: Store<Key, Uint8Array>
  private next: Buffer = Buffer.alloc(0)
  private readonly change = (): Uint8Array => this.next
  /** Kept so that reading the values of a scan is not optimised away. */
  scannedBytes = 0
  /** Writes that are put together, to load quickly where each of them would wait for the disk. */
  private pending: BatchOperation<Key, Uint8Array>[] | undefined
  private readonly bulkRecords: number

  constructor(store: Store<Key, Uint8Array>, variant: string, setting: Setting) {
    this.store = store
    const recordBytes = setting.keyBytes + setting.valueBytes + OVERHEAD_BYTES
    this.bulkRecords = variant === 'sync' ? Math.max(1, Math.floor(BULK_BYTES / recordBytes)) : 0
    if (variant === 'group' || variant === 'none') this.settle = () => store.flush()
  }

  bulk(on: boolean): void {
    if (this.bulkRecords === 0) return
    this.pending = on ? [] : undefined
    this.batch = on ? this.bulkRecords : 0
    this.deferred = on ? WRITES : NOTHING_DEFERRED
  }

  flush(): void {
    if (this.pending === undefined || this.pending.length === 0) return
    this.store.batch(this.pending)
    this.pending = []
  }

  prepare(value: Buffer): Buffer {
    return value
  }

  read(key: Key): number {
    const value = this.store.get(key)
    return value === undefined ? 0 : value.length
  }

  readInto(key: Key, target: Buffer): number {
    return this.store.getInto(key, target)
  }

  set(key: Key, value: Buffer): void {
    if (this.pending === undefined) this.store.set(key, value)
    else this.pending.push({ type: 'set', key, value })
  }

  delete(key: Key): void {
    this.store.delete(key)
  }

  update(key: Key, value: Buffer): void {
    this.next = value
    this.store.update(key, this.change)
  }

  scan(from: Key | undefined, limit: number): void {
    const range = from === undefined ? { limit } : { gte: from, limit }
    for (const [, value] of this.store.entries(range)) {
      this.entries++
      this.scannedBytes += value.length
    }
  }

  lookup(key: Key): Buffer | undefined {
    const value = this.store.get(key)
    return value === undefined ? undefined : Buffer.from(value)
  }

  list(from: Key | undefined, limit: number): [Key, Buffer][] {
    const range = from === undefined ? { limit } : { gte: from, limit }
    return [...this.store.entries(range)].map(([key, value]) => [key, Buffer.from(value)])
  }

  close(): void {
    this.store.close()
  }
}

/** @param variant where it lies: '' for memory only; 'sync', 'group' or 'none' for a directory, with that durability */
export async function create(variant: string): Promise<Engine> {
  const { attach, open } = await loadModule('index')
  return {
    open(setting) {
      const keys = setting.keys === 'number' ? 'number' : setting.keys === 'binary' ? 'binary' : 'utf8'
      const disk = variant === '' ? {} : { path: join(setting.directory, 'heddle'), durability: variant as Durability }
      const store = open({ memory: heddleMemory(setting), keys, values: 'binary', ...disk })
      return { share: () => ({ data: store.handle }), close: () => store.close() }
    },
    attach: (data, setting) => new HeddleSession(attach<Key, Uint8Array>(data as StoreHandle), variant, setting),
  }
}
