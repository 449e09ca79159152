import type { DemoOptions } from '../demo.ts'
import { bytes, counted, grouped, seconds, table } from '../format.ts'
import { Screen } from '../screen.ts'
import { isBadOption, isFull, openText, type TextStore } from '../text-store.ts'
import { UsageError } from '../usage-error.ts'
import {
  checkHalf,
  compare,
  Complaints,
  countPlainly,
  deleteHalf,
  rankWords,
  topWords,
  type Ranked,
  type Reference,
} from './check.ts'
import { countWithWorkers, type Counted } from './count.ts'
import { changedFiles, defaultRoot, LARGEST_FILE, listFiles, namedRoot, type Listing } from './files.ts'

const TOP_WORDS = 10
const SEED = 1
const LEAST_MEMORY = 256 * 2 ** 20
const MOST_MEMORY = 2 * 2 ** 30
const MEMORY_PER_BYTE = 16

/** The whole demo; its exit code. */
export async function runDemo(options: DemoOptions, screen: Screen = new Screen()): Promise<number> {
  const root = options.directory === undefined ? defaultRoot() : namedRoot(options.directory)
  if (options.memory !== undefined) openStore(options.memory).close()
  const listing = listFiles(root, options.directory !== undefined, options.text)
  if (listing.files.length === 0) throw new UsageError(`there is no text below ${root}`)
  for (const line of describe(listing)) screen.line(line)
  const memory = options.memory ?? memoryFor(listing.bytes)
  try {
    const complaints = new Complaints()
    const report = await work(listing, options.workers, memory, screen, complaints)
    if (options.workers > 1) screen.line()
    for (const line of table(report)) screen.line(line)
    return conclude(listing, complaints, screen)
  } catch (error) {
    if (!isFull(error)) throw error
    screen.line(
      `The store is full: ${bytes(memory)} are too little for this text. Try --memory ${Math.ceil(memory / 2 ** 19)}m.`,
    )
    return 1
  }
}

function openStore(memory: number): TextStore {
  try {
    return openText({ memory })
  } catch (error) {
    if (isBadOption(error)) throw new UsageError(error.message)
    throw error
  }
}

function memoryFor(text: number): number {
  const wanted = Math.min(MOST_MEMORY, Math.max(LEAST_MEMORY, text * MEMORY_PER_BYTE))
  return Math.ceil(wanted / 2 ** 20) * 2 ** 20
}

function describe(listing: Listing): string[] {
  const lines = [`${counted(listing.files.length, 'file')}, ${bytes(listing.bytes)} of text below ${listing.root}`]
  if (listing.bytes < listing.foundBytes && listing.files.length < listing.foundFiles) {
    const all = `${counted(listing.foundFiles, 'file')}, ${bytes(listing.foundBytes)}`
    lines.push(`  a fixed selection of the ${all} found there; --text all reads everything`)
  }
  if (listing.cut) lines.push('  the search was ended early: there are too many files')
  const { large, binary, unreadable } = listing.leftOut
  const reasons = [`${grouped(large)} over ${bytes(LARGEST_FILE)}`, `${grouped(binary)} binary`]
  if (unreadable > 0) reasons.push(`${grouped(unreadable)} unreadable`)
  if (large + binary + unreadable > 0) lines.push(`  left out: ${reasons.join(', ')}`)
  return lines
}

type Row = readonly [string, string]

/** Both timed runs, the checks, and what there is to tell about them. */
async function work(
  listing: Listing,
  workers: number,
  memory: number,
  screen: Screen,
  complaints: Complaints,
): Promise<Row[]> {
  let reference: Reference | undefined
  let alone: Counted | undefined
  if (workers > 1) {
    const store = openStore(memory)
    try {
      alone = await countWithWorkers(store, listing.files, 1, screen)
      tellSpeed(alone, 1, screen)
      reference = plainly(listing, screen)
      compare(store, reference, complaints)
    } finally {
      store.close()
    }
  }
  const store = openStore(memory)
  try {
    const together = await countWithWorkers(store, listing.files, workers, screen)
    tellSpeed(together, workers, screen)
    reference ??= plainly(listing, screen)
    return finish(store, { workers, alone: alone ?? together, together, reference }, screen, complaints)
  } finally {
    store.close()
  }
}

function tellSpeed(run: Counted, workers: number, screen: Screen): void {
  const rate = `${grouped(run.operations / run.seconds)} operations/s`
  screen.line(`${counted(workers, 'worker')}: ${counted(run.words, 'word')} in ${seconds(run.seconds)} s, ${rate}`)
}

function plainly(listing: Listing, screen: Screen): Reference {
  const from = performance.now()
  const reference = countPlainly(listing.files)
  screen.line(`one plain Map: the same in ${seconds((performance.now() - from) / 1000)} s`)
  return reference
}

interface Runs {
  readonly workers: number
  readonly alone: Counted
  readonly together: Counted
  readonly reference: Reference
}

/** What is done with the full store when the workers are gone. */
function finish(store: TextStore, runs: Runs, screen: Screen, complaints: Complaints): Row[] {
  const { workers, alone, together, reference } = runs
  compare(store, reference, complaints)
  if (together.words !== reference.words)
    complaints.add(`the workers saw ${together.words} words of ${reference.words}`)
  const verdict = complaints.count === 0 ? 'every count agrees' : 'the counts disagree'
  screen.line(`${counted(reference.counts.size, 'different word')}: ${verdict} with the plain Map`)

  rankWords(store)
  tellTop(topWords(store, TOP_WORDS, reference, complaints), screen)

  const entries = store.size
  const full = store.stats()
  const deleted = deleteHalf(store, SEED, complaints)
  store.drain()
  const verified = store.verify()
  checkHalf(store, SEED, entries - deleted, reference, complaints)
  for (const problem of verified.problems) complaints.add(problem)
  if (!verified.ok && verified.problems.length === 0) complaints.add('verify() finds the store damaged')
  const leaked = verified.leakedWords + verified.leakedPageIds
  if (leaked > 0) complaints.add(`${leaked} words and page ids have leaked`)
  const stats = store.stats()
  return [
    ['files', grouped(together.files)],
    ['words', grouped(together.words)],
    ['entries', grouped(entries)],
    ['entries after deleting a half', grouped(verified.entries)],
    ['seconds, 1 worker', seconds(alone.seconds)],
    ...(workers > 1 ? [[`seconds, ${workers} workers`, seconds(together.seconds)] as const] : []),
    ['operations/s, 1 worker', grouped(alone.operations / alone.seconds)],
    ...(workers > 1
      ? [[`operations/s, ${workers} workers`, grouped(together.operations / together.seconds)] as const]
      : []),
    ['pages', grouped(full.pages)],
    ['pages after deleting a half', grouped(verified.pages)],
    ['splits', grouped(stats.splits)],
    ['merges', grouped(stats.merges)],
    ['page ids retired', grouped(stats.pageIdsRetired)],
    ['page ids reused', grouped(stats.pageIdsReused)],
    ['segments cleaned', grouped(stats.segmentsCleaned)],
    ['bytes live', bytes(full.bytesLive)],
    ['bytes live after deleting a half', bytes(stats.bytesLive)],
    ['leaked', grouped(leaked)],
  ]
}

function tellTop(top: readonly Ranked[], screen: Screen): void {
  screen.line('top words, by a scan of the count-ordered index:')
  screen.line(`  ${top.map(({ word, count }) => `${word} ${grouped(count)}`).join(', ')}`)
}

/** The last line, and the exit code. */
function conclude(listing: Listing, complaints: Complaints, screen: Screen): number {
  screen.line()
  if (complaints.count === 0) {
    screen.line('Everything agrees: counts, index, top words, deletion, verify; nothing leaked.')
    return 0
  }
  screen.line(`${counted(complaints.count, 'disagreement')}:`)
  for (const text of complaints.told) screen.line(`  ${text}`)
  if (complaints.count > complaints.told.length) screen.line('  ...')
  const changed = changedFiles(listing.files)
  if (changed.length > 0) {
    screen.line(
      `${counted(changed.length, 'file')} changed meanwhile (${changed[0]}): the counts cannot agree. Run again.`,
    )
  }
  return 1
}
