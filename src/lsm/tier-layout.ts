/**
 * Where the parts of the durable tier lie in its words of the arena: a head, the shared log, the catalog, the block cache.
 *
 *   head   0-7 the sizes below, immutable once the handle is given away; then words of the tier, each alone on its line
 *
 * Thread safety: pure but for `writeTierHead`, which the opener calls before there are others.
 */
import type { Arena } from '../memory/arena.ts'
import { LINE_WORDS } from '../memory/layout.ts'
import { type CacheGeometry, placeCache } from './block-cache.ts'
import { type CatalogGeometry, placeCatalog } from './catalog.ts'
import { SharedLog } from './shared-log.ts'

/** Sizes of the tier's parts. */
export interface TierGeometry {
  /** Granules of the shared log, a power of two. */
  readonly ringGranules: number
  /** Versions of the catalog that can exist at a time, and bytes of the largest. */
  readonly versions: number
  readonly versionBytes: number
  /** Bytes of the block cache, and of the largest block in it. */
  readonly cacheBytes: number
  readonly blockBytes: number
}

export interface TierLayout extends TierGeometry {
  /** First word of the tier's own words: line i is at `linesAt + i * LINE_WORDS`. */
  readonly linesAt: number
  readonly logAt: number
  readonly catalog: CatalogGeometry
  readonly cache: CacheGeometry
  /** One past the last word. */
  readonly end: number
}

/** Lines of the head that the tier has for words of its own. */
export const TIER_LINES = 15
/** The line of the tree's own words about what is below it (tree/residence.ts): the tier only gives them a place. */
const RESIDENCE_LINE = 13
const HEAD_WORDS = (1 + TIER_LINES) * LINE_WORDS

function alignUp(word: number): number {
  return Math.ceil(word / LINE_WORDS) * LINE_WORDS
}

/** Places the parts from word `at` on, which must be a multiple of LINE_WORDS. */
export function placeTier(at: number, participants: number, geometry: TierGeometry): TierLayout {
  const linesAt = at + LINE_WORDS
  const logAt = at + HEAD_WORDS
  const catalogAt = alignUp(logAt + SharedLog.wordsFor(geometry.ringGranules))
  const catalog = placeCatalog(catalogAt, participants, geometry.versions, geometry.versionBytes)
  const cache = placeCache(alignUp(catalog.end), geometry.cacheBytes, geometry.blockBytes)
  return Object.freeze({ ...geometry, linesAt, logAt, catalog, cache, end: alignUp(cache.end) })
}

/** The words of a tree's Residence, 0 in an arena without a tier. */
export function residenceAt({ layout }: Arena): number {
  return layout.tierWords === 0 ? 0 : layout.tierAt + (1 + RESIDENCE_LINE) * LINE_WORDS
}

/** Words that a tier takes. */
export function tierWordsFor(participants: number, geometry: TierGeometry): number {
  return placeTier(0, participants, geometry).end
}

/** Writes the sizes, so that other threads can place the parts. */
export function writeTierHead(arena: Arena, geometry: TierGeometry): void {
  const { words, layout } = arena
  const at = layout.tierAt
  words[at] = geometry.ringGranules
  words[at + 1] = geometry.versions
  words[at + 2] = geometry.versionBytes
  words[at + 3] = geometry.cacheBytes
  words[at + 4] = geometry.blockBytes
}

/** The tier's parts in an arena that has one. Plain loads: written before the handle was given away. */
export function tierLayoutOf(arena: Arena): TierLayout {
  const { words, layout } = arena
  const at = layout.tierAt
  return placeTier(at, layout.maxParticipants, {
    ringGranules: words[at],
    versions: words[at + 1],
    versionBytes: words[at + 2],
    cacheBytes: words[at + 3],
    blockBytes: words[at + 4],
  })
}
