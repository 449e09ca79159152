/** Programs run three ways: as they are, rewritten outside threads, and rewritten in threads that pause at every step. */
import { runInThisContext } from 'node:vm'
import { expect } from 'vitest'
import * as language from '../../../../src/explore/language.ts'
import { setInThread } from '../../../../src/explore/state.ts'
import { instrumentSources } from '../../../../src/explore/transform/index.ts'
import { runtime, scheduler } from './scheduler.ts'

type Main = () => unknown

/** What every program may use: `p` pauses and gives back its argument, and `note` writes to the log of the run. */
export const PRELUDE = `
const S = new Int32Array(new SharedArrayBuffer(64))
export function p(value) { Atomics.load(S, 1); return value }
`

/** Makes a function of a module: its exports become properties of what it returns. */
function evaluate(
  code: string,
  names: readonly string[],
  name: string,
): (...args: unknown[]) => Record<string, unknown> {
  const body = code
    .replace(/^(#!.*\n)?import \* as \$rt from "[^"]*";/, '')
    .replace(/\bexport default (?=function|class)/g, '')
    .replace(/\bexport (?=function|class|const|let|async)/g, '')
  const text = `(function ($rt, note) { ${body}\nreturn { ${names.join(', ')} } })`
  return runInThisContext(text, { filename: name }) as (...args: unknown[]) => Record<string, unknown>
}

export function rewritten(code: string, id = '/virtual/program.js'): string {
  return instrumentSources([{ id, code }], { runtime: 'runtime' })[0]!.code
}

export interface Outcome {
  readonly value: unknown
  readonly error: string | undefined
  readonly log: readonly unknown[]
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : `thrown ${String(error)}`
}

/** Loads the exported functions of a program. */
export function load(code: string, note: (value: unknown) => void = () => undefined): { main: Main } {
  return evaluate(code, ['main'], 'program.js')(runtime, note) as { main: Main }
}

function outcome(body: () => unknown, log: unknown[]): Outcome {
  try {
    return { value: body(), error: undefined, log }
  } catch (error) {
    return { value: undefined, error: describe(error), log }
  }
}

function runAlone(code: string): Outcome {
  const log: unknown[] = []
  const { main } = load(code, (value) => log.push(value))
  return outcome(main, log)
}

/** Two instances of a program, in two threads that switch at every step. */
function runInThreads(code: string): Outcome[] {
  const logs: unknown[][] = [[], []]
  const mains = logs.map((log) => load(code, (value) => log.push(value)).main)
  const results = scheduler.run(mains)
  return results.map(({ value, error }, index) => ({
    value,
    error: error === undefined ? undefined : describe(error.thrown),
    log: logs[index]!,
  }))
}

/** Runs a program in two threads, and gives the result of the first. */
export function inThreads(code: string): Outcome {
  return runInThreads(rewritten(PRELUDE + code))[0]!
}

/**
 * Checks that a program (which exports `main`) gives the same in all three ways, with at least `pauses` pauses.
 * @returns what it gives
 */
export function same(program: string, pauses = 1): Outcome {
  const source = PRELUDE + program
  const plain = runAlone(source)
  const code = rewritten(source)
  setInThread(false)
  language.forget()
  expect(runAlone(code), code).toEqual(plain)
  scheduler.pauses = 0
  for (const result of runInThreads(code)) expect(result, code).toEqual(plain)
  expect(scheduler.pauses, code).toBeGreaterThanOrEqual(pauses)
  return plain
}

/** `same` for the body of `main`. */
export function sameBody(body: string, pauses = 1): Outcome {
  return same(`export function main() { ${body} }`, pauses)
}
