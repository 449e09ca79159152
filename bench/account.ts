/**
 * The account of single operations: which Atomics they do, and how many different cache lines those touch, on a store of a
 * million records. Counted by putting counters in front of Atomics, so nothing is timed here.
 *
 *   npm run bench:account -- [--records 1000000]
 */
import { parseArgs } from 'node:util'
import { open } from '../dist/src/index.js'
import { keyOf, value } from './load.ts'

const { values: options } = parseArgs({ options: { records: { type: 'string', default: '1000000' } } })
const records = Number(options.records)
const OPERATIONS = 20_000
const LINE_WORDS = 16

const counts = new Map<string, number>()
let lines = new Set<number>()
let touched = 0

function countCalls(): void {
  const atomics = Atomics as unknown as Record<string, (...args: unknown[]) => unknown>
  for (const name of ['load', 'store', 'compareExchange', 'add', 'or', 'and', 'exchange']) {
    const original = atomics[name]
    atomics[name] = (...args) => {
      counts.set(name, (counts.get(name) ?? 0) + 1)
      lines.add(Math.floor((args[1] as number) / LINE_WORDS))
      return original(...args)
    }
  }
}

function account(name: string, operation: (key: string, i: number) => void): void {
  const keys: string[] = []
  let state = 1
  for (let i = 0; i < OPERATIONS; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    keys.push(keyOf((state >>> 4) % records))
  }
  counts.clear()
  touched = 0
  keys.forEach((key, i) => {
    lines = new Set()
    operation(key, i)
    touched += lines.size
  })
  const each = [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
  const text = each.map(([kind, count]) => `${(count / OPERATIONS).toFixed(2)} ${kind}`).join(', ')
  console.log(`| ${name} | ${text} | ${(touched / OPERATIONS).toFixed(1)} |`)
}

const store = open({ memory: 2 ** 29, values: 'binary', cleaner: false })
for (let i = 0; i < records; i++) store.set(keyOf(i), value)
const target = new Uint8Array(value.length)
countCalls()
console.log('| operation | Atomics | lines they touch |')
console.log('| --- | --- | --- |')
account('get', (key) => void store.get(key))
account('getInto', (key) => void store.getInto(key, target))
account('has', (key) => void store.has(key))
account('has, of an absent key', (key) => void store.has(`${key}x`))
account('set, overwriting', (key) => store.set(key, value))
account('update', (key) => void store.update(key, (old) => old))
account('set, inserting', (_, i) => store.set(keyOf(records + i), value))
account('delete', (_, i) => void store.delete(keyOf(records + i)))
account('scan of 50, for each entry', (key, i) => {
  if (i % 50 === 0) for (const _ of store.entries({ gte: key, limit: 50 }));
})
store.close()
