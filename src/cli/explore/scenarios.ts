/** Loads scenario files, instrumented, and runs one scenario of them. */
import { pathToFileURL } from 'node:url'
import type { Deal } from '../../explore/dealing.ts'
import { exploreDealt } from '../../explore/explore.ts'
import type { ExploreOptions, ExploreResult, Progress } from '../../explore/index.ts'
import { instrumentFrom } from '../../explore/instrumenting.ts'
import { type Scenario, complaint, scenariosOf } from '../../explore/scenario.ts'
import { UsageError } from '../usage-error.ts'
import type { Overrides } from '../explore.ts'

/** What came of one scenario, as it travels between threads. */
export interface Row {
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

export async function loadScenarios(files: readonly string[], only: string): Promise<Scenario[]> {
  try {
    instrumentFrom(files)
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
  const found: Scenario[] = []
  for (const file of files) found.push(...scenariosOf((await import(pathToFileURL(file).href)) as object))
  const chosen = found.filter(({ name }) => name.includes(only))
  if (chosen.length === 0)
    throw new UsageError(`the files export no scenario${only === '' ? '' : ` with '${only}' in its name`}`)
  return chosen
}

export function runScenario(
  scenario: Scenario,
  overrides: Overrides,
  onProgress: (progress: Progress) => void,
  deal?: Deal,
): Row {
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
