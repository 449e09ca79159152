import type { Worker } from 'node:worker_threads'
import { workerUrl } from '../../memory/worker-url.ts'
import type { Screen } from '../screen.ts'
import type { TextStore } from '../text-store.ts'
import type { TextFile } from './files.ts'
import type { Work } from './index-files.ts'
import { fileKey, NEXT } from './keys.ts'

const MS_BETWEEN_LOOKS = 100

export interface Counted extends Work {
  readonly seconds: number
}

/** Fills the queue of files, lets the workers empty it, and times them from the start to the last one's end. */
export async function countWithWorkers(
  store: TextStore,
  files: readonly TextFile[],
  workers: number,
  screen: Screen,
): Promise<Counted> {
  for (const [number, file] of files.entries()) store.set(fileKey(number), file.path)
  const started: Worker[] = []
  const progress = screen.progress(`counting with ${workers} worker${workers === 1 ? '' : 's'}`, files.length)
  const look = () => progress.show(Number(store.get(NEXT) ?? '0'))
  const timer = setInterval(look, MS_BETWEEN_LOOKS)
  try {
    for (let i = 0; i < workers; i++) started.push(store.spawn(workerUrl('demo')))
    const gone = started.map((worker) => new Promise((resolve) => worker.once('exit', resolve)))
    await Promise.all(started.map(messageOf))
    const from = performance.now()
    const works = started.map(messageOf)
    for (const worker of started) worker.postMessage('go')
    const done = (await Promise.all(works)) as Work[]
    const seconds = (performance.now() - from) / 1000
    await Promise.all(gone)
    return { ...sum(done), seconds }
  } finally {
    clearInterval(timer)
    progress.end()
    // Those that a failure left behind; the others are gone already.
    await Promise.all(started.map((worker) => worker.terminate()))
  }
}

/** The next message of a worker; an error in the worker, or its early end, is an error here. */
function messageOf(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (code: number) => reject(new Error(`a worker ended early, with exit code ${code}`))
    worker.once('error', reject)
    worker.once('exit', ended)
    worker.once('message', (message: unknown) => {
      worker.off('error', reject)
      worker.off('exit', ended)
      resolve(message)
    })
  })
}

function sum(works: readonly Work[]): Work {
  const total = { files: 0, words: 0, operations: 0 }
  for (const work of works) {
    total.files += work.files
    total.words += work.words
    total.operations += work.operations
  }
  return total
}
