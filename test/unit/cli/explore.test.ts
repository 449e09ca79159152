import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { readExploreCommand } from '../../../src/cli/explore.ts'
import type { ScenarioResult } from '../../../src/explore/index.ts'
import { UsageError } from '../../../src/cli/usage-error.ts'
import { heddle, project } from './run-cli.ts'

const FILE = 'test/support/programs/ticket-lock.ts'

const explored = (...args: string[]): ReturnType<typeof heddle> => heddle(['explore', FILE, ...args])

test('the command prints a table, each failure, and how to see it again', async () => {
  const { code, out } = await explored()
  expect(code).toBe(1)
  expect(out).toMatch(/^rightLock +complete/m)
  expect(out).toMatch(/^wrongLock +FAILED data-race/m)
  expect(out).toMatch(/ticket-lock\.ts:\d+:\d+/)
  expect(out).toContain('2 scenarios: 1 explored completely')
  const replay = /--replay '(.*)'/.exec(out)![1]!
  const again = await explored('--only', 'wrong', '--replay', replay)
  expect(again.code).toBe(1)
  expect(again.out).toContain('data-race')
})

test('several workers give the same as one', async () => {
  const [one, two] = await Promise.all([explored('--json'), explored('--json', '--workers', '2')])
  const rows = (text: string): Pick<ScenarioResult, 'name' | 'complete' | 'executions'>[] =>
    (JSON.parse(text) as ScenarioResult[])
      .map(({ name, complete, executions }) => ({ name, complete, executions }))
      .sort((a, b) => a.name.localeCompare(b.name))
  expect(rows(two.out)).toEqual(rows(one.out))
})

test('more workers than scenarios search one together', async () => {
  const { code, out } = await explored('--only', 'right', '--workers', '3')
  expect(code).toBe(0)
  expect(out).toMatch(/^rightLock +complete/m)
})

test('a script that is run with the module hooks explores by itself', () => {
  const hooks = ['./test/support/register-tsx.mjs', './src/explore/register.ts'].flatMap((file) => ['--import', file])
  const argv = [...hooks, 'test/support/programs/explore-ticket-lock.ts']
  const out = execFileSync(process.execPath, argv, { cwd: project, encoding: 'utf8', timeout: 50_000 })
  const [right, wrong] = JSON.parse(out) as string[]
  expect(right).toBe('right')
  expect(wrong).toMatch(/thread \d reads, unordered .* at .*ticket-lock\.ts:\d+/)
})

test.each([1, 2, 5])('a script explores a file with %i workers', (workers) => {
  const argv = [
    '--import',
    './test/support/register-tsx.mjs',
    'test/support/programs/explore-lock-file.ts',
    `${workers}`,
  ]
  const out = execFileSync(process.execPath, argv, { cwd: project, encoding: 'utf8', timeout: 50_000 })
  const { names, results } = JSON.parse(out) as { names: string[]; results: ScenarioResult[] }
  expect(names).toEqual(['rightLock', 'wrongLock'])
  expect(results.map(({ name, complete, error }) => [name, complete, error?.kind])).toEqual([
    ['rightLock', true, undefined],
    ['wrongLock', false, 'data-race'],
  ])
})

test('arguments', () => {
  expect(readExploreCommand(['--help'])).toBeUndefined()
  const command = readExploreCommand([FILE, '--mode', 'bound=2', '--max-ms', '50', '--seed', '7', '--kill'])
  expect(command?.overrides).toEqual({ mode: { bound: 2 }, maxMs: 50, seed: 7, kill: 'everywhere' })
  for (const args of [
    [],
    ['nowhere.ts'],
    [FILE, '--mode', 'fast'],
    [FILE, '--workers', '0'],
    [FILE, '--seconds', 'x'],
  ]) {
    expect(() => readExploreCommand(args)).toThrow(UsageError)
  }
})
