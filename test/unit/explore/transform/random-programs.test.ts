import { expect, test } from 'vitest'
import { same } from './programs.ts'
import { randomProgram } from './random-programs.ts'

const PROGRAMS = 120

test(`${PROGRAMS} random programs give the same when they pause at every step`, () => {
  let notes = 0
  for (let seed = 1; seed <= PROGRAMS; seed++) {
    const { log } = same(randomProgram(seed))
    notes += log.length
  }
  expect(notes).toBeGreaterThan(PROGRAMS)
})

test('a random program is the same whenever it is made', () => {
  expect(randomProgram(7)).toBe(randomProgram(7))
  expect(randomProgram(7)).not.toBe(randomProgram(8))
})
