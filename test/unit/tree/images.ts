/** Bases as they lie in the arena, read back part by part. */
import type { Engine } from '../../../src/store/engine.ts'
import { FRAGMENT_MASK } from '../../../src/pagecache/fragment.ts'
import { wordsOf } from '../../../src/log/block.ts'
import { ROOM_PROMISED, STREAM_PAGES } from '../../../src/log/log.ts'
import { ADDRESS_MASK, REMOVED, ROOT } from '../../../src/pagecache/page-table.ts'
import { BASE_EXTRA } from '../../../src/pagecache/base.ts'
import * as page from '../../../src/tree/page.ts'
import { recordHeader, recordKeyAt } from '../../../src/tree/record.ts'
import { keyBytesOf } from '../../../src/log/block.ts'
import { textOf } from './keys.ts'

export interface PageParts {
  readonly id: number
  readonly base: number
  /** Words of the block. */
  readonly size: number
  readonly level: number
  readonly right: number
  /** Empty for minus infinity. */
  readonly low: string
  /** Undefined for plus infinity. */
  readonly high: string | undefined
  readonly prefix: string
  readonly heads: readonly number[]
  readonly merge: number
  readonly removed: boolean
}

export interface InnerParts extends PageParts {
  readonly children: readonly number[]
  readonly separators: readonly string[]
}

export function partsOf({ arena }: Engine, base: number, id = 0): InnerParts {
  const { words, bytes } = arena
  const text = (at: number, length: number): string => textOf(bytes.slice(at, at + length))
  const count = page.pageCount(words, base)
  const level = page.pageLevel(words, base)
  const highBytes = page.highBytes(words, base)
  const heads = page.headsAt(words, base)
  const ends = [...words.subarray(page.endsAt(words, base), page.endsAt(words, base) + (level > 0 ? count : 0))]
  const separatorsAt = page.separatorsAt(words, base)
  return {
    id,
    base,
    size: wordsOf(words[base]!),
    level,
    right: page.pageRight(words, base),
    low: text(page.lowAt(words, base), page.lowBytes(words, base)),
    high: highBytes === page.NO_FENCE ? undefined : text(page.highAt(base), highBytes),
    prefix: text(page.prefixAt(words, base), page.prefixBytes(words, base)),
    heads: [...words.subarray(heads, heads + count)],
    merge: words[base + BASE_EXTRA]!,
    removed: false,
    children: [...words.subarray(heads + count, heads + 2 * count)],
    separators: ends.map((end, i) => text(separatorsAt + (ends[i - 1] ?? 0), end - (ends[i - 1] ?? 0))),
  }
}

/** The page of an id as it is now. */
export function pageOf(engine: Engine, id: number): InnerParts {
  const word = engine.tree.context.table.load(id)
  return { ...partsOf(engine, word & ADDRESS_MASK, id), removed: word >= REMOVED }
}

/** The pages of a level from left to right. */
export function level(engine: Engine, wanted: number): InnerParts[] {
  let at = pageOf(engine, ROOT)
  while (at.level > wanted) at = pageOf(engine, at.children[0]!)
  const found = [at]
  while (found.at(-1)!.right !== 0) found.push(pageOf(engine, found.at(-1)!.right))
  return found
}

/** Every page that the tree links to, the root first. */
export function allPages(engine: Engine): InnerParts[] {
  const { level: top } = pageOf(engine, ROOT)
  return Array.from({ length: top + 1 }, (_, i) => level(engine, top - i)).flat()
}

/** Keys of the records that a leaf's entry words lead to, '' included for words that lead nowhere as undefined. */
export function entryKeys(engine: Engine, base: number): (string | undefined)[] {
  const { words } = engine.arena
  const at = engine.tree.context.cache.entriesAt(base)
  return [...words.subarray(at, at + page.pageCount(words, base))].map((word) => {
    const record = word & FRAGMENT_MASK
    return record === 0 ? undefined : keyOf(engine, record)
  })
}

export function keyOf({ arena: { words, bytes } }: Engine, record: number): string {
  const at = recordKeyAt(record)
  return textOf(bytes.slice(at, at + keyBytesOf(recordHeader(words, record))))
}

/** Makes room for what a test writes by hand. */
export function makeRoom({ log }: Engine): void {
  log.prepare(STREAM_PAGES, 2048, ROOM_PROMISED)
}
