/**
 * The tier's own words in shared memory: who does what in the background, how far it is, and how much writers are slowed.
 *
 * Each line has one kind of writer, so that nobody's loads miss for what others count:
 *
 *   line  0  SETTINGS   generation, durability, groupMs, entries and bytes of the memtable: immutable after the opening
 *         1  FILE_ID    the next file id; taken by fetch-and-add
 *         2  of the log worker: ENTRIES committed, SERVED, bytes written to logs, syncs
 *         3  REQUESTS   those who want everything synced: counted up by anybody
 *         4  CLAIM      label + 1 of the maintainer; CAS
 *         5  of the maintainer: flushed so far, counts, bytes, the tables of each level
 *         6  BELL       the maintainer parks here
 *         7  DELAY      microseconds for which each write is held up (maintainer)
 *         8  SLOWED     writes that were; counted up by anybody
 *         9  PREPARED   id of an empty log, made ahead: stored by the maintainer, taken by the log worker by CAS
 *        10  FAILED     why the store must be read-only, 0 if it need not: stored by whoever finds that; never lowered
 *        11  WANTED     flushes asked for, compactions asked for: counted up by anybody
 *        12  ROTATE     id + 1 of the log that the maintainer wants ended
 *        13  (RESIDENCE: what is in memory only, see tree/residence.ts; placed by tier-layout.ts)
 *        14  KERNEL     the kernel's ids of the log worker and the maintainer, 0 if not known: stored by each when it starts
 *
 * Invariants: ids of files are never given out twice. ROTATE names the file it means, so a request that comes late, or
 * twice, or from one that died since, ends nothing else.
 *
 * Thread safety: any thread; words of one writer are stored only by the holder of the claim that goes with them.
 * Progress: wait-free. Death: leaves a claim, which the reap gives back, and ids that no file has.
 */
import { LINE_WORDS } from '../memory/layout.ts'
import { listen, park, ring } from '../memory/parking.ts'
import type { TierLayout } from './tier-layout.ts'

export const DURABILITIES = ['none', 'group', 'sync'] as const
export type Durability = (typeof DURABILITIES)[number]

const line = (index: number, word = 0): number => index * LINE_WORDS + word

const GENERATION = line(0)
const DURABILITY = line(0, 1)
const GROUP_MS = line(0, 2)
const MEMTABLE_ENTRIES = line(0, 3)
const MEMTABLE_BYTES = line(0, 4)
const FILE_ID = line(1)
const ENTRIES = line(2)
const SERVED = line(2, 1)
const LOGGED = line(2, 2)
const SYNCS = line(2, 4)
const ROTATED_ENTRIES = line(2, 5)
const REQUESTS = line(3)
const CLAIM = line(4)
const FLUSHED_POSITION = line(5)
const FLUSHED_ENTRIES = line(5, 1)
const COUNTS = line(5, 2)
const LEVELS = line(5, 16)
const BELL = line(6)
const DELAY = line(7)
const SLOWED = line(8)
const PREPARED = line(9)
const FAILED = line(10)
const WANTED_FLUSHES = line(11)
const WANTED_COMPACTIONS = line(11, 1)
const ROTATE = line(12)
const KERNEL = line(14)

/** Numbers of 53 bits that the maintainer counts, two words each. */
export const COUNT = {
  flushes: 0,
  compactions: 1,
  flushedBytes: 2,
  compactedBytes: 3,
  tableBytes: 4,
  failures: 5,
  tableEntries: 6,
} as const
/** Why a store is read-only. */
export const WHY = { log: 1, tables: 2, maintainer: 3 } as const
/** Levels whose number of tables is told. */
export const MOST_LEVELS = 8
const TWO_32 = 2 ** 32

/** What every thread needs to know. */
export interface TierSettings {
  readonly generation: number
  readonly durability: Durability
  readonly groupMs: number
  readonly memtableEntries: number
  readonly memtableBytes: number
}

export class TierWords {
  readonly settings: TierSettings
  private readonly words: Int32Array
  private readonly at: number

  constructor(words: Int32Array, layout: TierLayout) {
    this.words = words
    this.at = layout.linesAt
    this.settings = {
      generation: this.load(GENERATION) >>> 0,
      durability: DURABILITIES[this.load(DURABILITY)],
      groupMs: this.load(GROUP_MS),
      memtableEntries: this.load(MEMTABLE_ENTRIES),
      memtableBytes: this.load(MEMTABLE_BYTES) >>> 0,
    }
  }

  /** Writes the settings and the first file id, before there are other threads. */
  static init(words: Int32Array, layout: TierLayout, settings: TierSettings, nextFileId: number): void {
    const put = (word: number, value: number): void => void Atomics.store(words, layout.linesAt + word, value | 0)
    put(GENERATION, settings.generation)
    put(DURABILITY, DURABILITIES.indexOf(settings.durability))
    put(GROUP_MS, settings.groupMs)
    put(MEMTABLE_ENTRIES, settings.memtableEntries)
    put(MEMTABLE_BYTES, settings.memtableBytes)
    put(FILE_ID, nextFileId)
  }

  private load(word: number): number {
    return Atomics.load(this.words, this.at + word)
  }

  private store(word: number, value: number): void {
    Atomics.store(this.words, this.at + word, value)
  }

  private load53(word: number): number {
    return (this.load(word) >>> 0) + this.load(word + 1) * TWO_32
  }

  /** By the only one who writes it. Whoever reads meanwhile may get a number in between. */
  private add53(word: number, by: number): void {
    const value = this.load53(word) + by
    this.store(word + 1, Math.floor(value / TWO_32))
    this.store(word, value | 0)
  }

  /** A file id that nobody has or had. */
  takeFileId(): number {
    return Atomics.add(this.words, this.at + FILE_ID, 1)
  }

  /** What `takeFileId` would give: at least what the next file gets. */
  nextFileId(): number {
    return this.load(FILE_ID)
  }

  // The log worker's.

  /** Changes committed since the opening, modulo 2^32. */
  entries(): number {
    return this.load(ENTRIES)
  }

  addEntries(count: number): void {
    this.store(ENTRIES, (this.load(ENTRIES) + count) | 0)
  }

  /** Notes the changes that lie before the log which begins now. */
  markRotation(): void {
    this.store(ROTATED_ENTRIES, this.load(ENTRIES))
  }

  rotatedEntries(): number {
    return this.load(ROTATED_ENTRIES)
  }

  loggedBytes(): number {
    return this.load53(LOGGED)
  }

  addLogged(bytes: number): void {
    this.add53(LOGGED, bytes)
  }

  syncs(): number {
    return this.load(SYNCS) >>> 0
  }

  addSync(): void {
    this.store(SYNCS, (this.load(SYNCS) + 1) | 0)
  }

  /** Asks for everything to be synced. @returns the number that `served` reaches when it was tried */
  request(): number {
    return (Atomics.add(this.words, this.at + REQUESTS, 1) + 1) | 0
  }

  requests(): number {
    return this.load(REQUESTS)
  }

  /** Whether a request has been dealt with, whatever came of it. */
  isServed(request: number): boolean {
    return ((this.load(SERVED) - request) | 0) >= 0
  }

  serve(requests: number): void {
    this.store(SERVED, requests)
  }

  // The maintainer's.

  claim(label: number): boolean {
    return Atomics.compareExchange(this.words, this.at + CLAIM, 0, label + 1) === 0
  }

  /** Also what a reaper does for a dead one. Idempotent. */
  unclaim(label: number): boolean {
    return Atomics.compareExchange(this.words, this.at + CLAIM, label + 1, 0) === label + 1
  }

  isClaimed(): boolean {
    return this.load(CLAIM) !== 0
  }

  /** Position in the ring, and number of changes, up to which everything is in tables. */
  flushedPosition(): number {
    return this.load(FLUSHED_POSITION)
  }

  flushedEntries(): number {
    return this.load(FLUSHED_ENTRIES)
  }

  setFlushed(position: number, entries: number): void {
    this.store(FLUSHED_POSITION, position)
    this.store(FLUSHED_ENTRIES, entries | 0)
  }

  /** Changes in the logs that are in no table. */
  windowEntries(): number {
    return Math.max(0, (this.entries() - this.flushedEntries()) | 0)
  }

  count(which: number): number {
    return this.load53(COUNTS + 2 * which)
  }

  addCount(which: number, by: number): void {
    this.add53(COUNTS + 2 * which, by)
  }

  /** Tells which tables there are, by level. */
  setTables(levels: readonly (readonly { readonly bytes: number; readonly entries: number }[])[]): void {
    for (let level = 0; level < MOST_LEVELS; level++) this.store(LEVELS + level, levels[level]?.length ?? 0)
    const all = levels.flat()
    const sum = (which: 'bytes' | 'entries'): number => all.reduce((total, table) => total + table[which], 0)
    this.addCount(COUNT.tableBytes, sum('bytes') - this.count(COUNT.tableBytes))
    this.addCount(COUNT.tableEntries, sum('entries') - this.count(COUNT.tableEntries))
  }

  tablesOf(level: number): number {
    return this.load(LEVELS + level)
  }

  listen(): number {
    return listen(this.words, this.at + BELL)
  }

  park(heard: number, budgetMs: number): void {
    park(this.words, this.at + BELL, heard, budgetMs)
  }

  /** Wakes the maintainer. */
  ring(): void {
    ring(this.words, this.at + BELL)
  }

  delay(): number {
    return this.load(DELAY)
  }

  setDelay(microseconds: number): void {
    this.store(DELAY, microseconds)
  }

  /** Holds the calling writer up. */
  holdUp(milliseconds: number): void {
    Atomics.add(this.words, this.at + SLOWED, 1)
    park(this.words, this.at + SLOWED + 1, 0, milliseconds)
  }

  slowed(): number {
    return this.load(SLOWED) >>> 0
  }

  prepared(): number {
    return this.load(PREPARED)
  }

  setPrepared(id: number): void {
    this.store(PREPARED, id)
  }

  /** Takes the log that was made ahead. @returns its id, or 0 */
  takePrepared(): number {
    const id = this.load(PREPARED)
    return id !== 0 && Atomics.compareExchange(this.words, this.at + PREPARED, id, 0) === id ? id : 0
  }

  hasFailed(): boolean {
    return this.load(FAILED) !== 0
  }

  /** Why it has failed, one of WHY, or more (failure-cause.ts); 0 if it has not. */
  failure(): number {
    return this.load(FAILED)
  }

  /** The store must be read-only. The first reason stays. */
  fail(reason: number): void {
    Atomics.compareExchange(this.words, this.at + FAILED, 0, reason)
  }

  wantFlush(): void {
    Atomics.add(this.words, this.at + WANTED_FLUSHES, 1)
  }

  wantedFlushes(): number {
    return this.load(WANTED_FLUSHES)
  }

  wantCompaction(): void {
    Atomics.add(this.words, this.at + WANTED_COMPACTIONS, 1)
  }

  wantedCompactions(): number {
    return this.load(WANTED_COMPACTIONS)
  }

  /** The kernel's id of a background thread: 0 the log worker, 1 the maintainer. */
  kernelThread(which: number): number {
    return this.load(KERNEL + which)
  }

  setKernelThread(which: number, id: number): void {
    this.store(KERNEL + which, id)
  }

  /** Asks for the end of a log. */
  askRotation(id: number): void {
    this.store(ROTATE, id + 1)
  }

  isToRotate(id: number): boolean {
    return this.load(ROTATE) === id + 1
  }
}
