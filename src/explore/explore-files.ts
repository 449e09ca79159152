/** The scenarios that files export, one after the other, or spread over worker threads. */
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { loaderArguments, workerUrl } from '../memory/worker-url.ts'
import { DEAL_WORDS, type Deal } from './dealing.ts'
import type { Progress } from './options.ts'
import { type Overrides, type ScenarioResult, loadScenarios, runScenario } from './scenario-files.ts'

const LEAST_MS = 100

/** The options that are not those of `Overrides` are about all scenarios together. */
export interface ExploreFilesOptions extends Overrides {
  /** Only scenarios with this in their name. */
  readonly only?: string
  /** Worker threads among which the scenarios are dealt out, or the search of each if there are fewer. One: this thread. */
  readonly workers?: number
  /** Milliseconds for all scenarios together. */
  readonly totalMs?: number
  /** Called once with the names of all scenarios that will be run. */
  readonly onScenarios?: (names: readonly string[]) => void
  readonly onResult?: (result: ScenarioResult) => void
  /** With one worker only. */
  readonly onProgress?: (name: string, progress: Progress) => void
}

/** What a worker thread is told. */
export interface Order {
  readonly files: readonly string[]
  readonly only: string
  readonly overrides: Overrides
  /** Word 0: the next scenario to be run. */
  readonly next: SharedArrayBuffer
  /** If there are fewer scenarios than workers: each of them searches a part of every scenario. */
  readonly deals: readonly Deal[] | undefined
}

/** What a worker thread tells. */
export interface Told {
  readonly scenario: number
  readonly result: ScenarioResult
}

/**
 * Explores the scenarios that files export: options of `explore`, alone, in arrays, or as { name, options, expect }. The
 * files and all that they import relatively are instrumented, so they must not have been imported before.
 * @param files paths or file URLs
 * @returns what came of each, in the order of the files and their exports
 * @throws HeddleError HEDDLE_INVALID_OPTION
 */
export async function exploreFiles(
  files: readonly (string | URL)[],
  options: ExploreFilesOptions = {},
): Promise<ScenarioResult[]> {
  const paths = files.map((file) => (file instanceof URL ? fileURLToPath(file) : file))
  return (options.workers ?? 1) > 1 ? inWorkers(paths, options) : here(paths, options)
}

function overridesOf(options: ExploreFilesOptions, maxMs: number | undefined): Overrides {
  const { mode, seed, kill, replay } = options
  return {
    ...(maxMs === undefined ? {} : { maxMs }),
    ...(mode === undefined ? {} : { mode }),
    ...(seed === undefined ? {} : { seed }),
    ...(kill === undefined ? {} : { kill }),
    ...(replay === undefined ? {} : { replay }),
  }
}

async function here(files: readonly string[], options: ExploreFilesOptions): Promise<ScenarioResult[]> {
  const { only = '', totalMs, onScenarios, onResult, onProgress } = options
  const scenarios = await loadScenarios(files, only)
  onScenarios?.(scenarios.map(({ name }) => name))
  const until = totalMs === undefined ? undefined : performance.now() + totalMs
  return scenarios.map((scenario, i) => {
    // What one leaves of its share goes to those that are still to be run.
    const share = until === undefined ? undefined : (until - performance.now()) / (scenarios.length - i)
    const overrides = overridesOf(options, share === undefined ? options.maxMs : Math.max(LEAST_MS, share))
    const result = runScenario(scenario, overrides, (progress) => onProgress?.(scenario.name, progress))
    onResult?.(result)
    return result
  })
}

async function inWorkers(files: readonly string[], options: ExploreFilesOptions): Promise<ScenarioResult[]> {
  const { only = '', workers = 1, totalMs, onScenarios, onResult } = options
  const scenarios = await loadScenarios(files, only)
  onScenarios?.(scenarios.map(({ name }) => name))
  const isDealt = scenarios.length < workers
  const atOnce = isDealt ? 1 : workers
  const each = totalMs === undefined ? options.maxMs : Math.max(LEAST_MS, (totalMs * atOnce) / scenarios.length)
  const overrides = overridesOf(options, each)
  const counters = scenarios.map(() => new SharedArrayBuffer(DEAL_WORDS * 4))
  const next = new SharedArrayBuffer(4)
  const told = scenarios.map((): ScenarioResult[] => [])
  const parts = isDealt ? workers : 1
  const works = Array.from({ length: workers }, (_, worker) => {
    const deals = isDealt ? counters.map((one) => ({ counters: one, workers, worker })) : undefined
    return runWorker({ files, only, overrides, next, deals }, ({ scenario, result }) => {
      told[scenario]!.push(result)
      if (told[scenario]!.length === parts) onResult?.(together(told[scenario]!))
    })
  })
  await Promise.all(works)
  return told.map(together)
}

/** What came of one scenario of which several have searched a part each. */
function together(results: readonly ScenarioResult[]): ScenarioResult {
  const sum = (of: (result: ScenarioResult) => number): number =>
    results.reduce((total, result) => total + of(result), 0)
  return {
    ...(results.find(({ complaint }) => complaint !== '') ??
      results.find(({ error }) => error !== undefined) ??
      results[0]!),
    complete: results.every(({ complete }) => complete),
    executions: sum(({ executions }) => executions),
    steps: sum(({ steps }) => steps),
    blocked: sum(({ blocked }) => blocked),
    ms: results.reduce((most, { ms }) => Math.max(most, ms), 0),
  }
}

function runWorker(order: Order, onTold: (told: Told) => void): Promise<void> {
  const url = workerUrl('explore')
  return new Promise((resolve, reject) => {
    const worker = new Worker(url, { workerData: order, execArgv: loaderArguments(url) })
    worker.on('message', onTold)
    worker.on('error', reject)
    worker.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with code ${code}`))))
  })
}
