/** How the tree uses a base: fences, prefix and right link (see pagecache/base.ts for the words). */
import { BASE_BODY, BASE_FENCES, BASE_PREAMBLE, BASE_RIGHT, BASE_SHAPE, countOf, levelOf } from '../pagecache/base.ts'

/** High fence length that stands for plus infinity. */
export const NO_FENCE = 0xffff

/** In word BASE_EXTRA of an inner page: no merge, or the index of the child being merged into its left neighbour. */
export const NO_MERGE = 0
/** The only child of the root is being moved into the root. */
export const COLLAPSE = -1

/** In word BASE_EXTRA of a leaf: deletions, and whether it has been read since the evictor last came by (partial trees). */
export const LEAF_DELETIONS = (1 << 30) - 1
export const LEAF_READ = 1 << 30

export function pageLevel(words: Int32Array, base: number): number {
  return levelOf(words[base + BASE_SHAPE])
}

export function pageCount(words: Int32Array, base: number): number {
  return countOf(words[base + BASE_SHAPE])
}

export function pageRight(words: Int32Array, base: number): number {
  return words[base + BASE_RIGHT]
}

/** Word of the first head. */
export function headsAt(words: Int32Array, base: number): number {
  return base + (words[base + BASE_BODY] & 0xffff)
}

export function prefixBytes(words: Int32Array, base: number): number {
  return words[base + BASE_BODY] >>> 16
}

/** Length of the high fence in bytes, or NO_FENCE. */
export function highBytes(words: Int32Array, base: number): number {
  return words[base + BASE_FENCES] & 0xffff
}

export function lowBytes(words: Int32Array, base: number): number {
  return words[base + BASE_FENCES] >>> 16
}

function wordsFor(bytes: number): number {
  return bytes === NO_FENCE ? 0 : (bytes + 3) >>> 2
}

/** Byte offset of the high fence. */
export function highAt(base: number): number {
  return (base + BASE_PREAMBLE) * 4
}

/** Byte offset of the low fence. */
export function lowAt(words: Int32Array, base: number): number {
  return (base + BASE_PREAMBLE + wordsFor(highBytes(words, base))) * 4
}

/** Byte offset of the page's prefix. */
export function prefixAt(words: Int32Array, base: number): number {
  return (base + BASE_PREAMBLE + wordsFor(highBytes(words, base)) + wordsFor(lowBytes(words, base))) * 4
}

/** Words before the body, for fences and a prefix of these lengths. */
export function preambleWords(high: number, low: number, prefix: number): number {
  return BASE_PREAMBLE + wordsFor(high) + wordsFor(low) + wordsFor(prefix)
}

/** Inner pages: word of child i, and word of the end of separator i (bytes after the separators' start). */
export function childrenAt(words: Int32Array, base: number): number {
  return headsAt(words, base) + pageCount(words, base)
}

export function endsAt(words: Int32Array, base: number): number {
  return headsAt(words, base) + 2 * pageCount(words, base)
}

/** Byte offset of the separators of an inner page; separator 0 is empty and stands for minus infinity. */
export function separatorsAt(words: Int32Array, base: number): number {
  return (headsAt(words, base) + 3 * pageCount(words, base)) * 4
}
