import type { Worker } from 'node:worker_threads'
import type { HeddleError, Store } from '../../src/index.ts'

/** All that a crew needs of a store, whatever its codecs. */
export type Spawner = Pick<Store<string, string>, 'spawn'>

/** What a worker of the tests says at its end. */
export type Report<R> = { readonly result: R } | { readonly error: Failure }

export interface Failure {
  readonly name: string
  readonly code: string
  readonly message: string
  readonly stack: string
}

/** Several workers that wait for each other before they begin. */
export interface Gate {
  readonly buffer: SharedArrayBuffer
}

/** The words of a gate: how many have come, how many are to come, and whether all are asked to stop. */
export const gateWords = { arrived: 0, expected: 1, stop: 2 } as const

export function newGate(expected: number): Gate {
  const buffer = new SharedArrayBuffer(16)
  new Int32Array(buffer)[gateWords.expected] = expected
  return { buffer }
}

/** Asks all who look at the gate's stop word to come to an end. */
export function stop(gate: Gate): void {
  Atomics.store(new Int32Array(gate.buffer), gateWords.stop, 1)
}

/** What is reported for a worker that was killed. */
export const endedWithoutReport = 'the worker ended without a report'

export function program(name: string): URL {
  return new URL(`./workers/${name}.ts`, import.meta.url)
}

/** An error as a plain object: what is thrown in a worker loses its code on the way here. */
export function failure(error: unknown): Failure {
  if (!(error instanceof Error)) return { name: 'unknown', code: '', message: String(error), stack: '' }
  const code = (error as Partial<HeddleError>).code ?? ''
  return { name: error.name, code, message: error.message, stack: error.stack ?? '' }
}

/** Waits for the end of a worker and gives what it reported. */
export function reportOf<R>(worker: Worker): Promise<Report<R>> {
  return new Promise((resolve) => {
    let report: Report<R> = { error: failure(new Error(endedWithoutReport)) }
    worker.on('message', (message: Report<R>) => (report = message))
    worker.on('error', (error) => (report = { error: failure(error) }))
    worker.once('exit', () => resolve(report))
  })
}

/** Starts `count` workers of one program together and waits for all of their reports. */
export function crewReports<R>(
  store: Spawner,
  name: string,
  count: number,
  data: (thread: number) => object,
): Promise<Report<R>[]> {
  const gate = newGate(count)
  const start = (_: unknown, thread: number): Promise<Report<R>> =>
    reportOf<R>(store.spawn(program(name), { workerData: { gate, thread, ...data(thread) } }))
  return Promise.all(Array.from({ length: count }, start))
}

/** As crewReports, and throws what any of them reports as an error. */
export async function crew<R>(...args: Parameters<typeof crewReports>): Promise<R[]> {
  const reports = await crewReports<R>(...args)
  return reports.map((report) => {
    if ('error' in report) throw asError(report.error)
    return report.result
  })
}

export function asError(failed: Failure): Error {
  const error = new Error(`in a worker: ${failed.name} ${failed.code}: ${failed.message}`)
  error.stack = `${error.message}\n${failed.stack}`
  return error
}
