import { expect, test } from 'vitest'
import { heddle } from './run-cli.ts'

test('a short soak ends by itself with one line and no violation', async () => {
  const { code, out, err } = await heddle(['soak', '--seconds', '3', '--workers', '2', '--seed', '5'])
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out.split('\n')).toHaveLength(2)
  expect(out).toMatch(/^soak: .* 2 workers, [\d,]+ operations, .* 0 violations, 0 leaked, live words .*, seed 5\n$/)
})
