import { parentPort, workerData } from 'node:worker_threads'
import { attach, type StoreHandle } from '../../../src/index.ts'
import { changeAt, keyOf, lastKey } from '../numbered-changes.ts'
import { random } from '../random.ts'
import { PROGRESS, type WriterData, extentOf } from '../written-store.ts'

/** Makes numbered changes of one writer, from the last one that is there on, until it is to stop. */
function write(): void {
  const { store: handle, writer, seed, amount, sync, progress } = workerData as WriterData & { store: StoreHandle }
  const store = attach(handle)
  const words = new Int32Array(progress)
  const rng = random(seed)
  const extent = extentOf(amount)
  const last = lastKey(writer)
  for (let number = Number(store.get(last) ?? 0) + 1; Atomics.load(words, PROGRESS.stop) === 0; number++) {
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
    Atomics.store(words, PROGRESS.made, number)
    if (!sync && rng.chance(10)) store.flushSync()
  }
  store.close()
}

write()
parentPort?.postMessage({ result: 0 })
