/**
 * What the cleaner costs: random overwrites in steady state while the live data takes 50, 70, 80, 90 % of the words of all
 * segments, with the background cleaner and without it (the writer cleans then), beside the same records in an arena that
 * is nearly empty and has no background cleaner.
 *
 *   npm run bench:cleaning -- [--memory-mib 64] [--utilisations 50,70,80,90] [--rounds 7] [--turns 2] [--json file]
 *
 * A write that comes back with HEDDLE_FULL is counted as refused, and the next key is tried; the count is of all writes,
 * those that fill the arena included.
 *
 * Before anything is measured the log is written over `--turns` times, so that all segments are at the share of live words
 * that this way of cleaning gives them. Then rounds of the two arenas take turns; the throughput is the median of the paired
 * ratios. One writer. With the background cleaner a second thread works beside it, which CPU seconds show.
 *
 * Words copied per word written is what the cleaner moved (`relocatedWords` of stats()) over what the overwrites appended:
 * their number times the words of a record, which an overwrite that adds a record shows. Overwriting changes nothing in the
 * pages, so records are all that is written, but for what the cleaner itself moves.
 *
 * Beside it stands u / (1 - u), after Rosenblum and Ousterhout (1991): what is copied for each word made free if every
 * segment that is cleaned has the live share u of the whole. Choosing victims well stays below it, since segments are not
 * all equally full. It stands in for the curve of RAMCloud (Rumble et al., "Log-structured Memory for DRAM-based Storage",
 * FAST '14), which is published as a figure, for a server with a network and backups on disk; no numbers are read off it
 * here. In words they say that one server does 270,000 to 410,000 durable writes of 100 bytes a second at 90 %.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Store } from '../src/index.ts'
import { drawStrings } from './draws.ts'
import { describeMachine } from './machine.ts'
import { keyOf, value } from './load.ts'
import { loadModule } from './modules.ts'
import { median, pairedRatio, spread } from './statistics.ts'
import type { Curve, Report, Series } from './report.ts'
import { formatTable, short } from './table.ts'

const { values: options } = parseArgs({
  options: {
    'memory-mib': { type: 'string', default: '64' },
    utilisations: { type: 'string', default: '50,70,80,90' },
    rounds: { type: 'string', default: '7' },
    turns: { type: 'string', default: '2' },
    json: { type: 'string' },
  },
})
const memoryBytes = Number(options['memory-mib']) * 2 ** 20
const utilisations = options.utilisations.split(',').map((percent) => Number(percent) / 100)
const rounds = Number(options.rounds)
const turns = Number(options.turns)

/** How much larger the arena is that is nearly empty. */
const ROOMY = 8
const LOAD_STEP = 1000
const LOAD_TRIES = 100
const DRAWN = 10_000
/** What is written in a round, as a part of the log. */
const ROUND_SHARE = 0.25

const { open } = await loadModule('index')

/** A store under steady overwriting. */
class Bench {
  readonly store: Store<string, Uint8Array>
  readonly totalWords: number
  records = 0
  /** Writes that came back with HEDDLE_FULL. */
  refused = 0
  private seed = 1

  constructor(bytes: number, hasCleaner: boolean) {
    // Segments of the same size in both arenas, although the default goes by the arena's.
    const segmentWords = Math.max(4096, 2 ** Math.floor(Math.log2(memoryBytes / 4 / 1024)))
    this.store = open({ memory: bytes, values: 'binary', cleaner: hasCleaner, tuning: { segmentWords } })
    const { segments } = this.store.stats()
    this.totalWords = segments * segmentWords
  }

  get liveShare(): number {
    return this.store.stats().liveWords / this.totalWords
  }

  loadUpTo(share: number): void {
    while (this.liveShare < share) this.load(this.records + LOAD_STEP)
  }

  load(records: number): void {
    for (let tries = 0; this.records < records;) {
      if (this.tries(keyOf(this.records))) {
        this.records++
        tries = 0
      } else if (tries++ > LOAD_TRIES) throw new Error(`no more than ${this.records} records can be loaded`)
    }
  }

  /** Sets a key, unless the store says that it is full. */
  private tries(key: string): boolean {
    try {
      this.store.set(key, value)
      return true
    } catch (error) {
      if ((error as { code?: string }).code !== 'HEDDLE_FULL') throw error
      this.refused++
      return false
    }
  }

  /** @returns ns per overwrite; the keys are made outside of the time taken */
  overwrite(count: number): number {
    let ns = 0
    for (let done = 0; done < count; done += DRAWN) {
      const keys = drawStrings(Math.min(DRAWN, count - done), this.seed++, this.records)
      const begin = process.hrtime.bigint()
      for (const key of keys) this.tries(key)
      ns += Number(process.hrtime.bigint() - begin)
    }
    return ns / count
  }
}

/** Words that one record takes in the log: what a second key adds to the live words of a small store. */
function wordsOfRecord(): number {
  const store = open({ memory: 2 ** 20, values: 'binary', cleaner: false })
  store.set(keyOf(0), value)
  const before = store.stats().liveWords
  store.set(keyOf(1), value)
  const words = store.stats().liveWords - before
  store.close()
  return words
}

const recordWords = wordsOfRecord()

interface Result {
  readonly utilisation: number
  readonly hasCleaner: boolean
  readonly perSecond: number
  readonly relative: number
  readonly spread: number
  readonly copied: number
  readonly appended: number
  readonly cpuSecondsPerMillion: number
  /** Writes that came back with HEDDLE_FULL, those before the measured rounds included. */
  readonly refused: number
}

function measure(utilisation: number, hasCleaner: boolean): Result {
  const tight = new Bench(memoryBytes, hasCleaner)
  tight.loadUpTo(utilisation)
  // Never with a cleaner beside it, which would work although there is no need, and take the other one's time.
  const roomy = new Bench(ROOMY * memoryBytes, false)
  roomy.load(tight.records)
  const logRecords = Math.ceil(tight.totalWords / recordWords)
  tight.overwrite(turns * logRecords)
  // Until its segments have all been used once: fresh memory costs what the system takes to give it.
  roomy.overwrite(ROOMY * logRecords)
  const count = Math.ceil(logRecords * ROUND_SHARE)
  const ours: number[] = []
  const free: number[] = []
  let cpu = 0
  const before = tight.store.stats()
  const refusedBefore = tight.refused
  for (let round = 0; round < rounds; round++) {
    const cpuBefore = process.cpuUsage()
    ours.push(tight.overwrite(count))
    const { user, system } = process.cpuUsage(cpuBefore)
    cpu += (user + system) / 1e6
    free.push(roomy.overwrite(count))
  }
  const after = tight.store.stats()
  const refused = tight.refused - refusedBefore
  const written = (rounds * count - refused) * recordWords
  const copiedWords = (after.relocatedWords - before.relocatedWords) >>> 0
  const appendedWords = ((after.segmentsOpened - before.segmentsOpened) >>> 0) * after.segmentWords
  if (after.entries !== tight.records) throw new Error('entries were lost')
  tight.store.close()
  roomy.store.close()
  return {
    utilisation,
    hasCleaner,
    perSecond: 1e9 / median(ours),
    relative: pairedRatio(free, ours)!,
    spread: spread(ours),
    copied: copiedWords / written,
    appended: appendedWords / written,
    cpuSecondsPerMillion: (cpu / (rounds * count)) * 1e6,
    refused: tight.refused,
  }
}

/** Words copied for each word made free if every victim has the share of live words of the whole. */
function bound(utilisation: number): number {
  return utilisation / (1 - utilisation)
}

function modeName(hasCleaner: boolean): string {
  return hasCleaner ? 'heddle, background cleaner' : 'heddle, writer cleans'
}

const results: Result[] = []
for (const hasCleaner of [true, false]) {
  for (const utilisation of utilisations) {
    if (process.stderr.isTTY)
      process.stderr.write(`\r\x1b[K${modeName(hasCleaner)}, ${(utilisation * 100).toFixed(0)} %`)
    results.push(measure(utilisation, hasCleaner))
  }
}
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')

function seriesOf(value: (result: Result) => number): Series[] {
  return [true, false].map((hasCleaner) => ({
    name: modeName(hasCleaner),
    points: results
      .filter((result) => result.hasCleaner === hasCleaner)
      .map((result) => ({ x: result.utilisation * 100, y: value(result) })),
  }))
}

const rows = results.map((result) => [
  `${modeName(result.hasCleaner)}, ${(result.utilisation * 100).toFixed(0)} %`,
  short(result.perSecond / 1e6),
  result.relative.toFixed(2),
  `${(result.spread * 100).toFixed(0)} %`,
  result.copied.toFixed(2),
  bound(result.utilisation).toFixed(2),
  result.appended.toFixed(2),
  result.cpuSecondsPerMillion.toFixed(2),
  String(result.refused),
])
const header = [
  '',
  'M/s',
  'of nearly empty',
  'spread',
  'copied/written',
  'u/(1-u)',
  'appended/written',
  'CPU s/million',
  'refused',
]
console.log(formatTable(header, rows))
const x = 'utilisation, %'
const limit: Series = {
  name: 'u / (1 - u)',
  points: utilisations.map((utilisation) => ({ x: utilisation * 100, y: bound(utilisation) })),
}
const curves: Curve[] = [
  {
    name: 'cleaning, throughput',
    x,
    y: 'of that in a nearly empty arena',
    logarithmic: false,
    series: seriesOf(({ relative }) => relative),
  },
  {
    name: 'cleaning, words copied',
    x,
    y: 'words copied per word written',
    logarithmic: false,
    series: [...seriesOf(({ copied }) => copied), limit],
  },
]
const report: Report = { machine: describeMachine([]), options, rows: [], footprints: [], curves }
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`)
