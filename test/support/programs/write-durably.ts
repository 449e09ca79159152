/**
 * Looks at all of a durable store, then writes to it with a worker beside the main thread, and says what is durable.
 * Arguments: directory, seed, durability, `little` or `much`. Lines: `found <writer> <number of its last change>`, or
 * `wrong <what>`; `opened`; `durable <writer> <number of its last change that is durable>`; `evicted <records>`.
 */
import { writeSync } from 'node:fs'
import { isMainThread, workerData } from 'node:worker_threads'
import { attach, open, type Store, type StoreHandle } from '../../../src/index.ts'
import type { Durability } from '../../../src/lsm/tier-words.ts'
import { WRITERS, changeAt, faultOf, keyOf, lastKey } from '../numbered-changes.ts'
import { random } from '../random.ts'
import { writtenOptions, type Amount, extentOf } from '../written-store.ts'

interface Task {
  readonly seed: number
  readonly durability: Durability
  readonly amount: Amount
}

function write(store: Store, writer: string, { seed, durability, amount }: Task): never {
  const rng = random(seed)
  const extent = extentOf(amount)
  const last = lastKey(writer)
  for (let number = Number(store.get(last) ?? 0) + 1; ; number++) {
    const { key, value } = changeAt(writer, number, extent)
    // What is read fills the memory, and has something else leave it.
    if (amount === 'much') for (let i = 0; i < 5; i++) store.get(keyOf(writer, rng.int(extent.keys), extent))
    if (rng.chance(30)) {
      store.transaction((tx) => {
        tx.set(last, String(number))
        if (value === undefined) tx.delete(key)
        else tx.set(key, value)
      })
    } else {
      store.batch([
        { type: 'set', key: last, value: String(number) },
        value === undefined ? { type: 'delete', key } : { type: 'set', key, value },
      ])
    }
    if (durability !== 'sync') {
      if (!rng.chance(10)) continue
      store.flushSync()
    }
    // With 'sync' the call has returned, so the change is durable.
    writeSync(1, `durable ${writer} ${number}\n`)
    if (rng.chance(20)) writeSync(1, `evicted ${store.stats().evictions}\n`)
  }
}

function look(store: Store, amount: Amount): void {
  for (const writer of WRITERS) {
    const last = Number(store.get(lastKey(writer)) ?? 0)
    const wrong = faultOf((key) => store.get(key), writer, last, extentOf(amount))
    writeSync(1, wrong === '' ? `found ${writer} ${last}\n` : `wrong ${wrong}\n`)
  }
}

if (isMainThread) {
  const [path = '', seed = '1', durability = 'group', amount = 'little'] = process.argv.slice(2)
  const task: Task = { seed: Number(seed), durability: durability as Durability, amount: amount as Amount }
  const store = open<'utf8', 'utf8'>({ ...writtenOptions(path, task.amount), durability: task.durability })
  look(store, task.amount)
  writeSync(1, 'opened\n')
  store.spawn(new URL(import.meta.url), { workerData: { task: { ...task, seed: task.seed + 1 } } })
  write(store, 'main', task)
} else {
  const { store, task } = workerData as { store: StoreHandle; task: Task }
  write(attach(store), 'worker', task)
}
