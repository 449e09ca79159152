import { describe, expect, it } from 'vitest'
import { MAX_FILE_ID, fileName, parseFileName } from '../../../src/lsm/file-name.ts'

describe('names of files', () => {
  it('are made from an integer and a kind', () => {
    expect(fileName(123, 'log')).toBe('000123.log')
    expect(fileName(1_234_567, 'table')).toBe('1234567.table')
    expect(fileName(MAX_FILE_ID, 'manifest')).toBe('2147483647.manifest')
  })

  it.each([0, -1, 1.5, NaN, MAX_FILE_ID + 1])('are not made from %s', (id) => {
    expect(() => fileName(id, 'log')).toThrow(expect.objectContaining({ code: 'HEDDLE_INTERNAL' }))
  })

  it.each(['log', 'table', 'manifest', 'temp'] as const)('are read back: %s', (kind) => {
    for (const id of [1, 999_999, 1_000_000, MAX_FILE_ID])
      expect(parseFileName(fileName(id, kind))).toEqual({ id, kind })
  })

  it.each([
    '',
    'lock',
    '123.log',
    '0000123.log',
    '000000.log',
    '000123.LOG',
    '000123.log ',
    '000123.log\n',
    '000123.txt',
    '../000123.log',
    '/000123.log',
    '9999999999.log',
    '000123',
    '-00123.log',
    '00012３.log',
  ])('are refused when we would not give them: %j', (name) => {
    expect(parseFileName(name)).toBeUndefined()
  })
})
