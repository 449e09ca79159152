import { expect, it } from 'vitest'
import { runProgram } from '../../support/child.ts'

it('a program that is its own worker counts with two of them', { timeout: 60_000 }, async () => {
  const stdout = 'visits:0 2000\nvisits:1 2000\nvisits:2 2000\ntrue 3 3\n'
  expect(await runProgram('visits')).toEqual({ code: 0, stdout, stderr: '' })
})
