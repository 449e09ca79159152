/** A process of the paired measurement: one build of heddle, some operations; prints ns for each as JSON. */
import { pathToFileURL } from 'node:url'
import type * as heddle from '../src/index.ts'
import { drawStrings } from './draws.ts'
import { keyOf, value } from './load.ts'
import { MEASURES_SOURCES } from './modules.ts'
import { median } from './statistics.ts'

type Subject = heddle.Store<string, Uint8Array>

const ROUNDS = 32
/** The first rounds are not counted: it takes some 200,000 operations until all of their way has been compiled for good. */
const WARM_UP = 16

const OPERATIONS: Record<string, (store: Subject, keys: readonly string[]) => void> = {
  get: (store, keys) => {
    for (const key of keys) if (store.get(key) === undefined) throw new Error(`${key} is not there`)
  },
  set: (store, keys) => {
    for (const key of keys) store.set(key, value)
  },
  update: (store, keys) => {
    for (const key of keys) store.update(key, () => value)
  },
  compareAndSet: (store, keys) => {
    for (const key of keys) if (!store.compareAndSet(key, value, value)) throw new Error(`${key} has another value`)
  },
  setIfAbsent: (store, keys) => {
    for (const key of keys) store.setIfAbsent(key, value)
  },
  churn: (store, keys) => {
    for (const key of keys) {
      store.delete(key)
      store.set(key, value)
    }
  },
}

const [build, names, ...sizes] = process.argv.slice(2) as [string, string, string, string]
const [records, count] = sizes.map(Number)
const index = MEASURES_SOURCES ? 'src/index.ts' : 'dist/src/index.js'
const { open } = (await import(pathToFileURL(`${build}/${index}`).href)) as typeof heddle
const store = open({ memory: 2 ** 26 + records * 512, values: 'binary' }) as Subject
for (let i = 0; i < records; i++) store.set(keyOf(i), value)
const report: Record<string, number> = {}
for (const name of names.split(',')) {
  const run = OPERATIONS[name]
  if (run === undefined) throw new Error(`${name} is not known; give some of ${Object.keys(OPERATIONS).join()}`)
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const keys = drawStrings(count, round + 1, records)
    const begin = process.hrtime.bigint()
    run(store, keys)
    if (round >= WARM_UP) times.push(Number(process.hrtime.bigint() - begin) / count)
  }
  report[name] = median(times)
}
console.log(JSON.stringify(report))
store.close()
