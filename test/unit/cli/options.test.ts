import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'
import { readBankOptions } from '../../../src/cli/bank.ts'
import { readDemoOptions } from '../../../src/cli/demo.ts'
import { readSoakOptions } from '../../../src/cli/soak.ts'

test('the demo by default: all cores but at least two workers, a part of the text', () => {
  expect(readDemoOptions([])).toEqual({
    directory: undefined,
    workers: Math.min(60, Math.max(2, availableParallelism())),
    memory: undefined,
    text: 80 * 2 ** 20,
  })
})

test('a directory is read whole unless a limit is given', () => {
  expect(readDemoOptions(['docs'])).toMatchObject({ directory: 'docs', text: Infinity })
  expect(readDemoOptions(['docs', '--text', '1m'])).toMatchObject({ directory: 'docs', text: 2 ** 20 })
  expect(readDemoOptions(['--text', 'all'])).toMatchObject({ directory: undefined, text: Infinity })
})

test('options of the demo', () => {
  expect(readDemoOptions(['--workers', '3', 'docs', '--memory=1g'])).toMatchObject({
    directory: 'docs',
    workers: 3,
    memory: 2 ** 30,
  })
  expect(readDemoOptions(['-h'])).toBeUndefined()
  expect(() => readDemoOptions(['a', 'b'])).toThrow("unexpected argument 'b'")
})

test('options of the soak', () => {
  expect(readSoakOptions([])).toEqual({ seconds: 60, workers: 4, seed: 1, memory: 256 * 2 ** 20 })
  expect(readSoakOptions(['--seconds', '5', '--workers', '2', '--seed', '0', '--memory', '64m'])).toEqual({
    seconds: 5,
    workers: 2,
    seed: 0,
    memory: 64 * 2 ** 20,
  })
  expect(readSoakOptions(['--help'])).toBeUndefined()
})

test('options of the bank', () => {
  const memory = 32 * 2 ** 20
  expect(readBankOptions([])).toEqual({ seconds: 60, workers: 4, seed: 1, accounts: 24, memory })
  expect(readBankOptions(['--seconds', '5', '--accounts', '2', '--seed', '0'])).toMatchObject({
    seconds: 5,
    accounts: 2,
    seed: 0,
  })
  expect(readBankOptions(['-h'])).toBeUndefined()
  expect(() => readBankOptions(['--accounts', '1'])).toThrow('--accounts must be a whole number from 2 to 10000')
})
