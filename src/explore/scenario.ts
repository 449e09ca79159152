/** Scenarios as files export them, and whether what came of one is what was expected. */
import type { FailureKind } from './failure.ts'
import type { ExploreOptions, ExploreResult } from './options.ts'

export interface Expectation {
  /** What must be found; undefined if the code is right. */
  readonly kind?: FailureKind | undefined
  /** Whether a right program must be explored completely. */
  readonly complete?: boolean
  /** Most executions until the failure is found. */
  readonly within?: number
}

export interface Scenario {
  readonly name: string
  readonly options: ExploreOptions
  readonly expect?: Expectation
}

/** What a result says against the expectation, or ''. */
export function complaint(result: ExploreResult, expected: Expectation = {}): string {
  const { error, executions, complete } = result
  if (error?.kind !== expected.kind) {
    if (error === undefined) return `${expected.kind} was not found in ${executions} executions`
    return `${error.kind}: ${error.message}`
  }
  if (error !== undefined) {
    return expected.within !== undefined && executions > expected.within
      ? `found after ${executions} executions, not ${expected.within}`
      : ''
  }
  return expected.complete === true && !complete ? `not complete after ${executions} executions` : ''
}

function isOptions(value: unknown): value is ExploreOptions {
  return typeof value === 'object' && value !== null && 'threads' in value && 'memory' in value
}

function isScenario(value: unknown): value is Scenario {
  return typeof value === 'object' && value !== null && 'options' in value && isOptions(value.options)
}

/**
 * The scenarios that a module exports: options for `explore`, objects with `name` and `options`, and arrays of both.
 * @param exported the module's namespace
 */
export function scenariosOf(exported: object): Scenario[] {
  const found: Scenario[] = []
  for (const [name, value] of Object.entries(exported)) {
    const list: unknown[] = Array.isArray(value) ? value : [value]
    list.forEach((one, i) => {
      if (isScenario(one)) found.push(one)
      else if (isOptions(one))
        found.push({ name: one.name ?? (list.length === 1 ? name : `${name}[${i}]`), options: one, expect: {} })
    })
  }
  return found
}
