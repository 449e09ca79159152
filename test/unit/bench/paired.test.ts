import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'

/** Two processes, one after the other, each of which compiles the sources. */
const MOST_MS = 240_000
const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'heddle-paired-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** This checkout against itself, on the sources, so that no build is needed. */
function paired(...args: string[]): Promise<{ stdout: string }> {
  const few = ['--against', ROOT, '--records', '500', '--count', '100', '--rounds', '2', '--turns', '4']
  return promisify(execFile)(process.execPath, ['--import', 'tsx', 'bench/paired.ts', ...few, ...args], {
    cwd: ROOT,
    env: { ...process.env, HEDDLE_BENCH_SOURCES: '1' },
  })
}

interface Paired {
  readonly rows: readonly {
    operation: string
    thisNs: number
    againstNs: number
    ratio: number
    least: number
    most: number
  }[]
}

test(
  'each operation is measured in both builds, in turns, and its ratio is the one of its times',
  { timeout: MOST_MS },
  async () => {
    const json = join(directory, 'paired.json')
    const operations = ['get', 'set', 'insert', 'delete', 'update', 'compareAndSet', 'setIfAbsent', 'churn']
    const { stdout } = await paired('--operations', operations.join(), '--json', json)
    const { rows } = JSON.parse(readFileSync(json, 'utf8')) as Paired
    expect(rows.map((row) => row.operation)).toEqual(operations)
    for (const { operation, thisNs, againstNs, ratio, least, most } of rows) {
      expect(stdout).toContain(`| ${operation} `)
      expect(Math.min(thisNs, againstNs)).toBeGreaterThan(0)
      expect([0, least, ratio, most]).toEqual([0, least, ratio, most].sort((a, b) => a - b))
      expect(least).toBeGreaterThan(0)
    }
  },
)

test.each([
  ['an operation that is not known', ['--operations', 'get,guess'], 'guess is not known'],
  ['no rounds', ['--rounds', '0'], '--rounds is 0'],
])('%s is refused', { timeout: MOST_MS }, async (_what, args, message) => {
  await expect(paired(...args)).rejects.toThrow(message)
})
