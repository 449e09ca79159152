import { expect, test } from 'vitest'
import { heddle } from './run-cli.ts'

test('a short bank ends by itself with one line and no violation', async () => {
  const { code, out, err } = await heddle(['bank', '--seconds', '3', '--workers', '2', '--seed', '5'])
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out.split('\n')).toHaveLength(2)
  expect(out).toMatch(/^bank: .* 2 workers, [\d,]+ operations, [\d,]+ transfers, .* audits, 0 violations, seed 5\n$/)
})
