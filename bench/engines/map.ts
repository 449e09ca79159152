/** A plain Map in the thread that uses it. It keeps the object it is given: nothing is copied on the way in or out. */
import { type Engine, type Key, NOTHING_DEFERRED, type Session } from './engine.ts'

class MapSession implements Session<Buffer> {
  readonly deferred = NOTHING_DEFERRED
  readonly batch = 0
  entries = 0
  readBytes = 0
  private readonly map = new Map<Key, Buffer>()

  prepare(value: Buffer): Buffer {
    return value
  }

  read(key: Key): number {
    const value = this.map.get(key)
    return value === undefined ? 0 : value.length
  }

  readInto(key: Key, target: Buffer): number {
    const value = this.map.get(key)
    if (value === undefined) return -1
    target.set(value)
    return value.length
  }

  set(key: Key, value: Buffer): void {
    this.map.set(key, value)
  }

  delete(key: Key): void {
    this.map.delete(key)
  }

  update(key: Key, value: Buffer): void {
    this.readBytes += this.map.get(key)?.length ?? 0
    this.map.set(key, value)
  }

  lookup(key: Key): Buffer | undefined {
    return this.map.get(key)
  }

  close(): void {
    this.map.clear()
  }
}

export function create(): Engine {
  return {
    refusal: (setting) => (setting.keys === 'binary' ? 'a Map compares buffers by identity' : undefined),
    open: () => ({ share: () => ({ data: null }), close: () => undefined }),
    attach: () => new MapSession(),
  }
}
