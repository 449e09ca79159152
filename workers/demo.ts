/** A worker of `heddle demo`: says that it is ready, waits for the start, and indexes files until none is left. */
import { parentPort, workerData } from 'node:worker_threads'
import { indexFiles } from '../src/cli/demo/index-files.ts'
import { attachText } from '../src/cli/text-store.ts'
import type { StoreHandle } from '../src/store/index.ts'

const { store: handle } = workerData as { readonly store: StoreHandle }
const port = parentPort!
const store = attachText(handle)

port.once('message', () => {
  const work = indexFiles(store)
  store.close()
  port.postMessage(work)
})
port.postMessage('ready')
