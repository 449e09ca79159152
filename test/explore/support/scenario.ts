import { expect } from 'vitest'
import { explore, type ExploreOptions, type FailureKind } from '../../../src/explore/index.ts'
import type { Expectation, Scenario as AnyScenario } from '../../../src/explore/scenario.ts'

/** A program to explore, and what must come of it; a right one is explored completely unless it says otherwise. */
export interface Scenario extends AnyScenario {
  readonly expect: Expectation
}

/** A scenario, whatever its threads are given by `attach`. */
export function scenario<T>(name: string, options: ExploreOptions<T>, expectation: Expectation): Scenario {
  return { name, options, expect: expectation }
}

/** A scenario of a right program, which passes in every order. */
export function passes<T>(name: string, options: ExploreOptions<T>, within?: number): Scenario {
  return scenario(name, options, { kind: undefined, complete: true, ...(within === undefined ? {} : { within }) })
}

/** A scenario of a program with a fault that must be found. */
export function fails<T>(name: string, kind: FailureKind, within: number, options: ExploreOptions<T>): Scenario {
  return scenario(name, options, { kind, within })
}

/** Explores it, and throws if what comes is not what was expected. */
export function checkScenario({ name, options, expect: expected }: Scenario): void {
  const limit = expected.within === undefined ? {} : { maxExecutions: expected.within }
  const result = explore({ name, ...options, ...limit })
  const said = result.error === undefined ? '' : `${result.error.message}\n${result.error.columns}`
  const about = `${name}: ${result.executions} executions, ${result.steps} steps, ${Math.round(result.ms)} ms\n${said}`
  expect(result.error?.kind, about).toBe(expected.kind)
  if (expected.kind === undefined) expect(result.complete, about).toBe(expected.complete ?? true)
}
