import { expect, test } from 'vitest'
import { heddle, manifest } from './run-cli.ts'

test('help and version', async () => {
  const [none, help, version, demo, soak] = await Promise.all([
    heddle([]),
    heddle(['--help']),
    heddle(['--version']),
    heddle(['demo', '--help']),
    heddle(['soak', '-h']),
  ])
  for (const ended of [none, help, version, demo, soak]) expect(ended).toMatchObject({ code: 0, err: '' })
  expect(help.out).toContain('heddle demo [directory]')
  expect(none.out).toBe(help.out)
  expect(version.out).toBe(`${manifest.version}\n`)
  for (const option of ['--workers', '--memory', '--text']) expect(demo.out).toContain(option)
  for (const option of ['--seconds', '--workers', '--seed', '--memory']) expect(soak.out).toContain(option)
})

test.each([
  [['--bogus'], "heddle: unknown option '--bogus' (see 'heddle --help')"],
  [['dome'], "heddle: unknown command 'dome' (see 'heddle --help')"],
  [['--version', 'demo'], "heddle: unexpected argument 'demo' (see 'heddle --help')"],
  [['demo', '--bogus'], "heddle demo: unknown option '--bogus' (see 'heddle demo --help')"],
  [['demo', '--workers'], "heddle demo: option '--workers' needs a value (see 'heddle demo --help')"],
  [
    ['demo', '--workers', 'many'],
    "heddle demo: --workers must be a whole number from 1 to 60, not 'many' (see 'heddle demo --help')",
  ],
  [
    ['demo', '--memory', '1q'],
    "heddle demo: --memory must be a size such as 256m, 1g or a number of bytes, not '1q' (see 'heddle demo --help')",
  ],
  [
    ['soak', '--seconds', '0'],
    "heddle soak: --seconds must be a whole number from 1 to 604800, not '0' (see 'heddle soak --help')",
  ],
  [['soak', 'here'], "heddle soak: unexpected argument 'here' (see 'heddle soak --help')"],
])('%j is refused in one line, with exit code 2', async (args, message) => {
  expect(await heddle(args)).toEqual({ code: 2, out: '', err: `${message}\n` })
})
