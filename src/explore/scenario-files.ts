/** Scenario files: loaded, instrumented; and one scenario of them run. */
import { pathToFileURL } from 'node:url'
import { HeddleError } from '../memory/error.ts'
import type { Deal } from './dealing.ts'
import { exploreDealt } from './explore.ts'
import { instrumentFrom } from './instrumenting.ts'
import type { ExploreOptions, ExploreResult, Mode, Progress } from './options.ts'
import { type Scenario, complaint, scenariosOf } from './scenario.ts'

/** What replaces the scenarios' own options. */
export interface Overrides {
  readonly mode?: Mode
  readonly maxMs?: number
  readonly seed?: number
  readonly kill?: 'everywhere'
  readonly replay?: string
}

/** What came of one scenario, as it travels between threads. */
export interface ScenarioResult {
  readonly name: string
  readonly complete: boolean
  readonly executions: number
  readonly steps: number
  readonly blocked: number
  readonly ms: number
  readonly phase: string
  /** What the scenario was expected to show, if that is a failure. */
  readonly expected: string | undefined
  readonly error: Omit<NonNullable<ExploreResult['error']>, 'cause'> | undefined
  /** What is wrong with the result, or ''. */
  readonly complaint: string
}

/** @throws HeddleError HEDDLE_INVALID_OPTION if a file cannot be instrumented, or there is no such scenario */
export async function loadScenarios(files: readonly string[], only: string): Promise<Scenario[]> {
  try {
    instrumentFrom(files)
  } catch (error) {
    throw new HeddleError('HEDDLE_INVALID_OPTION', error instanceof Error ? error.message : String(error))
  }
  const found: Scenario[] = []
  for (const file of files) found.push(...scenariosOf((await import(pathToFileURL(file).href)) as object))
  const chosen = found.filter(({ name }) => name.includes(only))
  if (chosen.length > 0) return chosen
  const which = only === '' ? '' : ` with '${only}' in its name`
  throw new HeddleError('HEDDLE_INVALID_OPTION', `the files export no scenario${which}`)
}

export function runScenario(
  scenario: Scenario,
  overrides: Overrides,
  onProgress: (progress: Progress) => void,
  deal?: Deal,
): ScenarioResult {
  const { name, options, expect = {} } = scenario
  const { maxExecutions, maxMs, ...rest } = options
  const limit: Partial<ExploreOptions> =
    overrides.maxMs === undefined
      ? { ...(maxExecutions === undefined ? {} : { maxExecutions }), ...(maxMs === undefined ? {} : { maxMs }) }
      : {}
  const result = exploreDealt({ name, ...rest, ...limit, ...overrides, onProgress }, deal)
  const { error, ...counts } = result
  return {
    name,
    ...counts,
    expected: expect.kind,
    error: error && {
      kind: error.kind,
      message: error.message,
      schedule: error.schedule,
      minimized: error.minimized,
      columns: error.columns,
    },
    // A replay shows one execution, which need not be all.
    complaint: overrides.replay === undefined ? complaint(result, expect) : (error?.message ?? ''),
  }
}
