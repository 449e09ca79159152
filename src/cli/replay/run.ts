import { existsSync } from 'node:fs'
import type { Worker } from 'node:worker_threads'
import { workerUrl } from '../../memory/worker-url.ts'
import { counted, grouped, seconds } from '../format.ts'
import type { ReplayOptions } from '../replay.ts'
import { Screen } from '../screen.ts'
import { isBadOption, isFull, openText, type TextStore } from '../text-store.ts'
import { UsageError } from '../usage-error.ts'
import { Barrier } from './barrier.ts'
import { blocksOf, linesOf, ScriptError } from './script.ts'
import type { Part, WrongAnswer } from './worker.ts'

const MS_BETWEEN_LOOKS = 100
const MOST_SETTLE_MS = 30_000
/** Wrong answers that are printed; all are counted. */
const MOST_PRINTED = 20

/** What a worker is given, beside the store. */
export interface ReplayWork extends Part {
  readonly file: string
  readonly barrier: SharedArrayBuffer
}

interface Extent {
  readonly operations: number
  readonly blocks: number
}

/** Replays a file; the exit code. */
export async function runReplay(options: ReplayOptions, screen: Screen = new Screen()): Promise<number> {
  const { file, workers } = options
  const { operations, blocks } = measure(file)
  const store = openStore(options)
  const wrong: WrongAnswer[] = []
  const from = performance.now()
  let left: ReadonlyMap<string, string> | undefined
  let background = ''
  try {
    if (store.size > 0) throw new UsageError(`there is a store in '${options.path}' already`)
    await runWorkers(store, options, operations, wrong, screen)
    if (options.path !== undefined) {
      await settle(store)
      left = new Map(store)
      const { flushes, compactions } = store.stats()
      background = `, ${grouped(flushes)} flushes, ${grouped(compactions)} compactions`
    }
  } catch (error) {
    if (!isFull(error)) throw error
    screen.line('The store is full: give it more --memory.')
    return 1
  } finally {
    store.close()
  }
  wrong.sort((a, b) => a.line - b.line)
  for (const { line, key, got, expected } of wrong.slice(0, MOST_PRINTED)) {
    screen.line(`line ${line}: GET ${key} got ${got}, expected ${expected.split(',').join(' or ')}`)
  }
  if (wrong.length > MOST_PRINTED) screen.line(`and ${counted(wrong.length - MOST_PRINTED, 'more wrong answer')}`)
  const elapsed = (performance.now() - from) / 1000
  const extent = `${counted(operations, 'operation')} in ${counted(blocks, 'block')}, ${counted(workers, 'worker')}`
  const isSame = left === undefined || holds(options, left)
  const rate = `${seconds(elapsed)} s, ${grouped(operations / elapsed)} operations/s`
  screen.line(`replay: ${extent}, ${rate}: ${counted(wrong.length, 'wrong answer')}${background}`)
  if (!isSame) screen.line('The store holds something else after it was opened again.')
  return wrong.length === 0 && isSame ? 0 : 1
}

/** Waits until the background has caught up, for a limited time. */
async function settle(store: TextStore): Promise<void> {
  await store.flush()
  const until = performance.now() + MOST_SETTLE_MS
  while (store.stats().windowFill >= 1 && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, MS_BETWEEN_LOOKS))
  }
}

/** Whether a durable store holds what it held, when it is opened again. */
function holds(options: ReplayOptions, left: ReadonlyMap<string, string>): boolean {
  const store = openStore(options)
  try {
    for (const [key, value] of store) if (left.get(key) !== value) return false
    return store.size === left.size
  } finally {
    store.close()
  }
}

/** Reads the file once before anything runs: what is wrong with it is told at once. */
function measure(file: string): Extent {
  if (!existsSync(file)) throw new UsageError(`there is no file '${file}'`)
  try {
    let operations = 0
    let blocks = 0
    for (const block of blocksOf(linesOf(file))) {
      operations += block.length
      blocks++
    }
    if (blocks === 0) throw new UsageError(`there is no operation in '${file}'`)
    return { operations, blocks }
  } catch (error) {
    if (error instanceof ScriptError) throw new UsageError(`${file}, ${error.message}`)
    throw error
  }
}

/** Flushes and compactions come as often as `memtable` says. */
function openStore({ memory, path, memtable }: ReplayOptions): TextStore {
  const often = { memtable: { entries: memtable }, compactEvery: 5 * memtable }
  try {
    return openText(path === undefined ? { memory } : { memory, path, ...often })
  } catch (error) {
    if (isBadOption(error)) throw new UsageError(error.message)
    throw error
  }
}

async function runWorkers(
  store: TextStore,
  { file, workers }: ReplayOptions,
  operations: number,
  wrong: WrongAnswer[],
  screen: Screen,
): Promise<void> {
  const barrier = new Barrier(workers)
  const progress = screen.quietProgress('replaying', operations)
  const timer = setInterval(() => progress.show(barrier.done()), MS_BETWEEN_LOOKS)
  const started: Worker[] = []
  try {
    for (let worker = 0; worker < workers; worker++) {
      const work: ReplayWork = { file, worker, workers, barrier: barrier.buffer }
      started.push(store.spawn(workerUrl('replay'), { workerData: work }))
    }
    await Promise.all(started.map((worker) => ended(worker, wrong)))
  } finally {
    // A worker that failed never arrives: the others must not wait for it.
    barrier.stop()
    clearInterval(timer)
    progress.end()
    await Promise.all(started.map((worker) => worker.terminate()))
  }
}

function ended(worker: Worker, wrong: WrongAnswer[]): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.on('message', (answer: WrongAnswer) => wrong.push(answer))
    worker.once('error', reject)
    worker.once('exit', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`a worker ended early, with exit code ${code}`))
    })
  })
}
