/** Engines on an arena of their own, several in one thread, with keys and values as text. */
import { createArena, type Arena } from '../../../src/memory/arena.ts'
import { PARTICIPANT_WORDS } from '../../../src/memory/layout.ts'
import { OWNER, STATUS_FREE, STATUS_LIVE, statusOf } from '../../../src/reclaim/participant.ts'
import { Engine } from '../../../src/store/engine.ts'
import { checkOptions, type Tuning } from '../../../src/store/options.ts'
import { extentListAt, inlineValueBytes, recordHeader, recordKeyAt } from '../../../src/tree/record.ts'
import { KIND_EXTENT_RECORD, keyBytesOf, kindOf } from '../../../src/log/block.ts'
import { Scan } from '../../../src/tree/scan.ts'
import { COMMITTED } from '../../../src/tree/commits.ts'
import { PUT_ANY } from '../../../src/tree/tree.ts'
import { MIB, tiny } from '../../support/stores.ts'

export type Bytes = string | Uint8Array

const encoder = new TextEncoder()

export function bytesOf(text: Bytes): Uint8Array {
  return typeof text === 'string' ? encoder.encode(text) : text
}

/** An arena of the smallest size, with pages that a handful of entries splits and merges. */
export function tinyArena(tuning: Tuning = {}, memory = MIB, maxThreads = 6): Arena {
  const options = { memory, maxThreads, tuning: { ...tiny, pageIds: 256, paranoid: true, ...tuning } }
  return createArena(checkOptions(options).geometry)
}

/** The first engine on a tiny arena, with an empty tree. */
export function firstEngine(tuning: Tuning = {}, memory = MIB, maxThreads = 6): Engine {
  const engine = new Engine(tinyArena(tuning, memory, maxThreads), 1)
  engine.tree.create()
  return engine
}

export function setKey(engine: Engine, key: Bytes): void {
  const bytes = bytesOf(key)
  engine.tree.key.copyFrom(bytes, 0, bytes.length)
}

export function put(engine: Engine, key: Bytes, value: Bytes = '', mode = PUT_ANY): boolean {
  const { tree, arena } = engine
  const { writer } = tree
  const bytes = bytesOf(value)
  setKey(engine, key)
  if (bytes.length > arena.layout.inlineBytes) writer.writeLarge(tree.key, bytes, bytes.length, false)
  else {
    const at = writer.begin(tree.key, bytes.length)
    arena.bytes.set(bytes, at)
    writer.finish(tree.key.length, bytes.length, false)
  }
  try {
    return tree.put(mode, engine.scheme.epoch())
  } finally {
    writer.abandon()
  }
}

/** Sets keys, in their order, to what names them, all at one moment. */
export function batchOf(engine: Engine, keys: readonly string[]): void {
  const { tree, arena } = engine
  const { writer, batchWriter } = tree
  for (;;) {
    batchWriter.begin()
    for (const key of keys) {
      const bytes = bytesOf(`batch ${key}`)
      setKey(engine, key)
      const at = writer.begin(tree.key, bytes.length)
      arena.bytes.set(bytes, at)
      writer.finish(tree.key.length, bytes.length, false)
      batchWriter.add()
    }
    if (tree.commits.commit(batchWriter.describe(null)) === COMMITTED) return
    tree.commits.makeRoom()
  }
}

export function remove(engine: Engine, key: Bytes): boolean {
  setKey(engine, key)
  return engine.tree.remove(0, 0)
}

function valueText(engine: Engine, record: number, header: number): string {
  const { words, bytes } = engine.arena
  if (kindOf(header) === KIND_EXTENT_RECORD) {
    return `${words[extentListAt(record, header)]} bytes`
  }
  const at = recordKeyAt(record) + keyBytesOf(header)
  return String.fromCharCode(...bytes.slice(at, at + inlineValueBytes(header)))
}

export function get(engine: Engine, key: Bytes): string | undefined {
  setKey(engine, key)
  engine.scheme.enter()
  try {
    const record = engine.tree.find()
    return record === 0 ? undefined : valueText(engine, record, engine.tree.search.header)
  } finally {
    engine.scheme.leave()
  }
}

/** All entries by a scan, keys as latin1 text. */
export function entries(engine: Engine, reverse = false, limit = Infinity): [string, string][] {
  const scan = new Scan(engine.tree, reverse, true)
  const found: [string, string][] = []
  while (!scan.done) found.push(...stepOf(engine, scan, limit))
  return found
}

/** One step of a scan. */
export function stepOf(engine: Engine, scan: Scan, limit = Infinity): [string, string][] {
  const { words, bytes } = engine.arena
  const found: [string, string][] = []
  engine.scheme.enter()
  try {
    scan.step(limit)
    for (let i = 0; i < scan.count; i++) {
      const record = scan.record(i)
      const header = recordHeader(words, record)
      const at = recordKeyAt(record)
      const key = String.fromCharCode(...bytes.slice(at, at + keyBytesOf(header)))
      found.push([key, valueText(engine, record, header)])
    }
  } finally {
    engine.scheme.leave()
  }
  return found
}

/** What is wrong with an arena at rest, once everything that can be reclaimed has been; nothing if it is whole. */
export function faults(engine: Engine): string[] {
  engine.drain()
  const report = engine.verify()
  const found = [...report.problems]
  for (const name of ['leakedWords', 'leakedPageIds', 'waitingPageIds', 'waitingSegments', 'waitingWords'] as const) {
    if (report[name] !== 0) found.push(`${name}: ${report[name]}`)
  }
  if (report.kept !== 0 && engine.tree.context.snapshots.countLive() === 0)
    found.push(`${report.kept} are kept for nobody`)
  const counted = entries(engine).length
  if (report.entries !== counted) found.push(`verify counts ${report.entries} entries, a scan ${counted}`)
  if (engine.size() !== counted) found.push(`size is ${engine.size()}, a scan counts ${counted}`)
  if (engine.scheme.waiting() !== 0) found.push(`${engine.scheme.waiting()} actions wait`)
  return [...found, ...wrongOwners(engine)]
}

/** Sealed segments whose counts are not exact. A death between marking a block dead and counting it leaves them high. */
export function wrongCounts({ log: { segments } }: Engine): string[] {
  const found: string[] = []
  for (let segment = segments.first; segment < segments.used(); segment++) {
    if (!segments.isSealed(segment)) continue
    const counted = segments.usedWords(segment) - segments.deadWords(segment)
    const walked = segments.walkLive(segment)
    if (counted !== walked) found.push(`segment ${segment} counts ${counted} live words, it has ${walked}`)
  }
  return found
}

/** Everything is held by somebody who lives, and every slot is either live or free. */
function wrongOwners({ arena, log, tree }: Engine): string[] {
  const { words, layout } = arena
  const found: string[] = []
  const live = new Set<number>()
  for (let slot = 0; slot < layout.maxParticipants; slot++) {
    const owner = words[layout.participantsAt + slot * PARTICIPANT_WORDS + OWNER]!
    const status = statusOf(owner)
    if (status === STATUS_LIVE) live.add((slot << 20) | (owner >>> 10))
    else if (status !== STATUS_FREE) found.push(`slot ${slot} is neither live nor free: ${status}`)
  }
  const { segments } = log
  for (let segment = segments.first; segment < segments.used(); segment++) {
    if (segments.isOpen(segment) && !live.has(segments.holder(segment)))
      found.push(`segment ${segment} is held by nobody`)
  }
  const { table } = tree.context
  for (let id = 1; id < table.list.used(); id++) {
    const holder = table.holder(id)
    if (holder >= 0 && !live.has(holder)) found.push(`page id ${id} is held by nobody`)
  }
  return found
}

/** A copy of an arena's memory, to go back to. */
export function snapshot(arena: Arena): () => void {
  const copy = arena.words.slice()
  return () => arena.words.set(copy)
}
