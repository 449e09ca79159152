import { expect, test } from 'vitest'
import { Histogram } from '../../../bench/histogram.ts'
import { median, pairedRatio, quantile, spread } from '../../../bench/statistics.ts'

test('quantiles are interpolated and leave their input alone', () => {
  const numbers = [4, 1, 3, 2]
  expect(median(numbers)).toBe(2.5)
  expect(quantile(numbers, 0)).toBe(1)
  expect(quantile(numbers, 1)).toBe(4)
  expect(numbers).toEqual([4, 1, 3, 2])
  expect(median([7])).toBe(7)
})

test('the spread is the distance of the quartiles over the median', () => {
  expect(spread([1, 2, 3, 4, 5])).toBeCloseTo(2 / 3)
  expect(spread([5, 5, 5])).toBe(0)
})

test('a ratio pairs the rounds, so a drift that hits both cancels', () => {
  expect(pairedRatio([2, 20, 200], [1, 10, 100])).toBe(2)
  expect(pairedRatio([], [])).toBeNull()
})

test('a histogram knows its quantiles within 4 % and its maximum exactly', () => {
  const histogram = new Histogram()
  for (let ns = 1; ns <= 100_000; ns++) histogram.add(ns)
  for (const share of [0.5, 0.99, 0.999]) {
    expect(Math.abs(histogram.quantile(share) / (share * 100_000) - 1)).toBeLessThan(0.04)
  }
  expect(histogram.max).toBe(100_000)
  expect(histogram.total).toBe(100_000)
})

test('a histogram takes anything from nothing to hours, and merges', () => {
  const one = new Histogram()
  const other = new Histogram()
  one.add(0)
  other.add(3.6e12)
  other.add(5e9)
  one.merge(other.counts, other.max)
  expect(one.total).toBe(3)
  expect(one.max).toBe(3.6e12)
  expect(Math.abs(one.quantile(0.5) / 5e9 - 1)).toBeLessThan(0.04)
  expect(new Histogram().latency()).toBeNull()
})
