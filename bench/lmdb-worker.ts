/** A thread of the comparison: answers each request with the nanoseconds per operation it measured. */
import { parentPort, workerData } from 'node:worker_threads'
import { open as openLmdb } from 'lmdb'
import { type StoreHandle, attach } from '../dist/src/index.js'
import { type Engine, type Operation, drawKeys, runHeddle, runLmdb } from './load.ts'

interface Request {
  engine: Engine
  operation: Operation
  count: number
  seed: number
  startAt: number
}

const { store, path } = workerData as { store: StoreHandle; path: string }
const heddle = attach<string, Uint8Array>(store)
const lmdb = openLmdb<Buffer, string>({ path, noSync: true, encoding: 'binary', mapSize: 2 ** 31 })

parentPort!.on('message', (request: Request) => {
  const keys = drawKeys(request.count, request.seed)
  // All threads begin together, after the slowest has drawn its keys.
  while (Date.now() < request.startAt);
  const { engine, operation } = request
  parentPort!.postMessage(engine === 'heddle' ? runHeddle(heddle, operation, keys) : runLmdb(lmdb, operation, keys))
})
parentPort!.postMessage('ready')
