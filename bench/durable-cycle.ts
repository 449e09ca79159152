/**
 * The part of the durable measurement that lives through a crash: loading and overwriting until everything is durable, a
 * kill, opening again. Each step is a process of its own.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Loaded, Reopened, Step } from './durable-process.ts'
import type { DurableOptions, Part } from './durable-parts.ts'
import { RECORD_BYTES } from './durable-timed.ts'
import { messageOf } from './field.ts'
import { LOADER } from './host-process.ts'
import type { Figure } from './report.ts'
import { fileBytes } from './resident.ts'

const MEASURES = [
  'load M/s',
  'overwrite M/s',
  'written x',
  'space x',
  'open after kill s',
  'after close s',
  'first reads M/s',
] as const

type Measures = Record<(typeof MEASURES)[number], number>

let running: ChildProcess | undefined
let directory: string | undefined

/** Leaves no process and no file behind. */
export function killCycle(): void {
  running?.kill('SIGKILL')
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true })
}

function step<T>(engine: string, name: Step, folder: string, records: number): Promise<T> {
  const child = fork(new URL('./durable-process.ts', import.meta.url), [engine, name, folder, String(records)], {
    execArgv: ['--import', LOADER],
  })
  running = child
  return new Promise((resolve, reject) => {
    let report: T | undefined
    child.on('message', (message) => (report = message as T))
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      running = undefined
      if (report !== undefined) resolve(report)
      else reject(new Error(`${engine} ended in '${name}' with ${String(code ?? signal)}`))
    })
  })
}

async function measureEngine(engine: string, options: DurableOptions): Promise<Measures> {
  const { records } = options
  const folder = mkdtempSync(join(options.directory, 'heddle-bench-'))
  directory = folder
  try {
    const loaded = await step<Loaded>(engine, 'load', folder, records)
    const afterKill = await step<Reopened>(engine, 'reopen', folder, records)
    const bytes = fileBytes(folder)
    const afterClose = await step<Reopened>(engine, 'reopen', folder, records)
    const overwritten = records >>> 1
    return {
      'load M/s': records / loaded.loadSeconds / 1e6,
      'overwrite M/s': overwritten / loaded.overwriteSeconds / 1e6,
      'written x': loaded.bytesWritten / ((records + overwritten) * RECORD_BYTES),
      'space x': bytes / (records * RECORD_BYTES),
      'open after kill s': afterKill.openSeconds,
      'after close s': afterClose.openSeconds,
      'first reads M/s': afterClose.readsPerSecond / 1e6,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
    directory = undefined
  }
}

/** One engine after the other. @param say gets a line for each */
export async function measureCycle(
  part: Part,
  options: DurableOptions,
  say: (text: string) => void,
): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const engine of part.engines) {
    say(`${part.name}: ${engine}`)
    const common = { part: part.name, engine }
    try {
      const measured = await measureEngine(engine, options)
      for (const measure of MEASURES) figures.push({ ...common, measure, value: measured[measure] })
    } catch (error) {
      const missing = messageOf(error)
      for (const measure of MEASURES) figures.push({ ...common, measure, value: null, missing })
    }
  }
  return figures
}
