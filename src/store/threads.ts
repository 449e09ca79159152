/** Starting workers on a store, and noticing their end. */
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { HeddleError } from '../memory/error.ts'
import type { StoreHandle } from './handle.ts'
import { loaderArguments } from '../memory/worker-url.ts'

/**
 * Starts a worker with the handle in its workerData.
 * @throws HeddleError HEDDLE_INVALID_OPTION if workerData is given and no object
 */
export function spawnWorker(url: string | URL, options: WorkerOptions, handle: StoreHandle): Worker {
  const data = options.workerData as unknown
  if (data !== undefined && (typeof data !== 'object' || data === null)) {
    throw new HeddleError(
      'HEDDLE_INVALID_OPTION',
      'workerData must be an object, since the handle is added to it as `store`',
    )
  }
  const loader = loaderArguments(url)
  const execArgv = loader.length > 0 ? { execArgv: [...(options.execArgv ?? process.execArgv), ...loader] } : {}
  return new Worker(url, { ...options, ...execArgv, workerData: { ...data, store: handle } })
}

/** Calls `ended` once with the worker's thread id when its thread is gone: only the parent's `exit` event proves that. */
export function watchWorker(worker: Worker, ended: (threadId: number) => void): void {
  // Afterwards it is -1.
  const { threadId } = worker
  worker.once('exit', () => ended(threadId))
}
