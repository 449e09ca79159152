import { expect, test } from 'vitest'
import { bytes, counted, grouped, table } from '../../../src/cli/format.ts'
import { Screen } from '../../../src/cli/screen.ts'

class Paper {
  readonly isTTY: boolean
  text = ''

  constructor(isTTY = false) {
    this.isTTY = isTTY
  }

  write(text: string): void {
    this.text += text
  }
}

test('numbers and sizes', () => {
  expect(grouped(1234567.8)).toBe('1,234,568')
  expect([0, 1, 1023, 1024, 1536, 3 * 2 ** 30].map(bytes)).toEqual([
    '0 bytes',
    '1 bytes',
    '1,023 bytes',
    '1.0 KiB',
    '1.5 KiB',
    '3.0 GiB',
  ])
  expect([counted(1, 'file'), counted(1000, 'file')]).toEqual(['1 file', '1,000 files'])
})

test('a table in two columns', () => {
  const rows = [['files', '1,000'] as const, ['operations', '7'] as const]
  expect(table(rows)).toEqual(['  files       1,000', '  operations      7'])
})

test('without a terminal, progress is a line at every quarter', () => {
  const [out, err] = [new Paper(), new Paper()]
  const progress = new Screen(out, err).progress('counting', 100)
  for (let i = 0; i <= 100; i++) progress.show(i)
  progress.end()
  expect(out.text).toBe('  counting: 25 %\n  counting: 50 %\n  counting: 75 %\n')
  expect(err.text).toBe('')
})

test('on a terminal, progress is a bar that goes away', () => {
  const [out, err] = [new Paper(), new Paper(true)]
  const progress = new Screen(out, err).progress('counting', 2)
  progress.show(1)
  progress.show(1)
  expect(err.text).toBe(`\r  counting [${'#'.repeat(15)}${'.'.repeat(15)}] 50 %`)
  progress.end()
  expect(err.text.split('\r').at(-2)!.trim()).toBe('')
  expect(out.text).toBe('')
})

test('quiet progress is for terminals only', () => {
  const [out, err] = [new Paper(), new Paper()]
  new Screen(out, err).quietProgress('soak', 2).show(1)
  expect(out.text + err.text).toBe('')
})
