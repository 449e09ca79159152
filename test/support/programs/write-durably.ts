/**
 * Writes to a durable store with a worker beside the main thread, and says what is durable. Arguments: directory, seed,
 * durability. Lines: `<writer> <number of its last change that is durable>`.
 */
import { writeSync } from 'node:fs'
import { attach, open, type Store, type StoreHandle } from '../../../src/index.ts'
import type { Durability } from '../../../src/lsm/tier-words.ts'
import { isMainThread, workerData } from 'node:worker_threads'
import { changeAt, lastKey } from '../numbered-changes.ts'
import { random } from '../random.ts'

const MEMORY = 32 * 2 ** 20

function write(store: Store, writer: string, seed: number, waits: boolean): never {
  const rng = random(seed)
  for (let number = Number(store.get(lastKey(writer)) ?? 0) + 1; ; number++) {
    const { key, value } = changeAt(writer, number)
    store.batch([
      { type: 'set', key: lastKey(writer), value: String(number) },
      value === undefined ? { type: 'delete', key } : { type: 'set', key, value },
    ])
    if (!waits && !rng.chance(10)) continue
    // With 'sync' the call has returned, so the change is durable.
    if (!waits) store.flushSync()
    writeSync(1, `${writer} ${number}\n`)
  }
}

if (isMainThread) {
  const [path = '', seed = '1', durability = 'group'] = process.argv.slice(2)
  const store = open<'utf8', 'utf8'>({
    path,
    memory: MEMORY,
    durability: durability as Durability,
    memtable: { entries: 150, bytes: 16_384 },
    tuning: { levelZeroTables: 2, levelOneBytes: 8192, tableBytes: 4096 },
  })
  writeSync(1, 'opened 0\n')
  store.spawn(new URL(import.meta.url), { workerData: { seed: Number(seed), durability } })
  write(store, 'main', Number(seed) + 1, durability === 'sync')
} else {
  const { store, seed, durability } = workerData as { store: StoreHandle; seed: number; durability: string }
  write(attach(store), 'worker', seed, durability === 'sync')
}
