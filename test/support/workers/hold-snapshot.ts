import { parentPort } from 'node:worker_threads'
import { workerMain } from '../worker-main.ts'

// Takes snapshots, and holds them until it is killed.
workerMain<object, void>((store) => {
  const first = store.snapshot()
  store.attachSnapshot(first.handle)
  parentPort!.postMessage({ handle: first.handle })
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
})
