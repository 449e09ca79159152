import { parentPort, workerData } from 'node:worker_threads'
import { attach, type StoreHandle } from '../../../src/index.ts'
import { failure } from '../crew.ts'

// Says whether it could attach, and keeps its place until it is told to close.
try {
  const store = attach((workerData as { store: StoreHandle }).store)
  parentPort!.postMessage('attached')
  parentPort!.once('message', () => {
    store.close()
    parentPort!.postMessage('closed')
    parentPort!.close()
  })
} catch (error) {
  parentPort!.postMessage(failure(error).code)
}
