/** heddle itself, as it is built. */
import { join } from 'node:path'
import { type Store, type StoreHandle, attach, open } from '../../dist/src/index.js'
import { type Engine, type Key, NOTHING_DEFERRED, type Session, type Setting } from './engine.ts'

type Durability = 'sync' | 'group' | 'none'

/** What a record takes beside its key and value, generously, with room for the cleaner. */
const OVERHEAD_BYTES = 48
const ROOM = 2.5

export function heddleMemory(setting: Setting): number {
  const bytes = setting.capacity * (setting.keyBytes + setting.valueBytes + OVERHEAD_BYTES) * ROOM
  return Math.min(2 ** 32, Math.ceil(bytes / 2 ** 20) * 2 ** 20 + 2 ** 26)
}

class HeddleSession implements Session<Buffer> {
  readonly deferred = NOTHING_DEFERRED
  readonly batch = 0
  entries = 0
  private readonly store: Store<Key, Uint8Array>
  private next: Buffer = Buffer.alloc(0)
  private readonly change = (): Uint8Array => this.next
  /** Kept so that reading the values of a scan is not optimised away. */
  scannedBytes = 0

  constructor(store: Store<Key, Uint8Array>) {
    this.store = store
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
    this.store.set(key, value)
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

  settle(): void {
    this.store.flushSync()
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
export function create(variant: string): Engine {
  return {
    open(setting) {
      const keys = setting.keys === 'number' ? 'number' : setting.keys === 'binary' ? 'binary' : 'utf8'
      const disk = variant === '' ? {} : { path: join(setting.directory, 'heddle'), durability: variant as Durability }
      const store = open({ memory: heddleMemory(setting), keys, values: 'binary', ...disk })
      return { share: () => ({ data: store.handle }), close: () => store.close() }
    },
    attach: (data) => new HeddleSession(attach<Key, Uint8Array>(data as StoreHandle)),
  }
}
