/** Operations at a tree with a shelf below it, as the store has them but without codecs; each is a line of the history. */
import { keyBytesOf } from '../../../src/log/block.ts'
import type { Engine } from '../../../src/store/engine.ts'
import { recordHeader, recordKeyAt } from '../../../src/tree/record.ts'
import { Scan } from '../../../src/tree/scan.ts'
import type { Mark } from '../../../src/tree/snapshots.ts'
import { COMMITTED } from '../../../src/tree/commits.ts'
import { PUT_ABSENT } from '../../../src/tree/tree.ts'
import { ISOLATION_SERIALIZABLE } from '../../../src/tree/descriptor.ts'
import { bytesOf, commit } from './deals.ts'
import type { Change, Deal } from './map-of-batches.ts'
import { noted } from './journal.ts'
import { slotFaults } from './people.ts'
import { type Part, type Text, setKey, valueOf, write } from './points.ts'
import { shelfOf } from './shelf.ts'
import { heldByNobody } from './trees.ts'

function found(engine: Engine): Text {
  const { value, length } = engine.below!
  let text = ''
  for (let i = 0; i < length; i++) text += String.fromCharCode(value[i]!)
  return text
}

/** What is under the present key, in the tree or below. */
function find(engine: Engine, fills: boolean): Text | undefined {
  const { tree, scheme } = engine
  scheme.enter()
  const record = tree.find()
  const value = record === 0 ? undefined : valueOf(engine, record, tree.search.header)
  const isMissing = record === 0 && tree.unknown
  scheme.leave()
  if (!isMissing) return value
  if (!engine.below!.look(tree.key)) return undefined
  const text = found(engine)
  if (fills) tree.filling.offer(engine.below!)
  return text
}

/** A get that brings nothing up. */
export function peek(engine: Engine, key: Text): Text | undefined {
  return noted('get', [key], () => {
    setKey(engine, key)
    return find(engine, false)
  })
}

/** A get that brings up what it finds. */
export function fetch(engine: Engine, key: Text): Text | undefined {
  return noted('get', [key], () => {
    setKey(engine, key)
    return find(engine, true)
  })
}

export function take(engine: Engine, key: Text): boolean {
  return noted('delete', [key], () => {
    setKey(engine, key)
    return engine.remove()
  })
}

export function putIfAbsent(engine: Engine, key: Text, value: Text): Text | undefined {
  return noted('setIfAbsent', [key, value], () => {
    setKey(engine, key)
    for (;;) {
      const there = find(engine, false)
      if (there !== undefined) return there
      write(engine, value)
      if (engine.tree.put(PUT_ABSENT, 0)) return undefined
      engine.tree.writer.abandon()
      if (engine.tree.unknown) engine.bring()
    }
  })
}

/** The same without a look before it: whether the key is absent is found out by the put alone. */
export function insert(engine: Engine, key: Text, value: Text): Text | undefined {
  return noted('setIfAbsent', [key, value], () => {
    setKey(engine, key)
    for (;;) {
      write(engine, value)
      if (engine.tree.put(PUT_ABSENT, 0)) return undefined
      engine.tree.writer.abandon()
      if (engine.tree.unknown) engine.bring()
      const there = find(engine, false)
      if (there !== undefined) return there
    }
  })
}

/** Has a key's record or tombstone leave the tree, if it may, as the evictor does when it comes by. */
export function evict(engine: Engine, key: Text): void {
  const { tree, scheme, evictor } = engine
  setKey(engine, key)
  scheme.enter()
  tree.context.residence.begin()
  tree.search.locate(tree.key)
  const { record, at, word } = tree.search
  if (record !== 0) evictor.evict(at, word)
  scheme.leave()
}

/** Flushes these keys, and has them leave. */
export function evictClean(engine: Engine, ...keys: Text[]): void {
  shelfOf(engine).flush(engine, keys)
  for (const key of keys) evict(engine, key)
}

/** What a key had for a snapshot; 'ended' if it was ended. */
export function peekAt(engine: Engine, mark: Mark, key: Text): Text | undefined {
  const { scheme, tree, snapshots } = engine
  setKey(engine, key)
  scheme.enter()
  const record = tree.findAt(mark.ts)
  const value = record === 0 ? undefined : valueOf(engine, record, tree.search.header)
  const { unknown } = tree
  const live = snapshots.isLive(mark)
  scheme.leave()
  if (!live) return 'ended'
  if (record !== 0 || !unknown || mark.version === undefined || mark.version === 0) return value
  return engine.below!.lookAt(mark.version, tree.key) ? found(engine) : undefined
}

/** All entries of a snapshot: the tree's, and of what it is silent about those below. */
export function entriesOf(engine: Engine, mark: Mark): [Text, Text][] | undefined {
  const { scheme, tree, arena, snapshots } = engine
  const scan = new Scan(tree, false, false)
  scan.at = mark.ts
  scan.showsAbsent = true
  const said = new Map<Text, Text | undefined>()
  while (!scan.done) {
    scheme.enter()
    scan.step(Number.MAX_SAFE_INTEGER)
    for (let i = 0; i < scan.count; i++) {
      const record = scan.record(i)
      const header = recordHeader(arena.words, record)
      let key = ''
      for (let at = 0; at < keyBytesOf(header); at++) key += String.fromCharCode(arena.bytes[recordKeyAt(record) + at]!)
      said.set(key, scan.isAbsent(i) ? undefined : valueOf(engine, record, header))
    }
    const live = snapshots.isLive(mark)
    scheme.leave()
    if (!live) return undefined
  }
  const shelf = shelfOf(engine)
  if (mark.version !== undefined && mark.version !== 0) {
    for (const key of shelf.keys(mark.version)) if (!said.has(key)) said.set(key, shelf.read(mark.version, key))
  }
  const entries: [Text, Text][] = []
  for (const [key, value] of said) if (value !== undefined) entries.push([key, value])
  return entries.sort(([a], [b]) => (a < b ? -1 : 1))
}

/** All entries of one moment: of a snapshot that is taken and closed again. */
export function entriesNow(engine: Engine): [Text, Text][] {
  return noted('entries', [], () => {
    for (;;) {
      const mark = engine.snapshots.take(0)
      const all = entriesOf(engine, mark)
      engine.snapshots.close(mark)
      if (all !== undefined) return all
    }
  })
}

/** One try of a serializable transaction that reads keys and writes what does not depend on it. */
export function transactOver(engine: Engine, reads: readonly Text[], ...changes: Change[]): unknown[] | undefined {
  const deal: Deal = { reads, writes: () => changes }
  return noted('transaction', [deal], () => {
    const mark = engine.snapshots.take(0, true)
    try {
      const read: unknown[] = []
      for (const key of reads) read.push(peekAt(engine, mark, key) ?? null)
      if (read.includes('ended')) return undefined
      const keys = reads.map(bytesOf)
      const outcome = commit(engine, changes, { isolation: ISOLATION_SERIALIZABLE, mark, keys, ranges: [] })
      return outcome === COMMITTED ? read : undefined
    } finally {
      engine.snapshots.close(mark)
    }
  })
}

/** What each of these keys holds, as text. */
export function heldBy(engine: Engine, keys: readonly Text[]): string {
  return keys.map((key) => `${key}=${peek(engine, key)}`).join(' ')
}

/** What is wrong with a partial tree at rest, once everything that can be reclaimed has been. */
export function shelfFaults(engine: Engine, keys: readonly Text[]): string[] {
  const before = heldBy(engine, keys)
  engine.drain()
  const report = engine.verify()
  const found = [...report.problems, ...slotFaults(engine), ...heldByNobody(engine)]
  for (const name of ['leakedWords', 'leakedPageIds', 'waitingPageIds', 'waitingSegments'] as const) {
    if (report[name] !== 0) found.push(`${name}: ${report[name]}`)
  }
  if (engine.scheme.waiting() !== 0) found.push(`${engine.scheme.waiting()} actions wait`)
  evictClean(engine, ...keys)
  const after = heldBy(engine, keys)
  if (after !== before) found.push(`a drain and an eviction made ${after} of ${before}`)
  return found
}

export const peeking =
  (...keys: Text[]): Part =>
  (engine) => {
    for (const key of keys) peek(engine, key)
  }

export const fetching =
  (...keys: Text[]): Part =>
  (engine) => {
    for (const key of keys) fetch(engine, key)
  }

export const taking =
  (...keys: Text[]): Part =>
  (engine) => {
    for (const key of keys) take(engine, key)
  }

export const evicting =
  (...keys: Text[]): Part =>
  (engine) => {
    for (const key of keys) evict(engine, key)
  }

/** Flushes and evicts. */
export const clearing =
  (...keys: Text[]): Part =>
  (engine) =>
    evictClean(engine, ...keys)
