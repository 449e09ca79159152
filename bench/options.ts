/** The options of `npm run bench`. */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { ENTRIES, findEntry } from './engines/catalog.ts'
import { KEY_KINDS, type KeyKind } from './engines/engine.ts'
import { WORKLOADS, findWorkload } from './workloads/catalog.ts'

export interface Options {
  readonly engines: readonly string[]
  /** Those of them that `--full` crosses with other keys and values. */
  readonly crossedEngines: readonly string[]
  readonly workloads: readonly string[]
  readonly workers: readonly number[]
  readonly records: number
  readonly seconds: number
  readonly rounds: number
  readonly keys: KeyKind
  readonly keyOrder: 'used' | 'shuffled'
  readonly valueBytes: number
  readonly directory: string | null
  readonly full: boolean
  readonly memory: boolean
  readonly json: string | null
  readonly charts: string | null
}

export const HELP = `npm run bench -- [options]

  --engines a,b      of ${ENTRIES.map((entry) => entry.name).join(', ')}
                     (default: the usual ones; --full: all)
  --workloads a,b    of ${WORKLOADS.map((workload) => workload.name).join(', ')}
                     (default: the usual ones; --full: all)
  --workers 1,2,4    numbers of worker threads (default 1,2; --full: 1,2,4,8,16)
  --records n        entries in each engine (default 1000000)
  --seconds n        about how long all of it may take, loading not counted (default 120; --full: 3600)
  --rounds n         rounds that count; one more comes first (default 5; --full: 7)
  --keys kind        ${KEY_KINDS.join(', ')} (default string: 16 bytes)
  --key-order order  used: keys lie in memory as they are used; shuffled: a random walk over all of them (default used)
  --value-bytes n    (default 100)
  --directory path   for the files of engines that have some (default: /dev/shm if it is there, else the system's
                     temporary folder; engines that wait for the disk always get the temporary folder by default)
  --no-memory        leaves out the bytes for each record
  --full             every engine and workload, and a cross of keys and values for the main ones of both
  --json file        writes all figures
  --charts folder    draws them
`

function list(text: string | undefined): string[] | undefined {
  return text === undefined ? undefined : text.split(',').filter((part) => part.length > 0)
}

/** A whole number of the command line. @throws Error */
export function whole(name: string, text: string, least: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < least)
    throw new Error(`--${name} is ${text}; give a whole number from ${least}`)
  return value
}

const DEFINITIONS = {
  engines: { type: 'string' },
  workloads: { type: 'string' },
  workers: { type: 'string' },
  records: { type: 'string', default: '1000000' },
  seconds: { type: 'string' },
  rounds: { type: 'string' },
  keys: { type: 'string', default: 'string' },
  'key-order': { type: 'string', default: 'used' },
  'value-bytes': { type: 'string', default: '100' },
  directory: { type: 'string' },
  'no-memory': { type: 'boolean', default: false },
  full: { type: 'boolean', default: false },
  json: { type: 'string' },
  charts: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const

/** @returns null if help was asked for. @throws Error for what makes no sense */
export function parseOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({ args: [...args], options: DEFINITIONS })
  if (values.help) return null
  const { full } = values
  const keys = KEY_KINDS.find((kind) => kind === values.keys)
  if (keys === undefined) throw new Error(`--keys is ${values.keys}; give one of ${KEY_KINDS.join(', ')}`)
  const keyOrder = values['key-order']
  if (keyOrder !== 'used' && keyOrder !== 'shuffled') throw new Error('--key-order is used or shuffled')
  const namesOf = (all: readonly { name: string; usual: boolean }[], unusual: boolean) =>
    all.filter((one) => one.usual || unusual).map((one) => one.name)
  const named = list(values.engines)
  const engines = named ?? namesOf(ENTRIES, full)
  const workloads = list(values.workloads) ?? namesOf(WORKLOADS, full)
  engines.forEach(findEntry)
  workloads.forEach(findWorkload)
  const workers = list(values.workers)?.map((text) => whole('workers', text, 1)) ?? (full ? [1, 2, 4, 8, 16] : [1, 2])
  return {
    engines,
    crossedEngines: named ?? namesOf(ENTRIES, false),
    workloads,
    workers: [...new Set(workers)].sort((a, b) => a - b),
    records: whole('records', values.records, 100),
    seconds: whole('seconds', values.seconds ?? (full ? '3600' : '120'), 1),
    rounds: whole('rounds', values.rounds ?? (full ? '7' : '5'), 1),
    keys,
    keyOrder,
    valueBytes: whole('value-bytes', values['value-bytes'], 1),
    directory: values.directory ?? null,
    full,
    memory: !values['no-memory'],
    json: values.json ?? null,
    charts: values.charts ?? null,
  }
}

/** More workers than the machine has cores for. */
export function isOversubscribed(workers: number): boolean {
  return workers > availableParallelism()
}
