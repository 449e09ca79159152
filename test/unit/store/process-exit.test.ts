import { describe, expect, it } from 'vitest'
import { runProgram } from '../../support/child.ts'

const entries = (way: string): [string, string] => [way, `${way}: 150 entries\n`]

describe('a process that uses a store ends by itself:', { timeout: 60_000 }, () => {
  it.each([
    entries('with close'),
    entries('with the cleaner and close'),
    entries('left open'),
    entries('with the cleaner, left open'),
    ['after a worker, close', 'worker 0, true\n'],
    ['after a worker, with the cleaner, left open', 'worker 0, true\n'],
  ])('%s', async (way, stdout) => {
    expect(await runProgram('ends-by-itself', way)).toEqual({ code: 0, stdout, stderr: '' })
  })
})
