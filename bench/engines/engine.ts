/** What the benchmark asks of an engine. One file of this folder for each. */
import type { Transferable } from 'node:worker_threads'

export type Key = string | number | Buffer

export const KEY_KINDS = ['string', 'number', 'url', 'binary'] as const
export type KeyKind = (typeof KEY_KINDS)[number]

/** How an engine is set up: the same for all of them. */
export interface Setting {
  readonly keys: KeyKind
  readonly keyBytes: number
  readonly valueBytes: number
  /** Entries that are loaded. */
  readonly records: number
  /** Entries that must fit: some workloads insert more. */
  readonly capacity: number
  /** Memory that the engine may use, as far as it can be told; null is as much as it likes. */
  readonly memoryBytes: number | null
  /** An empty folder of the engine's own. */
  readonly directory: string
}

export type Operation = 'read' | 'readInto' | 'set' | 'delete' | 'update' | 'scan'

export const NOTHING_DEFERRED: ReadonlySet<Operation> = new Set()

/**
 * One thread's hold on an engine. An operation that the engine does not have is absent. V is a value as the engine takes
 * it best; `prepare` makes it outside of the measurement.
 */
export interface Session<V = unknown> {
  /** Operations that are only noted by the call and done by `flush`, together. */
  readonly deferred: ReadonlySet<Operation>
  /** Operations between two calls of `flush`; 0 if there is no flush. */
  readonly batch: number
  /** Entries that scans have given so far. */
  entries: number
  prepare(value: Buffer): V
  /** Takes a value of its own. @returns its length; 0 if there is none, or if the reading is deferred */
  read(key: Key): number
  /** Has the value written into a buffer that is used again. @returns its length */
  readInto?(key: Key, target: Buffer): number
  set(key: Key, value: V): void
  delete?(key: Key): void
  /** Reads the record and sets it, as one step as far as the engine knows such. */
  update?(key: Key, value: V): void
  /** Takes entries in order, both key and value, and counts them in `entries`. From the first key if there is none. */
  scan?(from: Key | undefined, limit: number): void
  /** Does what is deferred. */
  flush?(): Promise<void> | void
  /** Waits until everything that was done, and flushed, is durable, where that is not so already. */
  settle?(): Promise<void> | void
  /** For writes one by one: whether they may be put together, to load quickly. */
  bulk?(on: boolean): void
  /** A value, for the check of right answers; what is deferred has been flushed before. */
  lookup(key: Key): Promise<Buffer | undefined> | Buffer | undefined
  /** Entries in order, for the check. */
  list?(from: Key | undefined, limit: number): Promise<[Key, Buffer][]> | [Key, Buffer][]
  close(): Promise<void> | void
}

/** An engine that is open in its process. */
export interface Shared {
  /** What a thread needs to attach. */
  share(): { data: unknown; transfer?: Transferable[] }
  close(): Promise<void> | void
}

export interface Engine {
  /** Why this engine cannot work with a setting, if it cannot. */
  refusal?(setting: Setting): string | undefined
  open(setting: Setting): Promise<Shared> | Shared
  attach(data: unknown, setting: Setting): Promise<Session> | Session
}

/** What a module of this folder exports. Throws if the package is not there. */
export interface EngineModule {
  create(variant: string): Promise<Engine> | Engine
}

/** Imports a package that may be missing, so that the sources compile without it. */
export async function importPackage<T>(name: string): Promise<T> {
  const module = (await import(name)) as { default?: unknown }
  return { ...(module.default as object), ...module } as T
}

/** For engines without number keys: 8 bytes in the order of the numbers (which are not negative here). */
export function numberBytes(key: number): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeDoubleBE(key)
  return bytes
}

/** LevelDB's least write buffer. */
const LEAST_BUFFER_BYTES = 2 ** 16

/**
 * For engines that have a cache of blocks and a buffer of what was written last: the usual sizes, or what they share of the
 * memory that they may use, the buffer a quarter.
 */
export function cachesOf(
  memoryBytes: number | null,
  cacheBytes: number,
  bufferBytes: number,
): { cacheBytes: number; bufferBytes: number } {
  if (memoryBytes === null) return { cacheBytes, bufferBytes }
  const buffer = Math.min(bufferBytes, Math.max(LEAST_BUFFER_BYTES, Math.floor(memoryBytes / 4)))
  return { cacheBytes: Math.max(LEAST_BUFFER_BYTES, memoryBytes - buffer), bufferBytes: buffer }
}
