import { expect, test } from 'vitest'
import { parseCount, parseSize, readArguments } from '../../../src/cli/arguments.ts'
import { UsageError } from '../../../src/cli/usage-error.ts'

test.each([
  ['1', 1],
  ['65536', 65536],
  ['64k', 65536],
  ['256m', 268435456],
  ['256M', 268435456],
  ['256MB', 268435456],
  ['256 MiB', 268435456],
  ['1g', 1073741824],
  ['1.5g', 1610612736],
  ['2t', 2199023255552],
])('the size %s', (text, bytes) => {
  expect(parseSize('--memory', text)).toBe(bytes)
})

test.each(['', 'm', '0', '-1', '1x', '1 m m', '1e3', '0x10', 'NaN', '99999999999999999999', '0.1'])(
  'no size: "%s"',
  (text) => {
    expect(() => parseSize('--memory', text)).toThrow(UsageError)
    expect(() => parseSize('--memory', text)).toThrow(`'${text}'`)
  },
)

test('a count lies between its limits', () => {
  expect(parseCount('--workers', '1', 1, 60)).toBe(1)
  expect(parseCount('--workers', '60', 1, 60)).toBe(60)
  for (const text of ['0', '61', '', '1.5', '-1', ' 1', '1e1', 'x', '1'.repeat(20)]) {
    expect(() => parseCount('--workers', text, 1, 60)).toThrow(
      `--workers must be a whole number from 1 to 60, not '${text}'`,
    )
  }
})

const OPTIONS = { workers: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const

test('arguments are read', () => {
  expect({ ...readArguments({ args: ['--workers', '3', '-h'], options: OPTIONS }).values }).toEqual({
    workers: '3',
    help: true,
  })
})

test.each([
  [['--wrkers', '3'], "unknown option '--wrkers'"],
  [['-x'], "unknown option '-x'"],
  [['--workers'], "option '--workers' needs a value"],
  [['--workers', '--help'], "option '--workers' needs a value"],
  [['--workers', '-3'], "option '--workers' needs a value"],
  [['--help=yes'], "option '--help' takes no value"],
  [['here'], "unexpected argument 'here'"],
])('the complaint about %j', (args, message) => {
  const read = () => readArguments({ args, options: OPTIONS })
  expect(read).toThrow(UsageError)
  expect(read).toThrow(new UsageError(message))
})
