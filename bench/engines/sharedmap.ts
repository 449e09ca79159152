/** sharedmap: a hash map in shared memory, with locks, for strings only. Values are handed in and out as strings. */
import { type Engine, type Key, NOTHING_DEFERRED, type Session, importPackage } from './engine.ts'

interface Lock {
  lockWrite: boolean
}

interface SharedMap {
  get(key: string, options?: Lock): string | undefined
  set(key: string, value: string, options?: Lock): void
  has(key: string): boolean
  delete(key: string): void
  lockWrite(): void
  unlockWrite(): void
}

type SharedMapClass = new (maxSize: number, keySize: number, objSize: number) => SharedMap

/** Most bytes that it may reserve: it has a fixed place for the longest key and value in each slot. */
const MOST_BYTES = 4 * 2 ** 30
/** Slots for each entry; it says that it slows down from 95 % on. */
const SLOTS = 1.25
const LOCKED: Lock = { lockWrite: true }

function slotBytes(setting: { keyBytes: number; valueBytes: number }): number {
  // Room for the end marks; the package rounds up to 32.
  const units = Math.ceil((setting.keyBytes + 1) / 32) + Math.ceil((setting.valueBytes + 1) / 32)
  return 2 * 32 * units
}

class SharedMapSession implements Session<string> {
  readonly deferred = NOTHING_DEFERRED
  readonly batch = 0
  entries = 0
  readBytes = 0
  private readonly map: SharedMap

  constructor(map: SharedMap) {
    this.map = map
  }

  prepare(value: Buffer): string {
    return value.toString('latin1')
  }

  read(key: Key): number {
    const value = this.map.get(key as string)
    return value === undefined ? 0 : value.length
  }

  set(key: Key, value: string): void {
    this.map.set(key as string, value)
  }

  delete(key: Key): void {
    // It throws where there is nothing, as when another thread was faster.
    try {
      this.map.delete(key as string)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
    }
  }

  update(key: Key, value: string): void {
    const { map } = this
    map.lockWrite()
    try {
      this.readBytes += map.get(key as string, LOCKED)?.length ?? 0
      map.set(key as string, value, LOCKED)
    } finally {
      map.unlockWrite()
    }
  }

  lookup(key: Key): Buffer | undefined {
    const value = this.map.get(key as string)
    return value === undefined ? undefined : Buffer.from(value, 'latin1')
  }

  close(): void {
    // The memory goes with the last reference.
  }
}

export async function create(): Promise<Engine> {
  const loaded = await importPackage<{ default: SharedMapClass }>('sharedmap')
  const SharedMap = loaded.default
  return {
    refusal(setting) {
      if (setting.keys === 'number' || setting.keys === 'binary') return 'its keys are strings'
      if (slotBytes(setting) * setting.capacity * SLOTS > MOST_BYTES) return 'more than 4 GiB in places of a fixed size'
      return undefined
    },
    open(setting) {
      const map = new SharedMap(Math.ceil(setting.capacity * SLOTS), setting.keyBytes + 1, setting.valueBytes + 1)
      return { share: () => ({ data: map }), close: () => undefined }
    },
    attach(data) {
      const map = data as object
      Object.setPrototypeOf(map, SharedMap.prototype as object)
      return new SharedMapSession(map as SharedMap)
    },
  }
}
