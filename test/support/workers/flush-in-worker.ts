import { parentPort, workerData } from 'node:worker_threads'
import { attach, type StoreHandle } from '../../../src/index.ts'

// Sets keys, makes them durable, and says so.
const { store: handle, count } = workerData as { store: StoreHandle; count: number }
const store = attach(handle)
for (let i = 0; i < count; i++) store.set(`worker ${i}`, String(i))
store.flushSync()
store.set('worker async', 'yes')
void store.flush().then(() => {
  parentPort!.postMessage('durable')
  store.close()
})
