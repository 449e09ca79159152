import { parentPort, workerData } from 'node:worker_threads'
import { attach, type StoreHandle } from '../../../src/index.ts'

// Works on the store for a while, in its own way, then ends in the way it is told to, always without close().
const { store: handle, way, name } = workerData as { store: StoreHandle; way: string; name: string }
const store = attach(handle)
for (let round = 0; round < 20; round++) {
  for (let i = 0; i < 60; i++) store.set(`${name} ${i}`, `${round}`.repeat(i * 7))
  for (let i = 0; i < 60; i += 1 + (round % 3)) store.delete(`${name} ${i}`)
}
store.set(`died by ${way}`, name)
const half = store.keys()
half.next()
parentPort!.postMessage({ result: name })

switch (way) {
  case 'process.exit()':
    process.exit(3)
    break
  case 'an uncaught exception':
    throw new Error('not caught on purpose')
  case 'an exception from an update':
    store.update('thrown', () => {
      throw new Error('thrown from an update on purpose')
    })
    break
  case 'process.exit() in an update':
    store.update('left', () => process.exit(3))
    break
  case 'a rejected promise':
    void Promise.reject(new Error('not handled on purpose'))
    break
  case 'terminate() in an update':
    store.update('hung', () => {
      for (;;) Atomics.load(new Int32Array(1), 0)
    })
    break
  case 'terminate() while it waits':
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    break
  default:
    // Simply ends: nothing of the store keeps a thread alive.
    break
}
