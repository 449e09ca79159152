/** What is measured. */

export type Choice = 'uniform' | 'zipf' | 'latest' | 'hot'

/** Shares of the operations; they add up to 1. An insert sets a key that is not there yet. */
export interface Mix {
  readonly read?: number
  readonly readInto?: number
  readonly set?: number
  readonly update?: number
  readonly insert?: number
  readonly scan?: number
}

/** How durable writes are waited for. */
export interface Commits {
  /** Writes that are waited for together. */
  readonly group: number
  /** Callers in each thread that wait at the same time, where the engine's waiting leaves the thread to others. */
  readonly callers: number
}

export interface Workload {
  readonly name: string
  readonly about: string
  /** `load` fills an empty engine; `churn` deletes a key and sets it again. */
  readonly kind: 'load' | 'mix' | 'churn'
  readonly mix: Mix
  /** Waits until what was written is durable; null if it does not. Only for engines that can wait. */
  readonly commits: Commits | null
  /** Operations take turns instead of being drawn. */
  readonly alternate: boolean
  readonly choose: Choice
  /** Of a load: whether the keys come in order. */
  readonly sequential: boolean
  /** Of a scan; 0 is drawn from 1 to 100 each time, as YCSB does. */
  readonly scanEntries: number
  /** What is counted: operations, or entries that scans gave. */
  readonly unit: 'operations' | 'entries'
  /** Whether it is measured without being named. */
  readonly usual: boolean
  /** Whether `--full` crosses it with other keys and values. */
  readonly crossed: boolean
}

const PLAIN: Omit<Workload, 'name' | 'about'> = {
  kind: 'mix',
  mix: {},
  commits: null,
  alternate: false,
  choose: 'uniform',
  sequential: false,
  scanEntries: 0,
  unit: 'operations',
  usual: true,
  crossed: false,
}

function workload(name: string, about: string, rest: Partial<Workload>): Workload {
  return { ...PLAIN, name, about, ...rest }
}

export const WORKLOADS: readonly Workload[] = [
  workload('load-sequential', 'an empty engine filled, keys in order', {
    kind: 'load',
    sequential: true,
    usual: false,
  }),
  workload('load', 'an empty engine filled one by one, keys in random order', { kind: 'load', crossed: true }),
  workload('get', 'random keys, a copy of the value', { mix: { read: 1 }, crossed: true }),
  workload('get-into', 'random keys, the value into a buffer that is used again', {
    mix: { readInto: 1 },
    crossed: true,
  }),
  workload('overwrite', 'random keys set anew', { mix: { set: 1 }, crossed: true }),
  workload('mixed', 'get and set in turns, random keys', {
    mix: { read: 0.5, set: 0.5 },
    alternate: true,
    crossed: true,
  }),
  workload('scan-50', '50 entries from a random key; entries a second', {
    mix: { scan: 1 },
    scanEntries: 50,
    unit: 'entries',
    crossed: true,
  }),
  workload('scan-1000', '1,000 entries from a random key; entries a second', {
    mix: { scan: 1 },
    scanEntries: 1000,
    unit: 'entries',
    usual: false,
  }),
  workload('scan-all', 'every entry in order; entries a second', {
    mix: { scan: 1 },
    scanEntries: Infinity,
    unit: 'entries',
    usual: false,
  }),
  workload('churn', 'a random key deleted and set again', { kind: 'churn' }),
  workload('hot-key', 'all workers set one key', { mix: { set: 1 }, choose: 'hot' }),
  workload('hot-update', 'all workers read and set one key in one step', {
    mix: { update: 1 },
    choose: 'hot',
    usual: false,
  }),
  workload('ycsb-a', '50 % reads, 50 % updates, zipfian', { mix: { read: 0.5, set: 0.5 }, choose: 'zipf' }),
  workload('ycsb-b', '95 % reads, 5 % updates, zipfian', { mix: { read: 0.95, set: 0.05 }, choose: 'zipf' }),
  workload('ycsb-c', 'reads, zipfian', { mix: { read: 1 }, choose: 'zipf' }),
  workload('ycsb-d', '95 % reads of what came last, 5 % inserts', {
    mix: { read: 0.95, insert: 0.05 },
    choose: 'latest',
  }),
  workload('ycsb-e', '95 % scans of 1 to 100 entries, 5 % inserts, zipfian', {
    mix: { scan: 0.95, insert: 0.05 },
    choose: 'zipf',
  }),
  workload('ycsb-f', '50 % reads, 50 % read-modify-writes, zipfian', {
    mix: { read: 0.5, update: 0.5 },
    choose: 'zipf',
  }),
  workload('durable-set', 'random keys set anew, each durable before the next one of its worker', {
    mix: { set: 1 },
    commits: { group: 1, callers: 1 },
    usual: false,
  }),
  workload('durable-group', 'random keys set anew, 100 at a time, durable before the next 100 of their worker', {
    mix: { set: 1 },
    commits: { group: 100, callers: 1 },
    usual: false,
  }),
  workload('durable-load', 'random keys set anew by 16 callers in each worker, each waiting for its own', {
    mix: { set: 1 },
    commits: { group: 1, callers: 16 },
    usual: false,
  }),
]

export function findWorkload(name: string): Workload {
  const found = WORKLOADS.find((candidate) => candidate.name === name)
  if (found === undefined) {
    throw new Error(`there is no workload ${name}; there are ${WORKLOADS.map((one) => one.name).join(', ')}`)
  }
  return found
}
