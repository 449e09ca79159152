/**
 * Verification of the whole structure, and the leak check: every word of every segment and every page id is reachable,
 * free, waiting for its epoch, held by a live participant, or leaked. Exact when nobody writes meanwhile.
 */
import { KIND_EXTENT_RECORD, isBlock, isDead, keyBytesOf, kindOf, wordsOf } from '../log/block.ts'
import { BASE_EXTRA, BASE_ID, BASE_SHAPE, countOf, levelOf, slotsOf } from '../pagecache/base.ts'
import { FRAGMENT_MASK, SEALED } from '../pagecache/fragment.ts'
import { ADDRESS_MASK, REMOVED, ROOT } from '../pagecache/page-table.ts'
import { FRESH, isClaimable, isHeld, isRetired } from '../reclaim/ownership.ts'
import { compareBytes, headAt } from './key.ts'
import {
  COLLAPSE,
  NO_FENCE,
  childrenAt,
  endsAt,
  headsAt,
  highAt,
  highBytes,
  lowAt,
  lowBytes,
  pageCount,
  pageLevel,
  pageRight,
  prefixBytes,
  separatorsAt,
} from './page.ts'
import { DeathLedger } from '../reclaim/death-ledger.ts'
import { extentListAt, recordKeyAt } from './record.ts'
import { ANCIENT, STAMPED, STAMP_MASK } from './stamp.ts'
import type { Tree } from './tree.ts'

export interface TreeReport {
  problems: string[]
  entries: number
  /** Versions that are kept behind those that are seen now, and deleted keys. */
  kept: number
  pages: number
  height: number
  /** Words of blocks that the tree leads to. */
  reachableWords: number
  /** Words of complete blocks that nothing leads to and nobody has accounted for. */
  leakedWords: number
  /** Page ids that are neither in the tree nor free, waiting or held. */
  leakedPageIds: number
  /** Page ids and segments waiting for their epoch. */
  waitingPageIds: number
  waitingSegments: number
  /** As leaked words, left by a death, but in segments that other threads have open: swept when those are sealed. */
  waitingWords: number
}

const MOST_PROBLEMS = 20

export class Verifier {
  private readonly tree: Tree
  private readonly words: Int32Array
  private readonly bytes: Uint8Array
  private readonly reached = new Set<number>()
  private readonly ids = new Set<number>()
  /** Pages that are being merged away, with their bases: they may have left the chain already. */
  private readonly merging = new Map<number, number>()
  private report: TreeReport = emptyReport()

  constructor(tree: Tree) {
    this.tree = tree
    this.words = tree.context.arena.words
    this.bytes = tree.context.arena.bytes
  }

  /** Checks everything. The caller is pinned. O(n) time and memory. */
  verify(): TreeReport {
    this.reached.clear()
    this.ids.clear()
    this.merging.clear()
    this.report = emptyReport()
    const root = this.tree.context.table.load(ROOT)
    if (root <= 0 || root >= REMOVED) this.problem('the root page is not there')
    else {
      this.report.height = pageLevel(this.words, root) + 1
      let first = ROOT
      for (let level = this.report.height - 1; level >= 0 && first !== 0; level--)
        first = this.verifyLevel(first, level)
    }
    for (const [id, base] of this.merging) {
      if (this.ids.has(id)) continue
      this.ids.add(id)
      this.reached.add(base)
    }
    this.countIds()
    this.countWords()
    return this.report
  }

  private problem(text: string): void {
    if (this.report.problems.length < MOST_PROBLEMS) this.report.problems.push(text)
  }

  private compare(aAt: number, aLength: number, bAt: number, bLength: number): number {
    return compareBytes(this.bytes, aAt, aLength, bAt, bLength)
  }

  /** Walks a level from its first page. @returns the first page of the level below, 0 for leaves */
  private verifyLevel(first: number, level: number): number {
    const { words } = this
    let below = 0
    let previous = 0
    for (let id = first; id !== 0;) {
      const word = this.tree.context.table.load(id)
      if (word <= 0 || this.ids.has(id)) {
        this.problem(`page ${id} of level ${level} is linked, but it is ${word <= 0 ? 'not there' : 'met twice'}`)
        return below
      }
      const base = word & ADDRESS_MASK
      this.ids.add(id)
      this.reach(base, `page ${id}`)
      this.report.pages++
      this.checkPage(id, base, level, previous)
      // The root was split or collapsed meanwhile: as a page of this level it has no meaning.
      if (levelOf(words[base + BASE_SHAPE]) !== level) return below
      if (level > 0) {
        this.checkInner(id, base)
        if (below === 0) below = words[childrenAt(words, base)]
      } else this.checkLeaf(id, base)
      previous = base
      id = pageRight(words, base)
    }
    if (previous !== 0 && highBytes(words, previous) !== NO_FENCE) {
      this.problem(`the last page of level ${level} has a high fence`)
    }
    return below
  }

  private checkPage(id: number, base: number, level: number, previous: number): void {
    const { words } = this
    if (words[base + BASE_ID] !== id)
      this.problem(`page ${id} has a base that belongs to page ${words[base + BASE_ID]}`)
    if (levelOf(words[base + BASE_SHAPE]) !== level) this.problem(`page ${id} is not of level ${level}`)
    const low = lowBytes(words, base)
    if (previous === 0) {
      if (low !== 0) this.problem(`the first page of level ${level} has a low fence`)
      return
    }
    const high = highBytes(words, previous)
    if (high === NO_FENCE || this.compare(highAt(previous), high, lowAt(words, base), low) !== 0) {
      this.problem(`page ${id} does not begin where its left neighbour ends`)
    }
  }

  private checkInner(id: number, base: number): void {
    const { words } = this
    const count = pageCount(words, base)
    const children = childrenAt(words, base)
    const ends = endsAt(words, base)
    const separators = separatorsAt(words, base)
    const merge = words[base + BASE_EXTRA]
    if (count === 0) this.problem(`inner page ${id} has no child`)
    for (let i = 0; i < count; i++) {
      const word = this.tree.context.table.load(words[children + i])
      if (word <= 0) {
        this.problem(`inner page ${id} names page ${words[children + i]}, which is not there`)
        continue
      }
      const child = word & ADDRESS_MASK
      if (i === merge || merge === COLLAPSE) this.reachMerging(words[children + i], child)
      const start = i === 0 ? 0 : words[ends + i - 1]
      const at = i === 0 ? lowAt(words, base) : separators + start
      const length = i === 0 ? lowBytes(words, base) : words[ends + i] - start
      if (this.compare(at, length, lowAt(words, child), lowBytes(words, child)) !== 0) {
        this.problem(`child ${i} of inner page ${id} does not begin at its separator`)
      }
      if (i > 1) this.checkOrder(id, separators, ends, i)
    }
  }

  private checkOrder(id: number, separators: number, ends: number, i: number): void {
    const { words } = this
    const before = words[ends + i - 2]
    const start = words[ends + i - 1]
    if (this.compare(separators + before, start - before, separators + start, words[ends + i] - start) >= 0) {
      this.problem(`the separators of inner page ${id} are out of order`)
    }
  }

  /** A page that is being merged may have left the chain already; it is not leaked. */
  private reachMerging(id: number, base: number): void {
    if (this.tree.context.table.load(id) < REMOVED) return
    this.merging.set(id, base)
  }

  private checkLeaf(id: number, base: number): void {
    const { words } = this
    const count = countOf(words[base + BASE_SHAPE])
    const slots = slotsOf(words[base + BASE_SHAPE])
    const heads = headsAt(words, base)
    const prefix = prefixBytes(words, base)
    let previous = 0
    for (let i = 0; i < count; i++) {
      const record = Atomics.load(words, heads + count + i) & FRAGMENT_MASK
      if (record === 0) continue
      this.checkChain(id, base, Atomics.load(words, heads + count + i))
      const key = recordKeyAt(record)
      const length = keyBytesOf(Atomics.load(words, record))
      if (words[heads + i] !== headAt(this.bytes, key, length, prefix)) this.problem(`a head of leaf ${id} is wrong`)
      if (previous !== 0 && this.tree.search.compareRecords(previous, record) >= 0) {
        this.problem(`the entries of leaf ${id} are out of order`)
      }
      previous = record
    }
    const { image } = this.tree
    for (let i = 0; i < slots; i++) {
      const word = Atomics.load(words, heads + 2 * count + i)
      if (word === 0 || word === SEALED) break
      if ((word & FRAGMENT_MASK) !== 0) this.checkChain(id, base, word)
    }
    image.clear()
    image.gather(base, null)
    for (let i = 1; i < image.count; i++) {
      if (this.tree.search.compareRecords(image.records[i - 1], image.records[i]) >= 0) {
        this.problem(`leaf ${id} holds a key twice`)
      }
    }
  }

  /** Checks what a word leads to, and the versions behind it. */
  private checkChain(id: number, base: number, word: number): void {
    const { versions, clock } = this.tree.context
    const now = versions.current(word)
    let newer = clock.version()
    for (let record = word & FRAGMENT_MASK; record !== 0;) {
      this.checkRecord(id, base, record)
      if (record === now) this.report.entries++
      else this.report.kept++
      const version = versions.stamp(record)
      // What stands behind an ANCIENT one is seen by nobody; its own stamp may be too old to be compared.
      if (version >= STAMPED && (version & ANCIENT) === 0 && (newer & ANCIENT) === 0) {
        if (clock.precedes(newer & STAMP_MASK, version & STAMP_MASK))
          this.problem(`a key of leaf ${id} has versions out of order`)
      }
      if (version >= STAMPED && (newer & ANCIENT) === 0) newer = version
      record = versions.behind(record, version)
    }
  }

  private checkRecord(id: number, base: number, record: number): void {
    const { words } = this
    const header = Atomics.load(words, record)
    this.reach(record, `a record of leaf ${id}`)
    const at = recordKeyAt(record)
    const length = keyBytesOf(header)
    const high = highBytes(words, base)
    if (this.compare(at, length, lowAt(words, base), lowBytes(words, base)) < 0) {
      this.problem(`leaf ${id} holds a key below its low fence`)
    }
    if (high !== NO_FENCE && this.compare(at, length, highAt(base), high) >= 0) {
      this.problem(`leaf ${id} holds a key at or past its high fence`)
    }
    if (kindOf(header) !== KIND_EXTENT_RECORD) return
    const list = extentListAt(record, header)
    for (let i = 0; i < words[list + 1]; i++) this.reach(words[list + 2 + i], `an extent of leaf ${id}`)
  }

  private reach(block: number, what: string): void {
    const header = Atomics.load(this.words, block)
    if (!isBlock(header) || isDead(header)) this.problem(`${what} at word ${block} is dead or no block at all`)
    if (this.reached.has(block)) this.problem(`${what} at word ${block} is reachable twice`)
    this.reached.add(block)
    this.report.reachableWords += wordsOf(header)
  }

  private countIds(): void {
    const { table } = this.tree.context
    const listed = table.list.members()
    for (let id = table.list.first; id < table.list.used(); id++) {
      const word = table.load(id)
      if (isRetired(word)) this.report.waitingPageIds++
      else if (isClaimable(word)) this.report.leakedPageIds += listed.has(id) || table.list.contains(id) ? 0 : 1
      else if (word === FRESH || isHeld(word) || this.ids.has(id)) continue
      else this.report.leakedPageIds++
    }
  }

  private countWords(): void {
    const { log, arena, me } = this.tree.context
    const { segments } = log
    const isSwept = new DeathLedger(arena).isSwept()
    for (let segment = segments.first; segment < segments.used(); segment++) {
      if (segments.isRetired(segment)) this.report.waitingSegments++
      if (!segments.isSealed(segment) && !segments.isOpen(segment)) continue
      const start = segments.start(segment)
      const end = start + segments.walkUsed(segment)
      const isWaiting = !isSwept && segments.isOpen(segment) && segments.holder(segment) !== me.label
      for (let at = start; at < end;) {
        const header = Atomics.load(this.words, at)
        if (wordsOf(header) === 0) {
          // At rest there is no hole. Its writer has given back the end of the segment, or not yet begun to fill it.
          this.problem(`segment ${segment} has a hole at word ${at}`)
          break
        }
        if (!isDead(header) && !this.reached.has(at)) {
          if (isWaiting) this.report.waitingWords += wordsOf(header)
          else this.report.leakedWords += wordsOf(header)
        }
        at += wordsOf(header)
      }
    }
  }
}

function emptyReport(): TreeReport {
  return {
    problems: [],
    entries: 0,
    kept: 0,
    pages: 0,
    height: 0,
    reachableWords: 0,
    leakedWords: 0,
    leakedPageIds: 0,
    waitingPageIds: 0,
    waitingSegments: 0,
    waitingWords: 0,
  }
}
