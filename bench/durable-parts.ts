/** What the durable measurement consists of, and its options. */
import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { findEntry } from './engines/catalog.ts'
import { whole } from './options.ts'

/** A column of a part that is measured in turns: a workload with so many workers, its rate, its latencies, or both. */
export interface Measure {
  readonly workload: string
  readonly workers: number
  /** The rate's name; null if only the latencies are shown. The unit is in it. */
  readonly rate: string | null
  /** What the rate is divided by. */
  readonly per: number
  /** What p50 and p99 are of, if they are shown. */
  readonly latency: string | null
}

export interface Part {
  readonly name: string
  readonly title: string
  readonly engines: readonly string[]
  /** More than these are not loaded for it. */
  readonly mostRecords: number
  /** Share of the data that the engine's memory is to hold; null is all of it, and room. */
  readonly memory: number | null
  /** Empty for the part that goes through loading, a kill and opening again. */
  readonly measures: readonly Measure[]
}

const WRITERS = [
  'heddle-sync',
  'heddle-group',
  'lmdb-sync-single',
  'lmdb-async',
  'lmdb',
  'classic-level-sync',
  'rocksdb-sync',
]
const READERS = ['heddle-group', 'lmdb-async', 'lmdb', 'classic-level', 'rocksdb']
const KEEPERS = ['heddle-group', 'lmdb-async', 'lmdb-sync', 'lmdb', 'classic-level-sync', 'rocksdb-sync']
/** Enough to write to at random. */
const WRITTEN_RECORDS = 100_000

function rate(name: string, workload: string, workers: number, per: number, latency: string | null = null): Measure {
  return { workload, workers, rate: name, per, latency }
}

/** Of both parts that read: with room for all data, and with little. */
const READING = [
  rate('get, 1 worker', 'get', 1, 1e6),
  rate('get, 2 workers', 'get', 2, 1e6),
  rate('scan of 50', 'scan-50', 1, 1e6),
  rate('full scan', 'scan-all', 1, 1e6),
]

export const PARTS: readonly Part[] = [
  {
    name: 'sets',
    title: 'Durable sets: each durable before the next one of its worker, and 100 at a time',
    engines: WRITERS,
    mostRecords: WRITTEN_RECORDS,
    memory: null,
    measures: [
      rate('sets/s, 1 worker', 'durable-set', 1, 1, '1 worker'),
      rate('sets/s, 2 workers', 'durable-set', 2, 1, '2 workers'),
      rate('100 at a time, 1 worker', 'durable-group', 1, 1),
      rate('100 at a time, 2 workers', 'durable-group', 2, 1),
    ],
  },
  {
    name: 'latency',
    title: 'From a set to its durability, 16 callers in each worker wait at the same time',
    engines: WRITERS,
    mostRecords: WRITTEN_RECORDS,
    memory: null,
    measures: [
      rate('sets/s, 1 worker', 'durable-load', 1, 1, '1 worker'),
      rate('sets/s, 2 workers', 'durable-load', 2, 1, '2 workers'),
    ],
  },
  {
    name: 'reads',
    title: 'Reads and scans, all data in memory: million reads, or entries, a second',
    engines: READERS,
    mostRecords: Infinity,
    memory: null,
    measures: READING,
  },
  {
    name: 'small',
    title: 'Reads and scans, memory for a tenth of the data: million reads, or entries, a second',
    engines: READERS,
    mostRecords: Infinity,
    memory: 0.1,
    measures: READING,
  },
  {
    name: 'load',
    title: 'Loading, overwriting half, what that writes and takes, opening after a kill',
    engines: KEEPERS,
    mostRecords: Infinity,
    memory: null,
    measures: [],
  },
]

export interface DurableOptions {
  readonly parts: readonly Part[]
  readonly records: number
  /** Of each part that is measured in turns, loading not counted. */
  readonly seconds: number
  readonly rounds: number
  readonly directory: string
  readonly json: string | null
  readonly charts: string | null
}

const DEFINITIONS = {
  only: { type: 'string', default: PARTS.map((part) => part.name).join() },
  engines: { type: 'string' },
  records: { type: 'string', default: '1000000' },
  seconds: { type: 'string', default: '60' },
  rounds: { type: 'string', default: '5' },
  dir: { type: 'string', default: tmpdir() },
  json: { type: 'string' },
  charts: { type: 'string' },
} as const

function findPart(name: string): Part {
  const found = PARTS.find((part) => part.name === name)
  if (found === undefined) throw new Error(`there is no part ${name}; there are ${PARTS.map((one) => one.name).join()}`)
  return found
}

/** @throws Error for what makes no sense */
export function parseDurableOptions(args: readonly string[]): DurableOptions {
  const { values } = parseArgs({ args: [...args], options: DEFINITIONS })
  const engines = values.engines?.split(',')
  engines?.forEach(findEntry)
  const { only } = values
  const parts = only.split(',').map(findPart)
  return {
    parts: engines === undefined ? parts : parts.map((part) => ({ ...part, engines })),
    records: whole('records', values.records, 100),
    seconds: whole('seconds', values.seconds, 1),
    rounds: whole('rounds', values.rounds, 1),
    directory: values.dir,
    json: values.json ?? null,
    charts: values.charts ?? null,
  }
}
