/** The background cleaner as its opener sees it, and the stores to be closed when this thread ends. */
import { Worker, isMainThread } from 'node:worker_threads'
import type { Arena } from '../memory/arena.ts'
import { GLOBAL_CLEANER_BELL, GLOBAL_STOP } from '../memory/layout.ts'
import { ring, raise } from '../memory/parking.ts'
import type { StoreHandle } from './handle.ts'
import { loaderArguments, workerUrl } from '../memory/worker-url.ts'

export interface CleanerThread {
  /** The thread, if there is one. For tests, which end it. */
  worker(): Worker | null
  stop(): void
}

/**
 * Starts the cleaner. It keeps no process alive, and a cleaner that dies is replaced until the store is closed.
 * @param reap called with the thread id of a cleaner that has ended
 */
export function startCleaner(arena: Arena, handle: StoreHandle, reap: (threadId: number) => void): CleanerThread {
  let stopped = false
  let worker: Worker | null = null
  const start = (): void => {
    const url = workerUrl('cleaner')
    const loader = loaderArguments(url)
    worker = new Worker(url, {
      workerData: { store: handle },
      name: 'heddle-cleaner',
      ...(loader.length > 0 ? { execArgv: [...process.execArgv, ...loader] } : {}),
    })
    const { threadId } = worker
    worker.unref()
    // An error of the cleaner's is no reason to end the program; its end is noticed below.
    worker.on('error', () => {})
    worker.once('exit', () => {
      if (stopped) return
      reap(threadId)
      setTimeout(() => {
        if (!stopped) start()
      }, 100).unref()
    })
  }
  start()
  return {
    worker: () => worker,
    stop(): void {
      stopped = true
      raise(arena.words, GLOBAL_STOP)
      ring(arena.words, GLOBAL_CLEANER_BELL)
      void worker?.terminate()
    },
  }
}

interface Closeable {
  close(): void
}

const openStores = new Set<Closeable>()

function closeAll(): void {
  for (const store of [...openStores]) store.close()
}

/** Whether `closeAll` is to be called at the end of the thread. */
let listening = false

/**
 * A worker that ends without closing its stores gives back what it holds on its way out.
 * @param always also in the main thread: what was changed last has yet to be written
 */
export function rememberOpenStore(store: Closeable, always: boolean): void {
  openStores.add(store)
  if (listening || (isMainThread && !always)) return
  listening = true
  process.once('exit', closeAll)
}

export function forgetOpenStore(store: Closeable): void {
  openStores.delete(store)
  if (openStores.size > 0) return
  listening = false
  process.removeListener('exit', closeAll)
}
