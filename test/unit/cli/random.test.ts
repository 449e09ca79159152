import { expect, test } from 'vitest'
import { hashText, Random } from '../../../src/cli/random.ts'

function draw(random: Random, count: number, bound: number): number[] {
  return Array.from({ length: count }, () => random.below(bound))
}

test('equal seeds give equal numbers, other seeds others', () => {
  expect(draw(new Random(1, 2), 20, 1000)).toEqual(draw(new Random(1, 2), 20, 1000))
  expect(draw(new Random(1, 2), 20, 1000)).not.toEqual(draw(new Random(2, 1), 20, 1000))
  expect(draw(new Random(1), 20, 1000)).not.toEqual(draw(new Random(2), 20, 1000))
})

test('numbers lie within their bounds and spread over them', () => {
  const hits = new Array<number>(10).fill(0)
  for (const n of draw(new Random(7), 10_000, 10)) hits[n]++
  for (const n of hits) expect(Math.abs(n - 1000)).toBeLessThan(150)
  expect(new Set(Array.from({ length: 500 }, (_, i) => new Random(i).between(3, 5)))).toEqual(new Set([3, 4, 5]))
})

test('a hash halves a set of similar names', () => {
  let low = 0
  for (let i = 0; i < 10_000; i++) if (hashText(`word/${i}`, 1) < 2 ** 31) low++
  expect(Math.abs(low - 5000)).toBeLessThan(250)
})
