/** Operations on single keys, as the store has them but without codecs; each one is a line of the history. */
import { noted } from './journal.ts'
import type { Engine } from '../../../src/store/engine.ts'
import { KIND_EXTENT_RECORD, keyBytesOf, kindOf, padOf, wordsOf } from '../../../src/log/block.ts'
import {
  EXTENT_KEY,
  extentHeader,
  extentListAt,
  inlineValueBytes,
  recordHeader,
  recordKeyAt,
} from '../../../src/tree/record.ts'
import { Scan } from '../../../src/tree/scan.ts'
import type { Mark } from '../../../src/tree/snapshots.ts'
import { PUT_ABSENT, PUT_ANY } from '../../../src/tree/tree.ts'

/** ASCII text. */
export type Text = string

export function setKey({ tree }: Engine, key: Text): void {
  for (let i = 0; i < key.length; i++) tree.key.bytes[i] = key.charCodeAt(i)
  tree.key.finish(key.length)
}

/** Writes the record of the present key, not linked; what is too long for it goes to an extent. */
export function write({ tree, arena }: Engine, value: Text): void {
  const { writer, key } = tree
  if (value.length > arena.layout.inlineBytes) {
    const bytes = Uint8Array.from(value, (letter) => letter.charCodeAt(0))
    writer.writeLarge(key, bytes, bytes.length, true)
    return
  }
  const at = writer.begin(key, value.length)
  for (let i = 0; i < value.length; i++) arena.bytes[at + i] = value.charCodeAt(i)
  writer.finish(key.length, value.length, true)
}

function textAt({ arena: { bytes } }: Engine, at: number, length: number): Text {
  let text = ''
  for (let i = 0; i < length; i++) text += String.fromCharCode(bytes[at + i]!)
  return text
}

export function valueOf(engine: Engine, record: number, header: number): Text {
  if (kindOf(header) === KIND_EXTENT_RECORD) return largeValueOf(engine, record, header)
  return textAt(engine, recordKeyAt(record) + keyBytesOf(header), inlineValueBytes(header))
}

/** The pieces of a value, put together. */
function largeValueOf(engine: Engine, record: number, header: number): Text {
  const { words } = engine.arena
  const list = extentListAt(record, header)
  const keyWords = (keyBytesOf(header) + 3) >>> 2
  let text = ''
  for (let i = 0; i < words[list + 1]!; i++) {
    const extent = words[list + 2 + i]!
    const from = (extent + EXTENT_KEY + keyWords) * 4
    const piece = extentHeader(words, extent)
    text += textAt(engine, from, (extent + wordsOf(piece)) * 4 - padOf(piece) - from)
  }
  return text
}

function find(engine: Engine): { record: number; value: Text | undefined } {
  const { tree, scheme } = engine
  const since = scheme.epoch()
  scheme.enter()
  const record = tree.find()
  if (record !== 0) tree.remember(since)
  const value = record === 0 ? undefined : valueOf(engine, record, tree.search.header)
  scheme.leave()
  return { record, value }
}

function put(engine: Engine, value: Text, mode: number, since: number): boolean {
  write(engine, value)
  const linked = engine.tree.put(mode, since)
  if (!linked) engine.tree.writer.abandon()
  return linked
}

export function set(engine: Engine, key: Text, value: Text): void {
  noted('set', [key, value], () => {
    setKey(engine, key)
    put(engine, value, PUT_ANY, 0)
  })
}

export function get(engine: Engine, key: Text): Text | undefined {
  return noted('get', [key], () => {
    setKey(engine, key)
    return find(engine).value
  })
}

export function remove(engine: Engine, key: Text): boolean {
  return noted('delete', [key], () => {
    setKey(engine, key)
    return engine.tree.remove(0, 0)
  })
}

export function setIfAbsent(engine: Engine, key: Text, value: Text): Text | undefined {
  return noted('setIfAbsent', [key, value], () => {
    setKey(engine, key)
    for (;;) {
      const there = find(engine).value
      if (there !== undefined || put(engine, value, PUT_ABSENT, 0)) return there
    }
  })
}

export function compareAndSet(engine: Engine, key: Text, old: Text | undefined, next: Text | undefined): boolean {
  return noted('compareAndSet', [key, old, next], () => {
    setKey(engine, key)
    return swap(engine, old, next)
  })
}

/** Replaces what is under the present key by `next` while it is `old`; undefined stands for absent. */
function swap(engine: Engine, old: Text | undefined, next: Text | undefined): boolean {
  const { tree, scheme } = engine
  for (;;) {
    const since = scheme.epoch()
    const { record, value } = find(engine)
    if (value !== old) return false
    if (next === undefined) {
      if (record === 0 || tree.remove(record, since)) return true
    } else if (put(engine, next, record === 0 ? PUT_ABSENT : record, since)) return true
  }
}

/** What a swap has found before it writes: a record, and the epoch it was found in. */
export interface Found {
  readonly record: number
  readonly since: number
}

export function findRecord(engine: Engine, key: Text): Found {
  const since = engine.scheme.epoch()
  setKey(engine, key)
  return { record: find(engine).record, since }
}

/** The second half of a swap of `old`, which is what the record found was. */
export function swapFound(engine: Engine, key: Text, old: Text, next: Text, { record, since }: Found): boolean {
  return noted('compareAndSet', [key, old, next], () => {
    setKey(engine, key)
    return put(engine, next, record, since)
  })
}

/** The number in `text`, and one more. */
export function increased(text: unknown): Text {
  return String(Number(text ?? 0) + 1)
}

/** Counts the key's value up by one. @returns the new value */
export function increase(engine: Engine, key: Text): Text {
  return noted('update', [key, increased], () => {
    const { scheme } = engine
    setKey(engine, key)
    for (;;) {
      const since = scheme.epoch()
      const { record, value } = find(engine)
      const next = increased(value)
      if (put(engine, next, record === 0 ? PUT_ABSENT : record, since)) return next
    }
  })
}

/** All keys by a scan that is pinned for one leaf at a time. */
export function scanKeys(engine: Engine, reverse = false): Text[] {
  const { scheme, tree, arena } = engine
  const scan = new Scan(tree, reverse, true)
  const keys: Text[] = []
  while (!scan.done) {
    scheme.enter()
    scan.step(Number.MAX_SAFE_INTEGER)
    for (let i = 0; i < scan.count; i++) {
      const record = scan.record(i)
      keys.push(textAt(engine, recordKeyAt(record), keyBytesOf(recordHeader(arena.words, record))))
    }
    scheme.leave()
  }
  return keys
}

/** What a snapshot sees, forward; undefined if it was ended. */
export function entriesAt(engine: Engine, mark: Mark, reverse = false): [Text, Text][] | undefined {
  const { scheme, tree, arena, snapshots } = engine
  const scan = new Scan(tree, reverse, true)
  scan.at = mark.ts
  const entries: [Text, Text][] = []
  while (!scan.done) {
    scheme.enter()
    scan.step(Number.MAX_SAFE_INTEGER)
    for (let i = 0; i < scan.count; i++) {
      const record = scan.record(i)
      const header = recordHeader(arena.words, record)
      const key = textAt(engine, recordKeyAt(record), keyBytesOf(header))
      entries.push([key, valueOf(engine, record, header)])
    }
    const live = snapshots.isLive(mark)
    scheme.leave()
    if (!live) return undefined
  }
  return reverse ? entries.reverse() : entries
}

/** What a key had for a snapshot; 'ended' if it was ended. */
export function getAt(engine: Engine, mark: Mark, key: Text): Text | undefined {
  const { scheme, tree, snapshots } = engine
  setKey(engine, key)
  scheme.enter()
  const record = tree.findAt(mark.ts)
  const value = record === 0 ? undefined : valueOf(engine, record, tree.search.header)
  const live = snapshots.isLive(mark)
  scheme.leave()
  return live ? value : 'ended'
}

/** All entries of one moment: of a snapshot that is taken and closed again. */
export function entries(engine: Engine): [Text, Text][] {
  return noted('entries', [], () => {
    for (;;) {
      const mark = engine.snapshots.take(0)
      const found = entriesAt(engine, mark)
      engine.snapshots.close(mark)
      if (found !== undefined) return found
    }
  })
}

/** What a thread does. */
export type Part = (engine: Engine) => unknown

export function setting(...keys: Text[]): Part {
  return (engine) => {
    for (const key of keys) set(engine, key, '1')
  }
}

export function getting(...keys: Text[]): Part {
  return (engine) => {
    for (const key of keys) get(engine, key)
  }
}

export function removing(...keys: Text[]): Part {
  return (engine) => {
    for (const key of keys) remove(engine, key)
  }
}
