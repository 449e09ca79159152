/** Stores whose trees are partial, with tables on a disk of the tests' below them, and who flushes and compacts by hand. */
import { threadId } from 'node:worker_threads'
import { BlockCache } from '../../src/lsm/block-cache.ts'
import type { Catalog, Version } from '../../src/lsm/catalog.ts'
import type { Disk } from '../../src/lsm/disk.ts'
import { KIND_DELETE, KIND_PUT } from '../../src/lsm/entry.ts'
import { TableReads } from '../../src/lsm/table-reads.ts'
import { type TableMeta, TableWriter } from '../../src/lsm/table-writer.ts'
import { type TierGeometry, tierLayoutOf, tierWordsFor, writeTierHead } from '../../src/lsm/tier-layout.ts'
import { EMPTY_STATE, type VersionState } from '../../src/lsm/version-state.ts'
import { type Arena, createArena, viewArena } from '../../src/memory/arena.ts'
import { keyCodec, valueCodec } from '../../src/store/codec.ts'
import { Engine } from '../../src/store/engine.ts'
import { makeHandle } from '../../src/store/handle.ts'
import { type OpenOptions, checkOptions } from '../../src/store/options.ts'
import { RecordReader } from '../../src/store/reader.ts'
import { Store } from '../../src/store/store.ts'
import { keyBytesOf } from '../../src/log/block.ts'
import { recordHeader, recordKeyAt } from '../../src/tree/record.ts'
import { BURYING, PARTIAL } from '../../src/tree/residence.ts'
import { Scan } from '../../src/tree/scan.ts'

const TIER: TierGeometry = { ringGranules: 64, versions: 40, versionBytes: 8192, cacheBytes: 65_536, blockBytes: 512 }

export type Codecs = Pick<OpenOptions, 'keys' | 'values'>

/** A store, and what is behind it. */
export interface PartialKit<K = string, V = string> {
  readonly store: Store<K, V>
  readonly engine: Engine
  readonly catalog: Catalog
  readonly disk: Disk
}

const kits = new WeakMap<object, PartialKit<unknown, unknown>>()

/** What is behind a store, if its tree is partial. */
export function kitOf(store: object): PartialKit<unknown, unknown> | undefined {
  return kits.get(store)
}

function kitAt<K, V>(arena: Arena, engine: Engine, codecs: Codecs, disk: Disk): PartialKit<K, V> {
  const layout = tierLayoutOf(arena)
  const { scheme, me, tree } = engine
  // What is flushed is taken from the tree here, so nothing has to be in the log.
  tree.useJournal(null)
  const { catalog } = engine.tier!
  engine.setBelow(new TableReads(catalog, disk, new BlockCache(arena, scheme, me, layout.cache)))
  const { keys, values } = codecs
  const handle = makeHandle(arena.buffer, keys ?? 'utf8', values ?? 'utf8')
  const store = new Store<K, V>(arena, engine, keyCodec(keys), valueCodec(values), handle, null)
  const kit = { store, engine, catalog, disk }
  kits.set(store, kit)
  return kit
}

/** Opens an empty store that is partial from the beginning. */
export function openPartial<K = string, V = string>(options: OpenOptions, disk: Disk): PartialKit<K, V> {
  const { geometry } = checkOptions(options)
  const arena = createArena({ ...geometry, tierWords: tierWordsFor(geometry.maxParticipants, TIER) })
  writeTierHead(arena, TIER)
  const engine = new Engine(arena, threadId, disk)
  engine.tree.create()
  const kit = kitAt<K, V>(arena, engine, options, disk)
  kit.catalog.createFirst(EMPTY_STATE)
  const { residence } = engine.tree.context
  residence.enterMode(BURYING)
  residence.setClean(residence.turn())
  residence.enterMode(PARTIAL)
  return kit
}

/** Joins such a store, in this thread or another. */
export function attachPartial<K = string, V = string>(
  buffer: SharedArrayBuffer,
  codecs: Codecs,
  disk: Disk,
): PartialKit<K, V> {
  const arena = viewArena(buffer)
  return kitAt<K, V>(arena, new Engine(arena, threadId, disk), codecs, disk)
}

interface Flushed {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

/** Everything that the tree says. */
function residentsOf({ engine }: PartialKit): Flushed[] {
  const { tree, scheme, arena } = engine
  const reader = new RecordReader(arena, keyCodec('binary'), valueCodec('binary'))
  const scan = new Scan(tree, false, false)
  scan.showsAbsent = true
  const found: Flushed[] = []
  while (!scan.done) {
    scheme.enter()
    try {
      scan.step(Number.MAX_SAFE_INTEGER)
      for (let i = 0; i < scan.count; i++) {
        const record = scan.record(i)
        const header = recordHeader(arena.words, record)
        const at = recordKeyAt(record)
        const key = arena.bytes.slice(at, at + keyBytesOf(header))
        found.push({ key, value: scan.isAbsent(i) ? undefined : Uint8Array.from(reader.valueCopy(record, header)) })
      }
    } finally {
      scheme.leave()
    }
  }
  return found
}

let lastFile = 0
/** A file id that no other test of this thread has. */
function newFile(): number {
  return ++lastFile
}

function writeTable(disk: Disk, id: number, sequence: number, entries: readonly Flushed[]): TableMeta {
  const writer = new TableWriter(disk, id, 1, { blockBytes: 256 })
  const nothing = new Uint8Array(0)
  for (const { key, value } of entries) {
    const kind = value === undefined ? KIND_DELETE : KIND_PUT
    writer.add(key, 0, key.length, kind, sequence, value ?? nothing, 0, value?.length ?? 0)
  }
  return writer.finish()
}

function replaceVersion({ catalog }: PartialKit, make: (base: Version) => VersionState): void {
  const base = catalog.acquire()
  if (!catalog.create(base, make(base))) throw new Error('somebody else has made a version')
  catalog.release(base)
}

/** Puts all that the tree says into a new table: one flusher at a time. @returns entries written */
export function flush(kit: PartialKit<unknown, unknown>, file = newFile()): number {
  const { residence } = kit.engine.tree.context
  const clean = residence.turn()
  if (clean < 0) {
    kit.engine.snapshots.maintain(0)
    return 0
  }
  const entries = residentsOf(kit as PartialKit)
  if (entries.length > 0) {
    const table = writeTable(kit.disk, file, file, entries)
    replaceVersion(kit as PartialKit, ({ state }) => {
      const [level0 = [], ...below] = state.levels
      return { ...state, levels: [[table, ...level0], ...below] }
    })
  }
  residence.setClean(clean)
  return entries.length
}

/** Makes one table of all, on level 1. */
export function compact(kit: PartialKit<unknown, unknown>, file = newFile()): void {
  const { tables } = kit.engine
  const entries: Flushed[] = []
  const source = tables!.begin(0)
  for (source.seekFirst(); source.valid; source.next()) {
    const value = source.value.slice(source.valueStart, source.valueEnd)
    entries.push({ key: source.key.slice(0, source.keyLength), value })
  }
  tables!.end()
  const level1 = entries.length === 0 ? [] : [writeTable(kit.disk, file, file, entries)]
  replaceVersion(kit as PartialKit, ({ state }) => ({ ...state, levels: [[], level1] }))
}

/** Has everything leave that may. @returns records and tombstones that left */
export function evictAll({ engine }: PartialKit<unknown, unknown>): number {
  const before = engine.evictor.counts.words
  // Twice: the first time round takes the marks of readers.
  for (let round = 0; round < 2; round++) while (!engine.evictor.step(true));
  return engine.evictor.counts.words - before
}
