import { isMainThread, workerData } from 'node:worker_threads'
import { attach, open, type StoreHandle } from '../../../src/index.ts'

// One file that is both sides: the main thread opens a store, and starts this file again as its workers.
if (isMainThread) {
  const store = open({ memory: 2 ** 24 })
  const workers = Array.from({ length: 2 }, () => store.spawn(new URL(import.meta.url)))
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve))))
  for (const [page, visits] of store.entries({ prefix: 'visits:' })) console.log(page, visits)
  const { ok, entries } = store.verify()
  console.log(ok, entries, store.size)
  store.close()
} else {
  const store = attach((workerData as { store: StoreHandle }).store)
  for (let i = 0; i < 3000; i++) store.update(`visits:${i % 3}`, (old) => String(Number(old ?? 0) + 1))
  store.close()
}
