import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { heddle } from './run-cli.ts'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'heddle-demo-'))
})

afterEach(() => {
  rmSync(root, { recursive: true })
})

/** The value of one row of the table. */
function row(out: string, name: string): string | undefined {
  return out
    .split('\n')
    .find((line) => line.startsWith(`  ${name}  `))
    ?.slice(name.length + 2)
    .trim()
}

test('a small directory is indexed, and everything agrees', async () => {
  for (let i = 0; i < 12; i++) {
    const words = Array.from({ length: 300 }, (_, n) => `the w${(n * 7 + i) % 211} of x${n}`)
    writeFileSync(join(root, `${i}.txt`), words.join(' '))
  }
  writeFileSync(join(root, 'odd.bin'), Uint8Array.of(1, 0, 2))
  const { code, out, err } = await heddle(['demo', root, '--workers', '3'])
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out).toContain('12 files')
  expect(out).toContain('1 binary')
  expect(out).toContain('every count agrees')
  expect(out).toContain('the 3,600, of 3,600')
  expect(row(out, 'files')).toBe('12')
  expect(row(out, 'words')).toBe('14,400')
  expect(row(out, 'leaked')).toBe('0')
  for (const name of [
    'entries',
    'operations/s, 1 worker',
    'operations/s, 3 workers',
    'seconds, 1 worker',
    'seconds, 3 workers',
    'pages',
    'splits',
    'merges',
    'page ids retired',
    'page ids reused',
    'segments cleaned',
    'bytes live',
  ]) {
    expect(row(out, name), name).toMatch(/^[\d,.]+( [KM]iB| bytes)?$/)
  }
})

test('one worker alone', async () => {
  writeFileSync(join(root, 'a.txt'), 'to be or not to be')
  const { code, out } = await heddle(['demo', root, '--workers', '1'])
  expect(code).toBe(0)
  expect(out).toContain('to 2, be 2, or 1, not 1')
})

test('a directory without text, a memory too small to open: one line, exit code 2', async () => {
  const empty = await heddle(['demo', root])
  expect(empty.code).toBe(2)
  expect(empty.err).toMatch(/^heddle demo: there is no text below .*\n$/)
  writeFileSync(join(root, 'a.txt'), 'a')
  const small = await heddle(['demo', root, '--memory', '100'])
  expect(small.code).toBe(2)
  expect(small.err.split('\n')).toHaveLength(2)
})
