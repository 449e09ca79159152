/**
 * `Store.backup`: a thread of its own copies the store, so that neither this thread nor any other is held up.
 *
 * Death of that thread: the promise is rejected; the reap gives back what it held.
 */
import { Worker } from 'node:worker_threads'
import type { BackupReport } from '../lsm/backup.ts'
import { HeddleError, type HeddleErrorCode } from '../memory/error.ts'
import { loaderArguments, workerUrl } from '../memory/worker-url.ts'
import type { StoreHandle } from './handle.ts'

export type { BackupReport } from '../lsm/backup.ts'

export interface BackupOptions {
  /** Links tables instead of copying them, where the file systems allow it: what damages one directory damages both. */
  readonly link?: boolean
  /** Called now and then with the bytes that are there. */
  readonly onProgress?: (bytes: number) => void
}

/** What the thread is told. */
export interface BackupOrder {
  readonly store: StoreHandle
  readonly directory: string
  readonly target: string
  readonly link: boolean
}

/** What it tells. */
export type BackupNews =
  { readonly bytes: number } | { readonly report: BackupReport } | { readonly code: string; readonly message: string }

/**
 * @param watch has the end of the thread noticed
 * @throws HeddleError see Store
 */
export function backUp(
  handle: StoreHandle,
  target: string,
  { link = false, onProgress }: BackupOptions,
  watch: (worker: Worker) => Worker,
): Promise<BackupReport> {
  const { directory } = handle
  if (directory === undefined) {
    throw new HeddleError('HEDDLE_INVALID_OPTION', 'a store in memory has no files to copy; open it with a path')
  }
  const url = workerUrl('backup')
  const loader = loaderArguments(url)
  const order: BackupOrder = { store: handle, directory, target, link }
  const worker = watch(
    new Worker(url, {
      workerData: order,
      name: 'heddle-backup',
      ...(loader.length > 0 ? { execArgv: [...process.execArgv, ...loader] } : {}),
    }),
  )
  return new Promise((resolve, reject) => {
    let end = (): void => reject(new HeddleError('HEDDLE_INTERNAL', 'the thread of the backup has ended; begin again'))
    worker.on('message', (news: BackupNews) => {
      if ('bytes' in news) onProgress?.(news.bytes)
      else if ('report' in news) end = () => resolve(news.report)
      else end = () => reject(new HeddleError(news.code as HeddleErrorCode, news.message))
    })
    worker.once('error', (error) => (end = () => reject(error)))
    worker.once('exit', () => end())
  })
}
